//! The attempts of one record as compact JSON, for people and scripts that look into a single record.

use serde_json::{Value, json};

use crate::domain::attempt::{Attempt, PassedOver};

/// `[{"step":"ask","provider":"gpt","model":"gpt-4.1","response_id":"chatcmpl-1","input_tokens":90,"output_tokens":12,"cost_usd":0.003,"error":"answer_invalid"}]`;
/// `model` is the one that was asked when none answered, `response_id` is absent then, `error` in the one that led to
/// the result, `times` where it is 1. `"passed_over":{"reasoning":true,"objects":1}` is there where the reply's text
/// held more than the answer. ASCII, because it stands in a header.
pub(super) fn encode(attempt_log: &[Attempt]) -> String {
    let attempts: Vec<Value> = attempt_log.iter().map(one).collect();
    let text = Value::from(attempts).to_string();
    text.chars().flat_map(ascii).collect()
}

fn one(attempt: &Attempt) -> Value {
    let mut value = json!({
        "step": attempt.step.as_str(),
        "provider": &*attempt.provider,
        "input_tokens": attempt.usage.input_tokens,
        "output_tokens": attempt.usage.output_tokens,
        "cost_usd": attempt.cost_usd,
    });
    if !attempt.model.is_empty() {
        value["model"] = (&*attempt.model).into();
    }
    if let Some(id) = &attempt.response_id {
        value["response_id"] = (&**id).into();
    }
    if let Some(code) = attempt.error {
        value["error"] = code.as_str().into();
    }
    if !attempt.passed_over.is_empty() {
        let PassedOver { reasoning, objects } = attempt.passed_over;
        value["passed_over"] = json!({ "reasoning": reasoning, "objects": objects });
    }
    if attempt.times > 1 {
        value["times"] = attempt.times.into();
    }
    value
}

/// JSON's own escape for everything beyond ASCII.
fn ascii(char: char) -> Vec<char> {
    if char.is_ascii() {
        return vec![char];
    }
    char.encode_utf16(&mut [0; 2])
        .iter()
        .flat_map(|unit| format!("\\u{unit:04x}").chars().collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::Usage;
    use crate::domain::attempt::LadderStep;
    use crate::domain::failure::Code;

    #[test]
    fn it_says_who_was_asked_and_what_came_of_it() {
        let usage = Usage { input_tokens: 9, output_tokens: 2, ..Usage::default() };
        let attempt = |step, model: &str, error: Option<Code>| Attempt {
            step,
            provider: "gpt".into(),
            model: model.into(),
            response_id: error.is_none().then(|| "chatcmpl-1".into()),
            usage,
            cost_usd: 0.5,
            error,
            passed_over: PassedOver { reasoning: error.is_none(), objects: 0 },
            times: if step == LadderStep::Retry { 3 } else { 1 },
        };
        let attempt_log =
            [attempt(LadderStep::Ask, "gpt-4", Some(Code::ProviderTimeout)), attempt(LadderStep::Retry, "gpt-é", None)];
        let text = encode(&attempt_log);
        assert!(text.is_ascii(), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[0]["error"], "provider_timeout");
        assert_eq!(value[0]["model"], "gpt-4");
        assert_eq!((value[0].get("response_id"), &value[1]["response_id"]), (None, &json!("chatcmpl-1")));
        let reasoning = json!({ "reasoning": true, "objects": 0 });
        assert_eq!((value[0].get("passed_over"), &value[1]["passed_over"]), (None, &reasoning));
        assert_eq!((value[0].get("times"), &value[1]["times"]), (None, &json!(3)));
        assert_eq!(
            (&value[1]["step"], &value[1]["model"], value[1].get("error")),
            (&json!("retry"), &json!("gpt-é"), None)
        );
    }
}
