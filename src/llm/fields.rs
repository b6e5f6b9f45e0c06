//! Reading a response's JSON: its text strictly, everything else leniently.
//!
//! Compatible servers and gateways fill the fields around an answer with whatever they have: `"5"`, `50.0`, `-35`,
//! `[]`. None of that is a reason to lose an answer that is paid for, so a field that cannot be read counts as absent.

use serde_json::Value;

use crate::ports::model::Finish;

/// More tokens than any call can have. A larger count is a mistake, and must not become a cost.
const MOST_TOKENS: u64 = 1_000_000_000;

/// The types of a content part that belong to the answer. Reasoning, tool calls and media have other names.
const TEXT_PARTS: [&str; 2] = ["text", "output_text"];

/// Words for an answer that was cut at the token limit, of all formats: gateways pass on those of whoever is behind
/// them.
const CUT: [&str; 4] = ["length", "max_tokens", "model_length", "model_context_window_exceeded"];

/// Words for an answer that the model, or a filter behind it, declined to give.
const REFUSED: [&str; 9] = [
    "content_filter",
    "refusal",
    "safety",
    "recitation",
    "language",
    "blocklist",
    "prohibited_content",
    "spii",
    "image_safety",
];

/// What is at a path of member names; null where something is missing on the way.
pub(super) fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |inner, name| inner.get(name).unwrap_or(&Value::Null))
}

/// The first entry of a list; null without any.
pub(super) fn first(list: &Value) -> &Value {
    list.get(0).unwrap_or(&Value::Null)
}

/// A text that is not empty.
pub(super) fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// A flag that is set.
pub(super) fn is_set(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

/// A whole number that is not negative, also as text or with a fraction of zero.
pub(super) fn count(value: &Value) -> Option<u64> {
    let exact = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    exact.or_else(|| whole(real(value)?))
}

/// A finite number, also as text.
pub(super) fn real(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number| number.is_finite())
}

fn whole(number: f64) -> Option<u64> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "it has been found to be a whole number within the range"
    )]
    let whole = (number.fract() == 0.0 && (0.0..=MOST_TOKENS as f64).contains(&number)).then_some(number as u64);
    whole
}

/// A count of tokens, 0 where there is none that can be true.
pub(super) fn tokens(value: &Value) -> u64 {
    count(value).filter(|tokens| *tokens <= MOST_TOKENS).unwrap_or(0)
}

/// The answer's text: a string, or the text parts of a list joined. `None` where there is no text.
///
/// # Errors
/// What stands in the place of text.
pub(super) fn answer_text(content: &Value) -> Result<Option<String>, String> {
    match content {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Array(parts) => {
            let mut whole = None;
            for part in parts {
                if let Some(text) = part_text(part)? {
                    whole.get_or_insert_with(String::new).push_str(text);
                }
            }
            Ok(whole)
        }
        other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Err(wrong("its content", other)),
    }
}

/// The text of one part; `None` for one that is no text, or none of the answer's.
fn part_text(part: &Value) -> Result<Option<&str>, String> {
    let fields = match part {
        Value::Null => return Ok(None),
        Value::String(text) => return Ok(Some(text)),
        Value::Object(fields) => fields,
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
            return Err(wrong("a part of its content", other));
        }
    };
    let is_text = fields.get("type").and_then(Value::as_str).is_none_or(|kind| TEXT_PARTS.contains(&kind));
    if !is_text || fields.get("thought").is_some_and(is_set) {
        return Ok(None);
    }
    match fields.get("text") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong("the text of a part of its content", other)),
    }
}

fn wrong(what: &str, value: &Value) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("{what} is {kind}, not text")
}

/// Why the model stopped. What is no known word, or no word at all, leaves it to the text.
pub(super) fn finish(reason: &Value) -> Finish {
    let Some(reason) = reason.as_str().map(str::to_ascii_lowercase) else { return Finish::Complete };
    if CUT.contains(&reason.as_str()) {
        Finish::Truncated
    } else if REFUSED.contains(&reason.as_str()) {
        Finish::Refused
    } else {
        Finish::Complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn counts_are_read_in_every_form_that_can_be_true_and_in_no_other() {
        for (value, wanted) in [
            (json!(5), Some(5)),
            (json!(50.0), Some(50)),
            (json!("5"), Some(5)),
            (json!(" 50.0 "), Some(50)),
            (json!(1e3), Some(1000)),
            (json!(-35), None),
            (json!(-0.5), None),
            (json!(50.4), None),
            (json!(1e300), None),
            (json!("many"), None),
            (json!("NaN"), None),
            (json!("inf"), None),
            (json!(""), None),
            (json!(true), None),
            (json!(null), None),
            (json!([5]), None),
            (json!({ "total": 5 }), None),
        ] {
            assert_eq!(count(&value), wanted, "{value}");
        }
        assert_eq!(tokens(&json!(u64::MAX)), 0, "no call has so many");
        assert_eq!(tokens(&json!(2_000_000)), 2_000_000);
    }

    #[test]
    fn text_parts_are_joined_and_other_parts_left_out() {
        for (content, wanted) in [
            (json!("a"), Ok(Some("a"))),
            (json!(null), Ok(None)),
            (json!([]), Ok(None)),
            (
                json!([{ "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] }, { "type": "text", "text": "a" }]),
                Ok(Some("a")),
            ),
            (
                json!([{ "type": "output_text", "text": "a", "annotations": 7 }, "b", null, { "text": "c" }]),
                Ok(Some("abc")),
            ),
            (json!([{ "type": "text", "text": "a" }, { "type": "refusal", "refusal": "no" }]), Ok(Some("a"))),
            (json!([{ "type": "reasoning", "text": "hm" }, { "type": "image_url", "image_url": {} }]), Ok(None)),
            (
                json!([{ "text": "hm", "thought": true }, { "text": "a", "thought": false }, { "text": "b", "thought": null }]),
                Ok(Some("ab")),
            ),
            (
                json!([{ "type": 7, "text": "a" }, { "functionCall": {} }, { "type": "text", "text": null }]),
                Ok(Some("a")),
            ),
            (json!(7), Err(())),
            (json!({ "label": "refund" }), Err(())),
            (json!(false), Err(())),
            (json!([7]), Err(())),
            (json!([["a"]]), Err(())),
            (json!([{ "type": "text", "text": 7 }]), Err(())),
            (json!([{ "text": { "value": "a" } }]), Err(())),
        ] {
            let found = answer_text(&content);
            assert_eq!(found.as_ref().map(Option::as_deref).map_err(|_| ()), wanted, "{content}");
        }
        assert_eq!(answer_text(&json!(7)), Err("its content is a number, not text".to_owned()));
    }

    #[test]
    fn the_finish_is_a_known_word_or_left_to_the_text() {
        for (reason, wanted) in [
            (json!("length"), Finish::Truncated),
            (json!("MAX_TOKENS"), Finish::Truncated),
            (json!("content_filter"), Finish::Refused),
            (json!("SAFETY"), Finish::Refused),
            (json!("stop"), Finish::Complete),
            (json!("eos_token"), Finish::Complete),
            (json!(2), Finish::Complete),
            (json!(null), Finish::Complete),
            (json!(["length"]), Finish::Complete),
        ] {
            assert_eq!(finish(&reason), wanted, "{reason}");
        }
    }
}
