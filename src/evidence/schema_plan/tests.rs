use serde_json::json;

use super::*;

/// Whether a value of the property `a` is looked for.
fn is_located(property: Value, value: Value) -> bool {
    let plan = Plan::new(&json!({ "type": "object", "properties": { "a": property },
        "$defs": { "mood": { "enum": ["good", "bad"] }, "loop": { "$ref": "#/$defs/loop" } } }));
    !plan.property(plan.root(), "a").unwrap().judges(&value)
}

#[test]
fn values_of_enums_and_long_texts_are_judged() {
    for schema in [
        json!({ "enum": ["good", "bad"] }),
        json!({ "const": "good" }),
        json!({ "$ref": "#/$defs/mood" }),
        json!({ "anyOf": [{ "$ref": "#/$defs/mood" }, { "type": "null" }] }),
        json!({ "allOf": [{ "type": "string" }, { "enum": ["good"] }] }),
        json!({ "oneOf": [{ "const": "good" }, { "const": "bad" }] }),
        json!({ "type": "string", "maxLength": 500 }),
        json!({ "type": ["string", "null"], "maxLength": 201 }),
        json!({ "type": "string", "x-evidence": "judged" }),
        json!({ "enum": ["good", "bad"], "x-evidence": "quote" }),
        json!({ "$ref": "#/$defs/mood", "x-evidence": "quote" }),
        json!({ "type": "string", "maxLength": 1000, "x-evidence": "quote" }),
    ] {
        assert!(!is_located(schema.clone(), json!("good")), "{schema}");
    }
}

#[test]
fn short_and_formatted_texts_and_values_outside_an_enum_are_looked_for() {
    for schema in [
        json!({ "type": "string" }),
        json!({ "type": "string", "maxLength": 200 }),
        json!({ "type": "string", "maxLength": 500, "format": "email" }),
        json!({ "type": "string", "maxLength": 500, "pattern": "^[A-Z]" }),
        json!({ "type": "string", "maxLength": 500, "x-evidence": "locate" }),
        json!({ "enum": ["good", "bad"], "x-evidence": "locate" }),
        json!({ "type": "string", "x-evidence": "quote" }),
        json!({ "anyOf": [{ "enum": ["none"] }, { "type": "string" }] }),
        json!({ "$ref": "#/$defs/loop" }),
        json!(true),
    ] {
        assert!(is_located(schema.clone(), json!("good")), "{schema}");
    }
}

#[test]
fn references_unions_and_patterns_lead_to_what_describes_a_place() {
    let plan = Plan::new(&json!({
        "$ref": "#/$defs/order",
        "$defs": {
            "order": {
                "properties": {
                    "due": { "anyOf": [{ "type": "null" }, { "$ref": "#/$defs/term" }] },
                    "lines": { "type": "array", "items": { "$ref": "#/$defs/order" } },
                    "pair": { "type": "array", "prefixItems": [{ "type": "number" }, { "const": "second" }] },
                },
                "patternProperties": { "_at$": { "const": "pattern" } },
                "additionalProperties": { "const": "additional" },
            },
            "term": { "enum": ["term"] },
        },
    }));
    let is_for = |node: Option<&Node>, choice: &str| node.unwrap().judges(&json!(choice));
    let root = plan.root();
    assert!(is_for(plan.property(root, "due"), "term"));
    assert!(is_for(plan.property(root, "sent_at"), "pattern"));
    assert!(is_for(plan.property(root, "else"), "additional"));
    assert!(is_for(plan.item(plan.property(root, "pair"), 1), "second"));
    let line = plan.item(plan.property(root, "lines"), 7);
    assert!(is_for(plan.property(plan.item(plan.property(line, "lines"), 0), "due"), "term"));
}

#[test]
fn properties_of_one_alternative_are_not_expected_of_every_object() {
    let plan = Plan::new(&json!({
        "properties": { "id": {} },
        "allOf": [{ "properties": { "name": {}, "id": {} } }],
        "oneOf": [{ "properties": { "iban": {} } }, { "properties": { "card": {} } }],
    }));
    assert_eq!(plan.root().unwrap().listed(), ["id", "name"]);
    assert!(plan.property(plan.root(), "card").is_some());
}

#[test]
fn a_schema_of_any_size_is_planned_in_bounded_time() {
    let branches: Vec<Value> = (0..200).map(|_| json!({ "$ref": "#" })).collect();
    assert_eq!(Plan::new(&json!({ "allOf": branches, "items": { "$ref": "#" } })).nodes.len(), 2);

    let many: serde_json::Map<String, Value> = (0..20_000).map(|index| (format!("p{index}"), json!({}))).collect();
    let plan = Plan::new(&json!({ "properties": many }));
    assert_eq!(plan.nodes.len(), MAX_NODES);
    assert!(plan.property(plan.root(), "p19999").is_none());
}

#[test]
fn fields_with_quotes_are_found_wherever_the_schema_has_them() {
    let quote = json!({ "type": "string", "x-evidence": "quote" });
    let schema = json!({
        "properties": {
            "total": { "type": "number", "x-evidence": "quote" },
            "id": { "type": "string" },
            "items": { "type": "array", "items": { "$ref": "#/$defs/item" } },
            "first": { "allOf": [{ "$ref": "#/$defs/item" }] },
            "a/b": { "additionalProperties": quote },
        },
        "$defs": { "item": { "properties": { "name": quote, "parts": { "items": { "$ref": "#/$defs/item" } } } } },
    });
    let found = Plan::new(&schema).quoted_fields();
    for field in ["/total", "/items/*/name", "/first/name", "/first/parts/*/name", "/a~1b/*"] {
        assert!(found.iter().any(|known| known == field), "{field} in {found:?}");
    }
    assert!(found.len() <= MAX_QUOTED && !found.contains(&"/id".to_owned()));
    assert_eq!(found, Plan::new(&schema).quoted_fields());
    assert_eq!(Plan::new(&json!({ "properties": { "a": { "x-evidence": "locate" } } })).quoted_fields(), [""; 0]);
}

#[test]
fn a_list_or_object_that_is_to_be_quoted_is_so_in_its_values() {
    let schema = json!({
        "properties": {
            "tags": { "type": "array", "items": { "type": "string" }, "x-evidence": "quote" },
            "free": { "type": "array", "x-evidence": "quote" },
            "buyer": {
                "properties": {
                    "name": { "type": "string" },
                    "mood": { "x-evidence": "judged" },
                    "address": { "properties": { "city": { "x-evidence": "quote" }, "zip": {} } },
                    "note": { "properties": { "text": {} }, "x-evidence": "locate" },
                },
                "x-evidence": "quote",
            },
        },
    });
    let mut found = Plan::new(&schema).quoted_fields();
    found.sort_unstable();
    assert_eq!(found, ["/buyer/address/city", "/buyer/address/zip", "/buyer/name", "/free/*", "/tags/*"]);
}

#[test]
fn what_is_done_about_values_without_ground_is_found_wherever_the_schema_says_it() {
    let plan = Plan::new(&json!({
        "properties": {
            "total": { "type": ["number", "null"], "x-on-ungrounded": "null" },
            "id": { "type": "string" },
            "lines": { "items": { "$ref": "#/$defs/line" } },
            "a/b": { "additionalProperties": { "x-on-ungrounded": "flag" } },
        },
        "$defs": { "line": { "properties": { "net": { "x-on-ungrounded": "dead-letter" } } } },
    }));
    for (pointer, word) in [
        ("/total", Some("null")),
        ("/id", None),
        ("/lines/17/net", Some("dead-letter")),
        ("/lines/17", None),
        ("/a~1b/any", Some("flag")),
        ("/other", None),
        ("", None),
    ] {
        assert_eq!(plan.on_ungrounded(pointer), word, "{pointer}");
    }
}
