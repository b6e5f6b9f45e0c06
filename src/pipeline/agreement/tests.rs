use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::domain::cpu_time::CpuTime;
use crate::domain::event::Data;
use crate::pipeline::testing::{self, router_to};
use crate::ports::model::FakeModel;

fn event(id: &str) -> Event {
    Event { id: id.to_owned(), ..testing::event(Data::Text(String::new())) }
}

fn second(schema: Value) -> Result<SecondProvider, NotComparable> {
    let settings = AgreementSettings { sample: None, when_ungrounded: true };
    let schema = Schema::compile("s", "1.0.0", schema).unwrap();
    SecondProvider::new(router_to(Arc::new(FakeModel::default())), settings, &schema)
}

fn invoice() -> SecondProvider {
    second(json!({
        "type": "object",
        "properties": {
            "name": { "type": ["string", "null"] },
            "total": { "type": "number" },
            "due": { "type": ["string", "null"], "format": "date" },
            "note": { "type": "string", "x-eval": "ignore" },
            "lines": { "type": "array", "items": { "type": "object", "properties": { "sku": { "type": "string" } } } }
        }
    }))
    .unwrap()
}

#[test]
fn a_sample_has_its_share_of_all_events_and_the_same_ones_each_time() {
    let sampled = |millionths: u32| -> Vec<u32> {
        let sample = Sample::millionths(millionths);
        (0..10_000).filter(|n| sample.contains(&event(&format!("e-{n}")))).collect()
    };
    let (few, many) = (sampled(50_000), sampled(200_000));
    // Counted anew in another language: a later version must take the same ones.
    assert_eq!((&few[..3], few.len()), (&[1, 4, 26][..], 505));
    assert!((1_880..2_120).contains(&many.len()), "{}", many.len());
    assert!(few.iter().all(|event| many.contains(event)), "a larger sample has a smaller one in it");
    assert_eq!((sampled(Sample::ALL).len(), sampled(u32::MAX).len(), sampled(0).len()), (10_000, 10_000, 0));
}

#[test]
fn an_event_is_sampled_by_its_source_and_id_whatever_it_says() {
    let sample = Sample::millionths(50_000);
    let other_text = Event { data: Data::Text("other".to_owned()), ..event("e-1") };
    let other_source = Event { source: "/other".to_owned(), ..event("e-1") };
    assert!(sample.contains(&event("e-1")) && sample.contains(&other_text) && !sample.contains(&other_source));
}

#[test]
fn values_are_compared_as_the_schema_says_and_the_share_is_that_of_its_fields() {
    let answer = json!({ "name": "ACME Inc.", "total": 12.5, "due": null, "note": "a", "lines": [{ "sku": "A" }] });
    let lines = json!([{ "sku": "B" }, { "sku": "a" }]);
    let other = json!({ "name": "acme inc", "total": 12, "due": "2026-03-12", "note": "b", "lines": lines });
    let second = invoice();
    let Compared { agreement, fields } = second.compare(&answer, &other).unwrap();
    let expected = [("/name", true), ("/total", false), ("/due", false), ("/lines", false)];
    assert_eq!(fields, expected.map(|(pointer, is_same)| (pointer.to_owned(), is_same)));
    assert!((agreement.share() - 0.25).abs() < 1e-9);
    for (pointer, is_same) in [
        ("/name", Some(true)),
        ("/total", Some(false)),
        ("/due", Some(false)),
        ("/note", None),
        ("/lines/0/sku", Some(true)),
    ] {
        assert_eq!(agreement.of(pointer), is_same, "{pointer}");
    }
    let same = second.compare(&answer, &answer).unwrap().agreement;
    assert!((same.share() - 1.0).abs() < 1e-9 && same.values().iter().all(|(_, is_same)| *is_same));
}

#[test]
fn an_object_that_the_schema_does_not_describe_is_compared_as_a_whole() {
    let open = second(json!({ "type": "object", "properties": { "free": { "type": "object" } } })).unwrap();
    let (answer, other) =
        (json!({ "free": { "a": 1, "b": { "c": 2 } } }), json!({ "free": { "a": 1, "b": { "c": 3 } } }));
    assert_eq!(open.compare(&answer, &answer).unwrap().agreement.of("/free/b/c"), Some(true));
    assert_eq!(open.compare(&answer, &other).unwrap().agreement.of("/free/a"), Some(false));
}

#[test]
fn long_lists_are_not_compared() {
    let list = |items: usize| json!({ "lines": vec![json!({ "sku": "A" }); items] });
    assert!(invoice().compare(&list(MAX_ITEMS), &list(1)).is_some());
    assert!(invoice().compare(&list(MAX_ITEMS + 1), &list(1)).is_none());
    assert!(invoice().compare(&list(1), &list(MAX_ITEMS + 1)).is_none());
}

/// Lists of so many items with so many fields, all of them different.
fn table(rows: usize, columns: usize) -> Value {
    let row = |row: usize| -> serde_json::Map<String, Value> {
        (0..columns)
            .map(|column| (format!("c{column}"), format!("Row {row}, column {column}").repeat(5).into()))
            .collect()
    };
    json!({ "lines": (0..rows).map(|number| row(number).into()).collect::<Vec<Value>>() })
}

#[test]
fn long_lists_of_long_texts_are_compared_soon_and_those_with_too_many_fields_are_not() {
    let of_columns = |columns: usize| {
        let properties: serde_json::Map<String, Value> =
            (0..columns).map(|column| (format!("c{column}"), json!({ "type": "string" }))).collect();
        let items = json!({ "type": "object", "properties": properties });
        second(json!({ "type": "object", "properties": { "lines": { "type": "array", "items": items } } })).unwrap()
    };
    let (rows, other) = (table(MAX_ITEMS, 25), table(MAX_ITEMS - 1, 25));
    let begun = CpuTime::now();
    let compared = of_columns(25).compare(&rows, &other).unwrap();
    // Without optimisation this takes two seconds, and a minute where each pair is put into its normal form anew.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(compared.agreement.of("/lines/198/c24"), Some(true));
    assert_eq!(compared.agreement.of("/lines/199/c0"), Some(false));
    assert!(of_columns(26).compare(&table(MAX_ITEMS, 26), &table(MAX_ITEMS, 26)).is_none());
    let nested = second(json!({ "type": "object", "properties": { "a": { "type": "array", "items": {
        "type": "object", "properties": { "lines": { "type": "array", "items": { "type": "object", "properties": {
            "c0": {}, "c1": {}, "c2": {} } } } } } } } }))
    .unwrap();
    let groups = |groups: usize| json!({ "a": vec![table(10, 3); groups] });
    assert!(nested.compare(&groups(18), &groups(18)).is_some(), "180 x 180 x 3 pairs");
}

#[test]
fn a_schema_by_which_nothing_can_be_compared_is_refused() {
    let named =
        |metric: &str| json!({ "type": "object", "properties": { "a": { "type": "string", "x-eval": metric } } });
    let back = |properties: usize, itself: Value| -> Value {
        let properties: serde_json::Map<String, Value> =
            (0..properties).map(|n| (n.to_string(), itself.clone())).collect();
        json!({ "type": "object", "properties": properties })
    };
    let itself = json!({ "$ref": "#" });
    let nested = json!({ "allOf": [{ "allOf": [{ "allOf": [itself] }] }] });
    for (schema, expected) in [
        (named("exactt"), "/a: x-eval: "),
        (named("ignore"), "x-eval: ignore at all of its fields"),
        (back(20, itself.clone()), "more than 500 fields"),
        (back(7, json!({ "anyOf": [itself.clone(), { "type": "null" }] })), "more than 500 fields"),
        (back(21, nested), "more than 500 fields"),
    ] {
        let error = second(schema).err().unwrap().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
