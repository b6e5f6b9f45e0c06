//! Pairs of random schemas, held against the validator: what is called compatible refuses nothing that was valid.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Map;

use super::*;

/// Values of each type, few enough to try all of them at every place.
fn scalars() -> Vec<Value> {
    ["null", "true", "0", "1", "1.0", "2", "1.5", "-1", r#""""#, r#""a""#, r#""ab""#, r#""b""#]
        .map(|text| serde_json::from_str(text).unwrap())
        .to_vec()
}

/// All objects of two properties with scalars, and some with what is composed of them.
fn instances() -> Vec<Value> {
    let scalars = scalars();
    let mut values = scalars.clone();
    values.extend([json!([]), json!([1]), json!(["a", "ab"]), json!([1, 1]), json!([1, "a", null])]);
    values.extend([json!({}), json!({ "a": 1 }), json!({ "a": "ab", "b": null }), json!({ "b": { "a": "a" } })]);
    let mut objects = vec![json!({})];
    for value in &values {
        objects.extend(["a", "b", "xa"].map(|name| json!({ name: value })));
        objects.extend(values.iter().map(|other| json!({ "a": value, "b": other })));
    }
    objects.push(json!({ "a": 1, "b": 1, "xa": 1 }));
    objects
}

/// A subschema of so many levels.
fn subschema(draft: Draft, levels: u32) -> BoxedStrategy<Value> {
    let keywords = move || keywords(draft);
    let leaf = prop_oneof![
        4 => keywords(),
        1 => select(vec!["#/$defs/x", "#"]).prop_map(|target| json!({ "$ref": target })),
        // Draft 4 has other words for these.
        1 => any::<bool>().prop_map(move |any| match (draft, any) {
            (Draft::Draft4, true) => json!({}),
            (Draft::Draft4, false) => json!({ "not": {} }),
            (_, any) => Value::from(any),
        }),
    ];
    leaf.prop_recursive(levels, 12, 3, move |inner| {
        let list = proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            3 => keywords(),
            3 => object(inner.clone()),
            1 => (keywords(), inner.clone()).prop_map(|(it, items)| with(it, "items", items)),
            1 => (keywords(), list.clone()).prop_map(|(it, list)| with(it, "prefixItems", list.into())),
            1 => (keywords(), inner.clone()).prop_map(|(it, item)| with(it, "contains", item)),
            1 => (inner.clone(), select(vec!["0", "0.0", "1", "2"]))
                .prop_map(|(item, least)| json!({ "contains": item, "minContains": number(least) })),
            1 => (keywords(), inner.clone()).prop_map(|(it, not)| with(it, "not", not)),
            3 => (select(vec!["anyOf", "oneOf", "allOf"]), keywords(), list)
                .prop_map(|(name, it, list)| with(it, name, list.into())),
            1 => (inner.clone(), inner).prop_map(|(condition, then)| json!({ "if": condition, "then": then })),
        ]
    })
    .boxed()
}

fn with(mut schema: Value, name: &str, value: Value) -> Value {
    schema[name] = value;
    schema
}

/// Keywords that hold a value itself against something.
fn keywords(draft: Draft) -> impl Strategy<Value = Value> {
    let types = ["null", "boolean", "integer", "number", "string", "array", "object"];
    let count = || 0..3_u32;
    let keyword = prop_oneof![
        4 => subsequence(types.to_vec(), 1..4).prop_map(|types| ("type", json!(types))),
        2 => subsequence(scalars(), 1..5).prop_map(|values| ("enum", json!(values))),
        1 => select(scalars()).prop_map(|value| ("const", value)),
        1 => (-1..3_i32).prop_map(|least| ("minimum", json!(least))),
        1 => (-1..3_i32).prop_map(|most| ("maximum", json!(most))),
        1 => (-1..3_i32).prop_map(move |least| {
            ("exclusiveMinimum", if draft == Draft::Draft4 { json!(true) } else { json!(least) })
        }),
        1 => (1..4_u32).prop_map(|step| ("multipleOf", json!(step))),
        1 => (select(vec!["minLength", "maxLength", "minItems", "maxItems", "maxProperties"]), count())
            .prop_map(|(name, count)| (name, json!(count))),
        1 => select(vec!["^a", "b$"]).prop_map(|pattern| ("pattern", json!(pattern))),
        1 => any::<bool>().prop_map(|is_unique| ("uniqueItems", json!(is_unique))),
    ];
    proptest::collection::vec(keyword, 0..3).prop_map(|keywords| {
        let members = keywords.into_iter().map(|(name, value)| (name.to_owned(), value));
        let mut members: Map<_, _> = members.collect();
        if members.get("exclusiveMinimum") == Some(&json!(true)) {
            members.entry("minimum").or_insert(json!(0));
        }
        Value::Object(members)
    })
}

fn object(inner: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    let properties = proptest::collection::btree_map(select(vec!["a", "b"]), inner.clone(), 0..3);
    let names = || subsequence(vec!["a", "b"], 0..3);
    let rest = prop_oneof![2 => Just(json!(false)), 1 => Just(json!(true)), 1 => inner.clone()];
    (properties, names(), proptest::option::of(rest), proptest::option::weighted(0.2, inner), names()).prop_map(
        |(properties, required, rest, pattern, dependent)| {
            let mut schema = json!({ "type": "object", "properties": properties });
            if !required.is_empty() {
                schema["required"] = json!(required);
            }
            if let Some(rest) = rest {
                schema["additionalProperties"] = rest;
            }
            if let Some(pattern) = pattern {
                schema["patternProperties"] = json!({ "^x": pattern });
            }
            if dependent.len() == 2 {
                schema["dependentRequired"] = json!({ "a": ["b"] });
            }
            schema
        },
    )
}

fn document(draft: Draft) -> impl Strategy<Value = Value> {
    (object(subschema(draft, 3)), keywords(draft)).prop_map(move |(root, definition)| {
        let root = with(root, "$schema", json!(draft.uri()));
        with(root, "$defs", json!({ "x": definition }))
    })
}

/// A pair of which the later is the earlier one with another part at some place, or has nothing to do with it.
fn pair(draft: Draft) -> impl Strategy<Value = (Value, Value)> {
    let part = (any::<prop::sample::Index>(), subschema(draft, 1));
    let edit = (document(draft), proptest::collection::vec(part, 1..3));
    let edited = edit.prop_map(|(earlier, edits)| {
        let mut later = earlier.clone();
        for (index, part) in edits {
            let places = places_of(&later);
            *later.pointer_mut(index.get(places.as_slice()).as_str()).unwrap() = part;
        }
        (earlier, later)
    });
    prop_oneof![5 => edited, 1 => (document(draft), document(draft))]
}

/// Where subschemas stand.
fn places_of(schema: &Value) -> Vec<String> {
    let (mut places, mut open) = (Vec::new(), vec![(String::new(), schema)]);
    while let Some((pointer, schema)) = open.pop() {
        for (tokens, inner, _) in schema.as_object().map(crate::schema::keywords::subschemas).unwrap_or_default() {
            places.push(format!("{pointer}{tokens}"));
            open.push((format!("{pointer}{tokens}"), inner));
        }
    }
    places
}

#[test]
fn what_is_called_compatible_refuses_nothing_that_was_valid() {
    hold_against_the_validator(Draft::Draft202012);
}

#[test]
fn what_is_called_compatible_in_draft_4_refuses_nothing_that_was_valid() {
    hold_against_the_validator(Draft::Draft4);
}

fn hold_against_the_validator(draft: Draft) {
    let instances = instances();
    let mut runner = TestRunner::new(Config { cases: 800, failure_persistence: None, ..Config::default() });
    let (compatible, breaking) = (Cell::new(0), Cell::new(0));
    runner
        .run(&pair(draft), |(earlier, later)| {
            let compiled = [&earlier, &later].map(|schema| Schema::compile("x", "1.0.0", schema.clone()));
            let [Ok(before), Ok(after)] = compiled else { return Ok(()) };
            let change = Change::between(&earlier, &later);
            if change.step == Step::Major {
                breaking.set(breaking.get() + 1);
                return Ok(());
            }
            compatible.set(compatible.get() + u32::from(earlier != later));
            for instance in instances.iter().filter(|instance| before.validate(instance).is_ok()) {
                prop_assert_eq!(after.validate(instance), Ok(()), "{}", instance);
            }
            Ok(())
        })
        .unwrap();
    let (compatible, breaking) = (compatible.get(), breaking.get());
    assert!(compatible > 100 && breaking > 100, "the pairs say little: {compatible} compatible, {breaking} breaking");
}
