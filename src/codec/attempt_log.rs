//! The attempts of one record as compact JSON, for people and scripts that look into a single record.

use serde::Serialize;

use super::ascii;
use crate::domain::attempt::{Attempt, PassedOver};
use crate::domain::error_code::Code;

/// `[{"step":"ask","provider":"gpt","model":"gpt-4.1","response_id":"chatcmpl-1","input_tokens":90,"output_tokens":12,"cost_usd":0.003,"error":"answer_invalid"}]`;
/// `model` is the one that was asked when none answered, `response_id` is absent then, `error` in the one that led to
/// the result, `times` where it is 1. `"passed_over":{"reasoning":true,"objects":1}` is there where the reply's text
/// held more than the answer. ASCII, because it stands in a header.
pub(super) fn encode(attempt_log: &[Attempt]) -> String {
    let lines: Vec<Line<'_>> = attempt_log.iter().map(Line::from).collect();
    // It has no map whose keys are not text, so it can be written.
    ascii::json(serde_json::to_string(&lines).unwrap_or_default())
}

/// One attempt. The order of the fields is that of the text.
#[derive(Serialize)]
struct Line<'a> {
    step: &'static str,
    provider: &'a str,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: f64,
    #[serde(skip_serializing_if = "str::is_empty")]
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_over: Option<Passed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
}

#[derive(Serialize)]
struct Passed {
    reasoning: bool,
    objects: u32,
}

impl<'a> From<&'a Attempt> for Line<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        let PassedOver { reasoning, objects } = attempt.passed_over;
        Self {
            step: attempt.step.as_str(),
            provider: &attempt.provider,
            input_tokens: attempt.usage.input_tokens,
            output_tokens: attempt.usage.output_tokens,
            cost_usd: attempt.cost_usd,
            model: &attempt.model,
            response_id: attempt.response_id.as_deref(),
            error: attempt.error.map(Code::as_str),
            passed_over: (!attempt.passed_over.is_empty()).then_some(Passed { reasoning, objects }),
            times: (attempt.times > 1).then_some(attempt.times),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::answer::Usage;
    use crate::domain::attempt::LadderStep;

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
