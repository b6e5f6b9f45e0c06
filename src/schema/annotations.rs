//! The keywords that only this program reads. They change no answer: a model is not shown them, and answers that are
//! remembered stay when one of them is added.

use serde_json::Value;

use super::keywords::subschemas;

/// How a value is looked for in the record's text: `locate`, `quote` where the model is to quote the text for it, or
/// `judged` where it does not stand there.
pub const EVIDENCE: &str = "x-evidence";
/// What is done about a value that does not stand in the record's text: `flag`, `null`, `review` or `dead-letter`.
pub const ON_UNGROUNDED: &str = "x-on-ungrounded";
/// How a value is compared with a label.
pub const EVAL: &str = "x-eval";

const ALL: [&str; 3] = [EVIDENCE, ON_UNGROUNDED, EVAL];

/// Whether the schema asks by itself for a person to see results first.
pub fn asks_for_review(schema: &Value) -> bool {
    let mut open = vec![schema];
    while let Some(schema) = open.pop() {
        let Some(members) = schema.as_object() else { continue };
        if members.get(ON_UNGROUNDED).is_some_and(|policy| policy == "review") {
            return true;
        }
        open.extend(subschemas(members).into_iter().map(|(_, inner, _)| inner));
    }
    false
}

/// The schema without them; `None` if it has none.
pub(super) fn removed(schema: &Value) -> Option<Value> {
    let (mut open, mut annotated) = (vec![(String::new(), schema)], Vec::new());
    while let Some((pointer, schema)) = open.pop() {
        let Some(members) = schema.as_object() else { continue };
        open.extend(subschemas(members).into_iter().map(|(tokens, inner, _)| (format!("{pointer}{tokens}"), inner)));
        if ALL.iter().any(|keyword| members.contains_key(*keyword)) {
            annotated.push(pointer);
        }
    }
    if annotated.is_empty() {
        return None;
    }
    let mut plain = schema.clone();
    for pointer in annotated {
        if let Some(members) = plain.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            ALL.iter().for_each(|keyword| drop(members.shift_remove(*keyword)));
        }
    }
    Some(plain)
}
