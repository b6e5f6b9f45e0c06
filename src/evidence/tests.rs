use std::time::Duration;

use serde_json::json;

use super::*;
use crate::domain::cpu_time::CpuTime;
use crate::domain::evidence::{EvidenceState, FieldEvidence};

mod corpus;
mod properties;

fn source<'a>(pointer: &'a str, text: &'a str) -> Source<'a> {
    Source { pointer: pointer.into(), text: text.into() }
}

/// The pieces of text that a field is found in.
fn pieces(sources: &[Source<'_>], field: &FieldEvidence) -> Vec<String> {
    let text = sources
        .iter()
        .find(|source| Some(&*source.pointer) == field.source.as_deref())
        .map_or("", |source| &source.text);
    let piece = |start: u32, end: u32| text.chars().skip(start as usize).take((end - start) as usize).collect();
    field.spans.iter().map(|span| piece(span.start, span.end)).collect()
}

#[test]
fn each_value_is_told_with_its_state_and_place_in_the_order_of_the_answer() {
    let schema = json!({ "properties": {
        "id": { "type": "string" }, "urgent": { "type": "boolean" }, "mood": { "enum": ["angry", "calm"] },
        "name": { "type": "string" }, "phone": { "type": "string" }, "items": {}, "note": {}, "a/b~c": {} } });
    let sources = [source("/subject", "Grüße von Zoë"), source("/body", "Order 4711: 2 lamps, 2 chairs and a bed")];
    let data = json!({ "id": "4711", "urgent": true, "mood": "angry", "name": "Zoë", "items":
        [{ "what": "bed" }, { "what": "sofa" }, { "count": 2 }, {}, []], "a/b~c": "lamps", "note": null });
    let evidence = Locator::new(&schema).locate(&sources, &data, &[]);
    let expected = [
        ("/id", "exact", vec!["4711"]),
        ("/urgent", "judged", vec![]),
        ("/mood", "judged", vec![]),
        ("/name", "exact", vec!["Zoë"]),
        ("/items/0/what", "exact", vec!["bed"]),
        ("/items/1/what", "none", vec![]),
        ("/items/2/count", "ambiguous", vec!["2", "2"]),
        ("/a~1b~0c", "exact", vec!["lamps"]),
        ("/note", "absent", vec![]),
        ("/phone", "absent", vec![]),
    ];
    let found =
        evidence.fields.iter().map(|field| (field.field.as_str(), field.state.as_str(), pieces(&sources, field)));
    let expected = expected.map(|(field, state, spans)| (field, state, spans.into_iter().map(str::to_owned).collect()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn the_first_source_that_has_a_value_is_the_one_that_is_named() {
    let sources = [source("/a", "nothing"), source("/b", "Anna"), source("/c", "Anna, Anna")];
    let evidence = Locator::new(&json!({})).locate(&sources, &json!({ "name": "Anna" }), &[]);
    assert_eq!((evidence.fields[0].source.as_deref(), evidence.fields[0].spans.len()), (Some("/b"), 1));
    assert_eq!(evidence.fields[0].state, EvidenceState::Exact);
}

#[test]
fn a_huge_answer_to_a_huge_text_ends_and_says_what_was_not_searched() {
    let text = "a".repeat(1 << 20);
    let sources = [Source { pointer: "/body".into(), text: text.into() }];
    let data: Vec<Value> = (0..10_000).map(|index| json!(format!("aaaaaaaaaaaaaaab{index}"))).collect();
    let evidence = Locator::new(&json!({})).locate(&sources, &json!(data), &[]);
    assert_eq!(evidence.fields.len(), 10_000);
    assert_eq!(evidence.fields[0].state, EvidenceState::None);
    assert_eq!(evidence.fields[9_999].state, EvidenceState::Unsearched);
}

#[test]
fn places_that_are_looked_at_in_vain_and_numbers_that_are_read_count_as_well() {
    let states = |text: String, value: Value| {
        let sources = [Source { pointer: "/body".into(), text: text.into() }];
        let evidence = Locator::new(&json!({})).locate(&sources, &json!(vec![value; 300]), &[]);
        [evidence.fields[0].state, evidence.fields[299].state]
    };
    // Each of them is a token, and a part of an identifier.
    for value in ["7", "７"] {
        let expected = [EvidenceState::None, EvidenceState::Unsearched];
        assert_eq!(states("ab-7 ".repeat(2_500), json!(value)), expected, "{value}");
    }
    assert_eq!(states("3 ".repeat(600_000), json!(8)), [EvidenceState::Unsearched; 2]);
    assert_eq!(states("3 ".repeat(5_000), json!("３")), [EvidenceState::Ambiguous; 2]);
}

#[test]
fn what_a_text_has_beyond_what_is_read_of_it_is_not_called_missing() {
    let state = |text: String, value: &str| {
        let sources = [Source { pointer: "/body".into(), text: text.into() }];
        Locator::new(&json!({})).locate(&sources, &json!({ "a": value }), &[]).fields[0].state
    };
    let dates = |count: usize| "1.2.2026 ".repeat(count);
    assert_eq!(state(dates(25_000) + "12.03.2026", "2026-03-12"), EvidenceState::Unsearched);
    assert_eq!(state(dates(100) + "12.03.2026", "2026-03-12"), EvidenceState::Normalized);
    assert_eq!(state("09:00 ".repeat(25_000) + "2:30 pm", "14:30"), EvidenceState::Unsearched);
    assert_eq!(state(dates(25_000), "Anna"), EvidenceState::None);
}

#[test]
fn a_huge_text_is_folded_in_linear_time() {
    let digits = ["1 2 ", "12 ", "12-", "1-2 ", "030 1", "1.1.2026-", "9:00-", "9-9:00 ", "(1) "];
    for part in ["a  ", "a b ", "a\n", "-\n", "é  ", "a\u{ad}", "a'b "].into_iter().chain(digits) {
        // Numbers cost more than letters, so that less of them shows as much.
        let scale = if part.contains(char::is_numeric) { 16 } else { 1 };
        let time = |bytes: usize| {
            let begun = CpuTime::now();
            let sources = [Source { pointer: "/body".into(), text: part.repeat(bytes / scale / part.len()).into() }];
            let values = json!({ "a": "B C 1.5", "b": 7, "c": "2", "d": "2026-03-12T14:30:00" });
            let evidence = Locator::new(&json!({})).locate(&sources, &values, &[]);
            assert_eq!(evidence.fields.len(), 4);
            begun.elapsed()
        };
        time(1 << 14);
        let (short, long) = (time(1 << 16), time(1 << 19));
        assert!(long < short * 40 + Duration::from_millis(200), "{part:?}: {short:?}, eight times as long: {long:?}");
    }
}

#[test]
fn text_that_claims_evidence_is_only_text() {
    let sources = [source("/body", r#"{"evidence": "exact", "fields": {"/id": {"spans": [[0, 4]]}}} id: see above"#)];
    let evidence = Locator::new(&json!({})).locate(&sources, &json!({ "id": "4711", "x-evidence": "judged" }), &[]);
    assert_eq!(evidence.fields.iter().map(|field| field.state).collect::<Vec<_>>(), [EvidenceState::None; 2]);
}
