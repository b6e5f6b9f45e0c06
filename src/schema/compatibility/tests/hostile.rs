//! Pairs of schemas that are allowed and that only cost: the comparison ends, and calls nothing compatible that it has
//! not decided.

use super::*;

fn named(prefix: &str, count: usize, value: impl Fn(usize) -> Value) -> Value {
    Value::Object((0..count).map(|index| (format!("{prefix}{index}"), value(index))).collect())
}

fn list(count: usize, value: impl Fn(usize) -> Value) -> Value {
    (0..count).map(value).collect()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// Alternatives within alternatives.
fn alternatives() -> (Value, Value) {
    let either = |n: usize| json!({ "anyOf": [{ "minimum": n }, { "multipleOf": n + 2 }, { "type": "string" }] });
    let earlier = of(json!({ "allOf": list(30, either), "type": ["number", "string"] }));
    (earlier, of(json!({ "maximum": 5, "type": ["number", "string"] })))
}

/// Objects that are told apart by any of their properties, which are such objects.
fn properties_that_tell_apart() -> (Value, Value) {
    let names = list(1_200, |index| json!(format!("p{index}")));
    let earlier =
        json!({ "type": "object", "required": names, "properties": named("p", 1_200, |_| json!({ "$ref": "#" })) });
    let twin = json!({ "type": "object", "properties": named("p", 1_200, |_| reference("m")) });
    (earlier, json!({ "type": "object", "not": { "$ref": "#/$defs/m" }, "$defs": { "m": twin } }))
}

/// Long lists of values, of which none is in the other.
fn values_that_tell_apart() -> (Value, Value) {
    let earlier = of(json!({ "enum": list(1_500, |index| json!(format!("a{index}"))) }));
    let mut later = of(json!({ "allOf": list(1_000, |_| json!({ "not": reference("e") })) }));
    later["$defs"] = json!({ "e": { "enum": list(1_500, |index| json!(format!("b{index}"))) } });
    (earlier, later)
}

/// A property whose types are those of ten thousand alternatives, and many subschemas that say nothing of it.
fn types_of_many_alternatives() -> (Value, Value) {
    let mut earlier = json!({ "type": "object", "properties": { "p": reference("d0") } });
    earlier["$defs"] = json!({
        "d0": { "anyOf": list(100, |_| reference("d1")) },
        "d1": { "anyOf": list(100, |_| reference("d2")) },
        "d2": { "type": "string" },
    });
    (earlier, json!({ "type": "object", "allOf": list(1_500, |_| json!({ "properties": { "p": true } })) }))
}

/// Many schemas for the same object, and many properties.
fn schemas_of_many_properties() -> (Value, Value) {
    let earlier = json!({ "type": "object", "allOf": list(9_000, |_| json!({})) });
    (earlier, json!({ "type": "object", "properties": named("p", 3_000, |_| json!(true)) }))
}

/// Two rings of references, one longer than the other: each definition meets each.
fn rings() -> (Value, Value) {
    let ring = |length: usize| {
        let next = |index: usize| json!({ "properties": { "a": reference(&format!("d{}", (index + 1) % length)) } });
        json!({ "type": "object", "properties": { "a": reference("d0") }, "$defs": named("d", length, next) })
    };
    (ring(70), ring(71))
}

/// References to anchors, for each of which the whole document is walked.
fn anchors() -> (Value, Value) {
    let node = |_| json!({ "allOf": list(30, |_| json!({ "$ref": "#last" })) });
    let mut earlier = json!({ "type": "object", "properties": named("p", 40, node) });
    earlier["$defs"] = named("d", 700, |_| json!({ "title": "" }));
    earlier["$defs"]["last"] = json!({ "$anchor": "last", "type": "string" });
    (
        earlier,
        json!({ "type": "object", "allOf": list(20, |_| json!({ "properties": named("p", 40, |_| json!({})) })) }),
    )
}

#[test]
fn a_comparison_ends_and_what_it_has_not_decided_is_incompatible() {
    let pairs = [
        ("alternatives", alternatives()),
        ("properties that tell apart", properties_that_tell_apart()),
        ("values that tell apart", values_that_tell_apart()),
        ("types of many alternatives", types_of_many_alternatives()),
        ("schemas of many properties", schemas_of_many_properties()),
        ("rings", rings()),
        ("anchors", anchors()),
    ];
    for (name, (earlier, later)) in pairs {
        for (which, schema) in [("earlier", &earlier), ("later", &later)] {
            Schema::compile("x", "1.0.0", schema.clone()).unwrap_or_else(|error| panic!("{name}, {which}: {error}"));
        }
        let steps = Steps::new(MAX_STEPS);
        let found = incompatibilities(&earlier, &later, &steps);
        assert!((1..=MAX_PLACES).contains(&found.len()), "{name}: {found:?}");
    }
}

#[test]
fn the_largest_schema_is_decided() {
    let property = |_| json!({ "type": "string", "maxLength": 9 });
    let earlier = json!({ "type": "object", "additionalProperties": false, "properties": named("p", 1_000, property) });
    let mut later = earlier.clone();
    later["properties"]["p0"]["maxLength"] = json!(8);
    assert_eq!(places(&earlier, &later), ["/properties/p0/maxLength"]);
    assert_eq!(change(&later, &earlier).step, Step::Minor);
    let values = |count: usize| of(json!({ "enum": list(count, |index| json!(format!("v{index}"))) }));
    assert_eq!(change(&values(999), &values(1_000)).step, Step::Minor);
    assert_eq!(places(&values(1_000), &values(999)), ["/properties/a/enum"]);
}
