//! The texts of an event, by the names that evidence has for them.

use serde_json::Value;

use crate::domain::evidence::Span;
use crate::domain::json::pointer::join;

/// What stands before the name of an attribute.
const ATTRIBUTE: &str = "event/";

/// The text that a source of evidence names: a JSON Pointer into the event's data, or an attribute of the event.
pub fn text(event: &Value, source: &str) -> Option<String> {
    let value = match source.strip_prefix(ATTRIBUTE) {
        Some(attribute) => event.get(attribute)?,
        None => data(event).pointer(source)?,
    };
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Every text of the event's data, with its name.
pub fn texts(event: &Value) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let mut open = vec![(String::new(), data(event))];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Object(members) => {
                open.extend(members.iter().rev().map(|(name, value)| (join(&pointer, name), value)));
            }
            Value::Array(items) => {
                open.extend(items.iter().enumerate().rev().map(|(index, value)| (format!("{pointer}/{index}"), value)));
            }
            Value::String(_) | Value::Number(_) => texts.extend(text(event, &pointer).map(|text| (pointer, text))),
            Value::Null | Value::Bool(_) => {}
        }
    }
    texts
}

/// Where a quote stands in a text.
pub(super) fn places(text: &str, quote: &str) -> Vec<Span> {
    if quote.is_empty() {
        return Vec::new();
    }
    let length = position(quote.chars().count());
    let starts = text.match_indices(quote).map(|(at, _)| position(text.get(..at).unwrap_or_default().chars().count()));
    starts.map(|start| Span { start, end: start.saturating_add(length) }).collect()
}

fn position(chars: usize) -> u32 {
    u32::try_from(chars).unwrap_or(u32::MAX)
}

/// The payload of a CloudEvent; anything else is one itself.
fn data(event: &Value) -> &Value {
    let is_event = event.get("specversion").is_some();
    event.get("data").filter(|_| is_event).unwrap_or(event)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_found_by_its_name() {
        let event = json!({ "specversion": "1.0", "subject": "s", "data": { "a/b": "x", "n": [1.5, null, "y"] } });
        assert_eq!(text(&event, "/a~1b").as_deref(), Some("x"));
        assert_eq!(text(&event, "event/subject").as_deref(), Some("s"));
        assert_eq!(text(&event, "/nowhere"), None);
        let all = [("/a~1b", "x"), ("/n/0", "1.5"), ("/n/2", "y")];
        assert_eq!(texts(&event), all.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(text(&json!("plain"), "").as_deref(), Some("plain"));
        assert_eq!(text(&json!({ "body": "b" }), "/body").as_deref(), Some("b"));
    }

    #[test]
    fn places_are_counted_in_code_points() {
        let places = places("é 😀 12 € und 12 €", "12 €");
        assert_eq!(places, [Span { start: 4, end: 8 }, Span { start: 13, end: 17 }]);
    }
}
