use serde_json::{Value, json};

use super::*;
use crate::schema::Schema;

mod hostile;
mod random;

fn change(earlier: &Value, later: &Value) -> Change {
    for (name, schema) in [("earlier", earlier), ("later", later)] {
        Schema::compile(name, "1.0.0", schema.clone()).unwrap_or_else(|error| panic!("{name}: {error}: {schema}"));
    }
    Change::between(earlier, later)
}

/// The places of a breaking change, in the order of the schema.
fn places(earlier: &Value, later: &Value) -> Vec<String> {
    let change = change(earlier, later);
    assert_eq!(change.step == Step::Major, !change.incompatibilities.is_empty());
    change.incompatibilities.into_iter().map(|place| place.pointer).collect()
}

/// An object with one property `a`, and nothing else.
fn of(a: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": { "a": a } })
}

/// A number with its spelling.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_step_is_the_least_that_fits() {
    let earlier = json!({
        "type": "object", "additionalProperties": false, "required": ["total"],
        "properties": { "total": { "type": "number", "minimum": 0 }, "currency": { "enum": ["EUR", "USD"] } },
    });
    let step = |edit: &dyn Fn(&mut Value)| {
        let mut later = earlier.clone();
        edit(&mut later);
        change(&earlier, &later).step
    };
    assert_eq!(step(&|_| {}), Step::Patch);
    assert_eq!(step(&|it| it["properties"]["total"]["description"] = json!("with taxes")), Step::Patch);
    assert_eq!(step(&|it| it["properties"]["note"] = json!({ "type": "string" })), Step::Minor);
    assert_eq!(step(&|it| it["properties"]["currency"]["enum"] = json!(["EUR", "USD", "CHF"])), Step::Minor);
    assert_eq!(step(&|it| it["required"] = json!([])), Step::Minor);
    assert_eq!(step(&|it| it["required"] = json!(["total", "currency"])), Step::Major);
    assert_eq!(step(&|it| it["properties"]["total"]["type"] = json!("integer")), Step::Major);
}

#[test]
fn each_place_is_named_at_which_something_is_refused() {
    let earlier = json!({
        "type": "object", "properties": {
            "a": { "type": ["string", "null"], "maxLength": 9 }, "b": { "enum": ["x", "y"] }, "c~/d": { "minimum": 1 },
            "list": { "type": "array", "items": { "type": "object", "properties": { "n": { "type": "number" } } } },
        },
    });
    let later = json!({
        "type": "object", "required": ["a"], "properties": {
            "a": { "type": "string", "maxLength": 8 }, "b": { "enum": ["x"] }, "c~/d": { "minimum": 2 },
            "list": { "type": "array", "items": { "$ref": "#/$defs/item" }, "minItems": 1 },
            "new": { "type": "string" },
        },
        "$defs": { "item": { "type": "object", "properties": { "n": { "type": "integer" } } } },
    });
    let expected = [
        "/required/0",
        "/properties/a/type",
        "/properties/a/maxLength",
        "/properties/b/enum",
        "/properties/c~0~1d/minimum",
        "/$defs/item/properties/n/type",
        "/properties/list/minItems",
        "/properties/new",
    ];
    assert_eq!(places(&earlier, &later), expected);
}

#[test]
fn what_follows_in_another_way_is_compatible() {
    let compatible = [
        (json!({ "type": "string" }), json!({ "type": ["string", "null"] })),
        (json!({ "type": "integer" }), json!({ "type": "number", "minLength": 3 })),
        (json!({ "enum": ["a", "bc"] }), json!({ "type": "string", "maxLength": 2, "pattern": "^[a-c]+$" })),
        (json!({ "const": 4 }), json!({ "multipleOf": 2, "minimum": 4 })),
        (json!({ "type": "boolean" }), json!({ "enum": [true, false, null] })),
        (json!({ "type": ["string", "null"] }), json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] })),
        (json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] }), json!({ "type": ["string", "null"] })),
        (json!({ "anyOf": [{ "minLength": 3, "type": "string" }, { "const": "ab" }] }), json!({ "minLength": 2 })),
        (json!({ "type": "string" }), json!({ "oneOf": [{ "type": "string" }, { "type": "null" }] })),
        (json!({ "exclusiveMinimum": 0, "maximum": 5 }), json!({ "minimum": 0, "exclusiveMaximum": 6 })),
        (json!({ "allOf": [{ "minimum": 2 }, { "maximum": 3 }] }), json!({ "minimum": 1, "maximum": 4 })),
        (json!({ "multipleOf": 6 }), json!({ "multipleOf": 3 })),
        (json!({ "type": "string" }), json!({ "not": { "type": "null" }, "minLength": 0 })),
        (json!({ "type": "array", "maxItems": 1 }), json!({ "uniqueItems": true })),
        (json!({ "contains": { "const": 1 }, "minContains": 2 }), json!({ "contains": { "type": "integer" } })),
        (json!({ "prefixItems": [{ "type": "integer" }], "items": false }), json!({ "items": { "type": "number" } })),
        (json!({ "pattern": "^a", "format": "date" }), json!({ "title": "now with one", "format": "date" })),
        (of(json!({ "type": "string" })), json!({ "type": "object", "maxProperties": 1 })),
        (of(json!({ "type": "string" })), json!({ "additionalProperties": { "type": "string" } })),
        (of(json!(false)), of(json!({ "type": "string" }))),
        (
            json!({ "type": "object", "patternProperties": { "^x": { "const": 1 } }, "additionalProperties": false }),
            json!({ "patternProperties": { "^x": { "type": "integer" } }, "additionalProperties": false }),
        ),
        (
            json!({ "type": "object", "required": ["kind"], "properties": { "kind": { "const": "a" } } }),
            json!({ "oneOf": [
                { "properties": { "kind": { "const": "a" } } },
                { "properties": { "kind": { "const": "b" } }, "required": ["kind"] },
            ] }),
        ),
        (
            json!({ "if": { "required": ["a"] }, "then": { "required": ["b"] } }),
            json!({ "if": { "required": ["a"] }, "then": { "required": ["b"] } , "title": "the same" }),
        ),
        (json!({ "type": "object", "required": ["a", "b"] }), json!({ "dependentRequired": { "a": ["b"] } })),
    ];
    for (earlier, later) in compatible {
        assert_eq!(places(&of(earlier.clone()), &of(later.clone())), [""; 0], "{earlier} {later}");
    }
}

#[test]
fn what_cannot_be_decided_is_incompatible() {
    let undecided = [
        (json!({ "type": "string" }), json!({ "pattern": "" }), "/pattern"),
        (json!({ "pattern": "^aa" }), json!({ "pattern": "^a" }), "/pattern"),
        (json!({ "minLength": 1 }), json!({ "not": { "const": "" } }), "/not"),
        (json!({ "type": "object" }), json!({ "unevaluatedProperties": false }), "/unevaluatedProperties"),
        (json!({ "type": "string" }), json!({ "oneOf": [{ "minLength": 1 }, { "maxLength": 0 }] }), "/oneOf"),
        (json!({ "type": "object" }), json!({ "if": {}, "then": { "required": ["a"] } }), "/if"),
    ];
    for (earlier, later, place) in undecided {
        assert_eq!(places(&of(earlier), &of(later)), [format!("/properties/a{place}")]);
    }
}

#[test]
fn the_least_number_of_items_is_read_in_every_spelling_or_counts_as_none() {
    let contains = |least: &str| of(json!({ "contains": { "const": 1 }, "minContains": number(least) }));
    let one = of(json!({ "contains": { "const": 1 } }));
    assert_eq!(places(&contains("0.0"), &one), ["/properties/a/contains"]);
    assert_eq!(places(&contains("0"), &one), ["/properties/a/contains"]);
    assert_eq!(places(&contains("1"), &one), [""; 0]);
    assert_eq!(places(&one, &contains("0")), [""; 0]);
}

#[test]
fn properties_within_what_was_not_declared_are_looked_at_once() {
    let definition = |level: usize| json!({ "properties": { "a": { "$ref": format!("#/$defs/d{}", level + 1) } } });
    let mut definitions: Map<String, Value> = (0..30).map(|level| (format!("d{level}"), definition(level))).collect();
    definitions.insert("d30".to_owned(), json!({ "title": "anything" }));
    let earlier = json!({ "type": "object" });
    let mut later = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/d0" } } });
    later["$defs"] = definitions.into();
    assert_eq!(places(&earlier, &later), [""; 0]);
    later["$defs"]["d30"] = json!({ "type": "string" });
    assert_eq!(places(&earlier, &later), ["/properties/a"]);
}

#[test]
fn an_object_that_was_open_had_every_property() {
    let open = |properties: Value| json!({ "type": "object", "properties": properties });
    let found = change(&open(json!({})), &open(json!({ "b": { "type": "string" } })));
    assert_eq!(found.incompatibilities[0].pointer, "/properties/b");
    assert!(found.incompatibilities[0].message.contains("was not declared"), "{found:?}");
    let closed = json!({ "type": "object", "properties": { "b": true }, "additionalProperties": false });
    assert_eq!(places(&open(json!({ "a": true })), &closed), ["/additionalProperties"; 2]);
}

#[test]
fn schemas_that_refer_to_themselves_are_compared() {
    let tree = |label: Value, definition: &str| {
        let children = json!({ "type": "array", "items": { "$ref": format!("#/$defs/{definition}") } });
        let node = json!({ "type": "object", "properties": { "label": label, "children": children } });
        json!({ "type": "object", "properties": { "root": { "$ref": format!("#/$defs/{definition}") } }, "$defs": { definition: node } })
    };
    let (earlier, wider) = (tree(json!({ "minLength": 2 }), "node"), tree(json!({ "minLength": 1 }), "other"));
    assert_eq!(change(&earlier, &wider).step, Step::Minor);
    assert_eq!(places(&wider, &earlier), ["/$defs/node/properties/label/minLength"]);
}

#[test]
fn keywords_mean_what_they_mean_in_their_draft() {
    let in_draft = |draft: Draft, a: Value| {
        let mut schema = of(a);
        schema["$schema"] = json!(draft.uri());
        schema
    };
    let strict = json!({ "type": "integer", "minimum": 1, "exclusiveMinimum": true });
    let [strict, least] = [strict, json!({ "minimum": 1 })].map(|a| in_draft(Draft::Draft4, a));
    assert_eq!(change(&strict, &least).step, Step::Minor);
    assert_eq!(places(&least, &strict), ["/properties/a/type", "/properties/a/minimum"]);
    // Draft 4 does not know `const`: the earlier schema says nothing with it.
    let [before, after] = [json!({ "const": 1 }), json!({ "type": "integer" })].map(|a| in_draft(Draft::Draft4, a));
    assert_eq!(places(&before, &after), ["/properties/a/type"]);
    assert_eq!(places(&strict, &of(json!(true))), ["/$schema"]);
    // 1.0 equals 1 in every draft, and is no integer in draft 4.
    let [one, whole] = [json!({ "enum": [1] }), json!({ "type": "integer" })];
    let [before, after] = [&one, &whole].map(|a| in_draft(Draft::Draft4, a.clone()));
    assert_eq!(places(&before, &after), ["/properties/a/type"]);
    assert_eq!(places(&of(one), &of(whole)), [""; 0]);
}
