use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema::Schema;

fn strict(dialect: Dialect, schema: &Value) -> Value {
    let compiled = compile(dialect, schema);
    assert!(compiled.is_strict, "{:?}", compiled.losses);
    compiled.schema
}

fn one(property: Value) -> Value {
    json!({ "type": "object", "properties": { "a": property }, "required": ["a"] })
}

fn places(dialect: Dialect, schema: &Value) -> Vec<(String, Effect)> {
    compile(dialect, schema).losses.iter().map(|loss| (loss.place(), loss.effect)).collect()
}

#[test]
fn what_is_not_known_goes_into_the_description() {
    let schema = one(json!({ "type": "integer", "minimum": 1, "maximum": 10, "description": "A number" }));
    // The example of Anthropic's own SDK.
    assert_eq!(
        strict(Dialect::Anthropic, &schema)["properties"]["a"],
        json!({ "type": "integer", "description": "A number\n\n{minimum: 1, maximum: 10}" })
    );
    assert_eq!(strict(Dialect::Gemini, &schema)["properties"]["a"], schema["properties"]["a"]);
    let lost = [
        ("/properties/a/minimum".to_owned(), Effect::Described),
        ("/properties/a/maximum".to_owned(), Effect::Described),
    ];
    assert_eq!(places(Dialect::Anthropic, &schema), lost);
}

#[test]
fn anthropics_objects_are_closed_and_keep_what_is_optional() {
    let schema = json!({
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "note": { "type": ["string", "null"] },
            "kind": { "type": "string", "enum": ["a", "b"] },
            "lines": { "type": "array", "minItems": 2, "items": { "$ref": "#/definitions/line" } },
        },
        "definitions": { "line": { "type": "object", "properties": { "n": { "const": 1 } } } },
    });
    assert_eq!(
        strict(Dialect::Anthropic, &schema),
        json!({
            "type": "object", "additionalProperties": false, "required": ["id"],
            "properties": {
                "id": { "type": "string", "format": "uuid" },
                "note": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
                "kind": { "enum": ["a", "b"] },
                "lines": { "type": "array", "items": { "$ref": "#/$defs/line" }, "description": "{minItems: 2}" },
            },
            "$defs": { "line": { "type": "object", "additionalProperties": false, "properties": { "n": { "const": 1 } } } },
        })
    );
}

#[test]
fn gemini_keeps_maps_and_lists_of_types_and_has_no_const() {
    let schema = json!({
        "type": "object",
        "properties": { "n": { "const": 1 }, "t": { "type": ["string", "null"], "format": "email" } },
        "additionalProperties": { "type": "string" },
    });
    assert_eq!(
        strict(Dialect::Gemini, &schema),
        json!({
            "type": "object",
            "properties": { "n": { "enum": [1] }, "t": { "type": ["string", "null"], "description": "{format: \"email\"}" } },
            "additionalProperties": { "type": "string" },
        })
    );
}

#[test]
fn what_no_description_can_carry_gives_the_schema_up_with_the_reason() {
    let schema = one(json!({ "type": "string", "not": { "const": "x" } }));
    for dialect in Dialect::ALL {
        let compiled = compile(dialect, &schema);
        assert!(!compiled.is_strict && compiled.schema == schema);
        assert_eq!(compiled.losses[0].place(), "/properties/a/not", "{dialect:?}");
        assert!(note(&schema, "p", dialect).unwrap().contains("/properties/a/not"));
    }
    let circle = json!({
        "type": "object", "properties": { "next": { "$ref": "#/$defs/node" } },
        "$defs": { "node": { "type": "object", "properties": { "next": { "$ref": "#/$defs/node" } } } },
    });
    assert!(!compile(Dialect::Anthropic, &circle).is_strict);
    assert!(compile(Dialect::Gemini, &circle).is_strict);
}

#[test]
fn two_definitions_of_one_name_are_not_mixed_up() {
    let schema = json!({
        "type": "object", "required": ["a", "b"], "additionalProperties": false,
        "properties": { "a": { "$ref": "#/$defs/x" }, "b": { "$ref": "#/definitions/x" } },
        "$defs": { "x": { "type": "string" } }, "definitions": { "x": { "type": "integer" } },
    });
    assert!(compile(Dialect::OpenAi, &schema).is_strict, "it keeps both keywords");
    for dialect in [Dialect::Anthropic, Dialect::Gemini] {
        assert_eq!(places(dialect, &schema), [("/definitions/x".to_owned(), Effect::Inexpressible)], "{dialect:?}");
    }
}

#[test]
fn what_is_required_must_be_declared() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a", "z"] });
    for dialect in [Dialect::Anthropic, Dialect::Gemini] {
        assert_eq!(places(dialect, &schema), [("/required".to_owned(), Effect::Inexpressible)], "{dialect:?}");
    }
}

#[test]
fn gemini_follows_a_circle_only_through_what_may_be_absent() {
    let schema = |required: Value| {
        let next = json!({ "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] });
        let node = json!({ "type": "object", "properties": { "next": next }, "required": required });
        let mut schema = one(json!({ "$ref": "#/$defs/node" }));
        schema["$defs"] = json!({ "node": node });
        schema
    };
    assert!(compile(Dialect::Gemini, &schema(json!([]))).is_strict);
    let place = "/$defs/node/properties/next/anyOf/0/$ref".to_owned();
    assert_eq!(places(Dialect::Gemini, &schema(json!(["next"]))), [(place, Effect::Inexpressible)]);
}

#[test]
fn gemini_says_null_and_booleans_by_their_types() {
    let said = |property: Value| strict(Dialect::Gemini, &one(property))["properties"]["a"].clone();
    let nothing = json!({ "type": "null" });
    let mixed = json!({ "anyOf": [{ "type": "string", "enum": ["x"] }, nothing] });
    assert_eq!(said(json!({ "type": ["string", "null"], "enum": ["x", null] })), mixed);
    assert_eq!(said(json!({ "type": "string", "enum": ["x", null] })), json!({ "type": "string", "enum": ["x"] }));
    assert_eq!(said(json!({ "const": null })), nothing);
    assert_eq!(said(json!({ "enum": [true, false] })), json!({ "type": "boolean" }));
    let one_of_them = json!({ "type": "boolean", "description": "{enum: [true]}" });
    assert_eq!(said(json!({ "type": "boolean", "enum": [true] })), one_of_them);
}

#[test]
fn the_built_in_schemas_are_enforced_by_everyone() {
    for name in crate::schema::library::names() {
        let schema = crate::schema::library::find(name).unwrap();
        for dialect in Dialect::ALL {
            let compiled = compile(dialect, schema.json());
            assert!(compiled.is_strict, "{name} {dialect:?}: {:?}", compiled.losses);
        }
    }
}

/// Schemas of the subset that we support.
fn property() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({ "type": "string" })),
        Just(json!({ "type": "string", "minLength": 2, "maxLength": 5 })),
        Just(json!({ "type": "string", "format": "date" })),
        Just(json!({ "type": "string", "format": "email" })),
        Just(json!({ "type": "string", "pattern": "^[a-z]+$" })),
        Just(json!({ "type": "integer", "minimum": 0, "exclusiveMaximum": 9 })),
        Just(json!({ "type": "number", "multipleOf": 0.5 })),
        Just(json!({ "type": ["boolean", "null"] })),
        Just(json!({ "enum": ["a", 1, null] })),
        Just(json!({ "type": "string", "enum": ["x", "y"] })),
        Just(json!({ "type": ["string", "null"], "enum": ["x", null] })),
        Just(json!({ "type": "boolean", "enum": [true] })),
        Just(json!({ "const": "c" })),
        Just(json!({ "const": null })),
        Just(json!({ "$ref": "#/definitions/shared" })),
        Just(json!({ "$ref": "#/$defs/tree" })),
        Just(json!({ "$ref": "#/$defs/shared" })),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            object(inner.clone()),
            (inner.clone(), 0_u64..3)
                .prop_map(|(items, least)| json!({ "type": "array", "items": items, "minItems": least })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|branches| json!({ "anyOf": branches })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|branches| json!({ "oneOf": branches })),
            inner.prop_map(|items| json!({ "type": "array", "items": items, "uniqueItems": true, "maxItems": 4 })),
        ]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec((inner, any::<bool>()), 1..4).prop_map(|properties| {
        let named = || {
            properties
                .iter()
                .enumerate()
                .map(|(index, (property, is_required))| (format!("p{index}"), property, is_required))
        };
        let required: Vec<String> = named().filter(|(_, _, required)| **required).map(|(name, ..)| name).collect();
        let properties: Map<String, Value> = named().map(|(name, property, _)| (name, property.clone())).collect();
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    })
}

fn schema() -> impl Strategy<Value = Value> {
    let often = || prop::bool::weighted(0.8);
    let choices = (often(), often(), any::<bool>(), often());
    let late = (object(property()), choices).prop_map(|(mut schema, (is_same, is_tree_flat, is_required, is_declared))| {
        let object = |properties: Value, required: Value| {
            json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
        };
        let next = if is_tree_flat {
            json!({ "next": { "type": "string" } })
        } else {
            json!({ "next": { "anyOf": [{ "$ref": "#/$defs/tree" }, { "type": "null" }] } })
        };
        schema["$defs"] = json!({
            "shared": object(json!({ "s": { "type": "string" } }), json!([])),
            "tree": object(next, if is_required { json!(["next"]) } else { json!([]) }),
        });
        schema["definitions"] =
            if is_same { schema["$defs"].clone() } else { json!({ "shared": { "type": "integer" } }) };
        if !is_declared {
            schema["required"] = json!(["z"]);
        }
        schema
    });
    let draft_4 = Just(json!({
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object", "required": ["p0"], "additionalProperties": false,
        "properties": { "p0": { "type": "integer", "minimum": 1, "exclusiveMinimum": true } },
    }));
    prop_oneof![15 => late, 1 => draft_4]
}

/// An instance of a compiled schema, as a provider that enforces it could answer.
fn sample(root: &Value, schema: &Value, random: &mut fastrand::Rng) -> Value {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return sample(root, root.pointer(&target[1..]).unwrap(), random);
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    for keyword in ["enum", "anyOf", "oneOf"] {
        if let Some(values) = schema.get(keyword).and_then(Value::as_array) {
            let one = &values[random.usize(..values.len())];
            return if keyword == "enum" { one.clone() } else { sample(root, one, random) };
        }
    }
    let kinds = &schema["type"];
    let kind = kinds.as_array().map_or(kinds, |kinds| &kinds[random.usize(..kinds.len())]);
    match kind.as_str().unwrap() {
        "object" => {
            let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            let mut members = Map::new();
            for (name, property) in schema["properties"].as_object().unwrap() {
                if required.iter().any(|one| one == name) || random.bool() {
                    members.insert(name.clone(), sample(root, property, random));
                }
            }
            members.into()
        }
        "array" => {
            let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
            let most = schema.get("maxItems").and_then(Value::as_u64).unwrap_or(least + 3);
            (0..random.u64(least..=most)).map(|_| sample(root, &schema["items"], random)).collect()
        }
        "string" if schema.get("format").is_some_and(|format| format == "date") => json!("2026-01-31"),
        "string" if schema.get("format").is_some_and(|format| format == "email") => json!("a@example.org"),
        "string" => {
            json!(["abc", "", "lmn", "Q7"][random.usize(..if schema.get("pattern").is_some() { 1 } else { 4 })])
        }
        "integer" => {
            let least = schema.get("minimum").and_then(Value::as_i64).unwrap_or(-3);
            json!(random.i64(least..9))
        }
        "number" if schema.get("multipleOf").is_some() => json!(f64::from(random.i32(-4..5)) * 0.5),
        "number" => json!(random.f64()),
        "boolean" => json!(random.bool()),
        _ => Value::Null,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// What a provider enforces without a loss is valid; what it loses is caught by our own validation. What is sent is a
    /// schema itself.
    #[test]
    fn an_instance_of_the_dialect_is_valid_or_caught(schema in schema(), seed in any::<u64>()) {
        let original = Schema::compile("s", "1.0.0", schema.clone()).unwrap();
        let mut random = fastrand::Rng::with_seed(seed);
        for dialect in Dialect::ALL {
            let compiled = compile(dialect, &schema);
            let sent = jsonschema::options().offline().should_validate_formats(true).build(&compiled.schema).unwrap();
            if !compiled.is_strict {
                prop_assert!(compiled.losses.iter().any(|loss| loss.effect == Effect::Inexpressible));
                continue;
            }
            let mut answer = sample(&compiled.schema, &compiled.schema, &mut random);
            prop_assert!(sent.is_valid(&answer), "the sampler is wrong: {} {answer}", compiled.schema);
            restore(dialect, &schema, &mut answer);
            let verdict = original.validate(&answer);
            if compiled.losses.is_empty() {
                prop_assert!(verdict.is_ok(), "{dialect:?} lost nothing, yet {answer} breaks {schema}: {verdict:?}");
            }
        }
    }

    /// A dialect excludes no valid answer, but what is open by accident.
    #[test]
    fn a_valid_instance_can_be_said_in_the_dialect(schema in schema(), seed in any::<u64>()) {
        let original = Schema::compile("s", "1.0.0", schema.clone()).unwrap();
        let answer = sample(&schema, &schema, &mut fastrand::Rng::with_seed(seed));
        for dialect in [Dialect::Anthropic, Dialect::Gemini] {
            let compiled = compile(dialect, &schema);
            let sent = jsonschema::options().offline().build(&compiled.schema).unwrap();
            if compiled.is_strict && original.validate(&answer).is_ok() {
                prop_assert!(sent.is_valid(&answer), "{dialect:?} excludes {answer} by {}", compiled.schema);
            }
        }
    }

    /// Whatever the schema, a keyword that is not in a dialect is not sent in it.
    #[test]
    fn only_known_keywords_are_sent(schema in schema()) {
        const ANTHROPIC: [&str; 14] = ["$defs", "$ref", "type", "anyOf", "allOf", "enum", "const", "description", "title",
            "properties", "additionalProperties", "required", "format", "minItems"];
        const GEMINI: [&str; 16] = ["$defs", "$ref", "type", "format", "title", "description", "enum", "prefixItems", "minItems",
            "maxItems", "minimum", "maximum", "anyOf", "properties", "additionalProperties", "required"];
        for (dialect, known) in [(Dialect::Anthropic, &ANTHROPIC[..]), (Dialect::Gemini, &GEMINI[..])] {
            let compiled = compile(dialect, &schema);
            let mut left = vec![&compiled.schema];
            while let Some(value) = left.pop().filter(|_| compiled.is_strict) {
                let members = value.as_object().unwrap();
                for keyword in members.keys() {
                    prop_assert!(known.contains(&keyword.as_str()) || keyword == "items", "{dialect:?} {keyword}");
                }
                left.extend(subschemas(members).into_iter().map(|(_, inner)| inner));
                let is_open = members.get("type").is_some_and(|kind| kind == "object")
                    && members.get("additionalProperties") != Some(&json!(false));
                prop_assert!(dialect != Dialect::Anthropic || !is_open);
                let is_odd = |value: &Value| value.is_null() || value.is_boolean();
                let has_odd = members.get("enum").and_then(Value::as_array).is_some_and(|all| all.iter().any(is_odd));
                prop_assert!(dialect != Dialect::Gemini || !has_odd, "{members:?}");
            }
        }
    }
}
