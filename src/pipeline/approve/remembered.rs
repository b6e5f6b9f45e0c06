//! Answers that other processes have approved.

use serde_json::Value;

use crate::domain::answer::{Answer, Validation};
use crate::pipeline::spec::SpecSettings;

/// Whether what was remembered would be approved today. What processes share can be written to by others, so nothing of
/// it is taken on trust: its data must be one object, written as we write it, and valid as far as the answer says.
pub(in crate::pipeline) fn is_still_valid(answer: &Answer, settings: &SpecSettings) -> bool {
    let Ok(data) = serde_json::from_slice::<Value>(&answer.data) else { return false };
    // Text that is not what we would write can mean something else to another reader: a name twice, for example.
    if !data.is_object() || serde_json::to_vec(&data).ok().as_deref() != Some(&answer.data[..]) {
        return false;
    }
    match answer.validation {
        Validation::Passed => settings.schema.validate(&data).is_ok(),
        Validation::Bypassed => settings.checks.bypass_validation,
        Validation::Relaxed => {
            settings.checks.allow_relaxed && settings.schema.relax(data.clone()).as_ref() == Some(&data)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::domain::answer::{AnswerFactors, Usage};
    use crate::domain::grounding::RememberedGrounding;
    use crate::pipeline::testing::settings;
    use crate::schema::Schema;

    fn is_valid(data: &str, validation: Validation, allow_relaxed: bool) -> bool {
        let schema = json!({
            "type": "object",
            "properties": { "intent": { "enum": ["refund", "other"] }, "amount": { "type": "number" } },
            "required": ["intent", "amount"],
            "additionalProperties": false
        });
        let settings = settings().with(|it| {
            it.schema = Arc::new(Schema::compile("intent", "1.0.0", schema).unwrap());
            it.checks.allow_relaxed = allow_relaxed;
        });
        let answer = Answer {
            data: data.to_owned().into(),
            provider: "p".into(),
            model: "m".into(),
            validation,
            factors: AnswerFactors { validation: 1.0, ladder: 1.0, provider: None },
            attempt_log: Vec::new(),
            usage: Usage::default(),
            cost_usd: 0.0,
            quotes: Vec::new(),
            logprobs: Vec::new(),
            grounding: RememberedGrounding::default(),
            agreement: None,
        };
        is_still_valid(&answer, &settings)
    }

    #[test]
    fn only_an_object_that_is_valid_and_written_as_we_write_it_is_taken() {
        for (data, is_taken) in [
            (r#"{"intent":"refund","amount":1.50}"#, true),
            (r#"{"intent":"refund","amount":12345678901234567890123}"#, true),
            (r#"{"intent":"nonsense","amount":1}"#, false),
            (r#"{"intent":"refund"}"#, false),
            (r#"{"intent":"refund","amount":1,"more":1}"#, false),
            (r#"{"intent":"other","intent":"refund","amount":1}"#, false),
            (r#"{"intent": "refund","amount":1}"#, false),
            (r#"[{"intent":"refund","amount":1}]"#, false),
            (r#"{"intent":"refund","amount":"#, false),
            ("", false),
        ] {
            assert_eq!(is_valid(data, Validation::Passed, false), is_taken, "{data}");
        }
    }

    #[test]
    fn a_relaxed_answer_is_taken_where_relaxed_answers_are_and_needs_no_coercion() {
        assert!(is_valid(r#"{"intent":"refund"}"#, Validation::Relaxed, true));
        assert!(!is_valid(r#"{"intent":"refund"}"#, Validation::Relaxed, false));
        assert!(!is_valid(r#"{"intent":"Refund"}"#, Validation::Relaxed, true), "it would have been coerced");
        assert!(!is_valid("{}", Validation::Relaxed, true));
    }
}
