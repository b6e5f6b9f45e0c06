//! Texts with a value each, and what is to be found of it, written by hand.

use serde_json::{Value, json};

use super::{pieces, source};
use crate::evidence::Locator;

const CASES: &str = include_str!("../../../tests/corpus/evidence.jsonl");

/// Where a piece of text stands: the text itself, or with the number of its occurrence.
fn place(text: &str, piece: &Value) -> (usize, String) {
    let (piece, occurrence) = match piece.as_array() {
        Some(pair) => (pair[0].as_str().unwrap(), usize::try_from(pair[1].as_u64().unwrap()).unwrap()),
        None => (piece.as_str().unwrap(), 1),
    };
    let mut places = text.char_indices().filter(|(at, _)| text[*at..].starts_with(piece));
    let (at, _) = places.nth(occurrence - 1).unwrap_or_else(|| panic!("`{piece}` is not in `{text}`"));
    (text[..at].chars().count(), piece.to_owned())
}

#[test]
fn every_text_of_the_corpus_gives_the_evidence_that_was_written_down_for_it() {
    let cases: Vec<Value> = CASES.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() >= 300, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let text = case["text"].as_str().unwrap();
        let property = case.get("schema").cloned().unwrap_or_else(|| json!({}));
        let schema = json!({ "properties": { "value": property } });
        let evidence = Locator::new(&schema).locate(&[source("/body", text)], &json!({ "value": case["value"] }), &[]);
        let field = &evidence.fields[0];
        let starts = field.spans.iter().map(|span| span.start as usize);
        let found = pieces(&[source("/body", text)], field);
        let found: Vec<(usize, String)> = starts.zip(found).collect();
        let at = case.get("at").and_then(Value::as_array).cloned().unwrap_or_default();
        let expected: Vec<(usize, String)> = at.iter().map(|piece| place(text, piece)).collect();
        if (field.state.as_str(), &found) != (case["state"].as_str().unwrap(), &expected) {
            wrong.push(format!("{case}\n    found: {} {found:?}", field.state.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
