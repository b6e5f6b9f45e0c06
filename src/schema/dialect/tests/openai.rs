use proptest::prelude::*;

use serde_json::{Map, Value, json};

use crate::schema::dialect::{Dialect, Effect, Loss, compile};

fn strict(schema: &Value) -> Option<Value> {
    let compiled = compile(Dialect::OpenAi, schema);
    compiled.is_strict.then_some(compiled.schema)
}

fn losses(schema: &Value) -> Vec<Loss> {
    compile(Dialect::OpenAi, schema).losses
}

fn prune(schema: &Value, answer: &mut Value) -> bool {
    compile(Dialect::OpenAi, schema).restore(answer)
}

fn object(properties: Value, required: Value) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

fn one(property: Value) -> Value {
    object(json!({ "a": property }), json!([]))
}

#[test]
fn optional_becomes_nullable_and_objects_are_closed() {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "required": ["id"], "minProperties": 1,
        "properties": {
            "id": { "type": "string", "minLength": 1, "pattern": "^[A-Z]+$", "description": "The id" },
            "kind": { "enum": ["a", "b"] },
            "when": { "type": "string", "format": "date" },
            "web": { "type": "string", "format": "uri", "pattern": "^(?=x)" },
            "lines": { "type": "array", "minItems": 1, "uniqueItems": true, "items": { "$ref": "#/$defs/line" } },
            "first": { "$ref": "#/$defs/line", "description": "The first" },
            "note": { "type": ["string", "null"] }
        },
        "$defs": { "line": { "type": "object", "properties": { "n": { "const": 1 } }, "required": ["n"] } }
    });
    let strict = strict(&schema).unwrap();
    assert_eq!(
        strict,
        json!({
            "type": "object", "additionalProperties": false,
            "required": ["id", "kind", "when", "web", "lines", "first", "note"],
            "properties": {
                "id": { "type": "string", "pattern": "^[A-Z]+$", "description": "The id" },
                "kind": { "type": ["string", "null"], "enum": ["a", "b", null] },
                "when": { "type": ["string", "null"], "format": "date" },
                "web": { "type": ["string", "null"] },
                "lines": { "type": ["array", "null"], "minItems": 1, "items": { "$ref": "#/$defs/line" } },
                "first": { "anyOf": [{ "$ref": "#/$defs/line" }, { "type": "null" }], "description": "The first" },
                "note": { "type": ["string", "null"] }
            },
            "$defs": { "line": {
                "type": "object", "additionalProperties": false, "required": ["n"],
                "properties": { "n": { "type": "number", "enum": [1] } }
            } }
        })
    );
}

#[test]
fn what_cannot_be_expressed_is_left_to_the_loose_mode() {
    for schema in [
        json!(true),
        json!({}),
        json!({ "type": "string" }),
        json!({ "type": ["object", "null"], "properties": {} }),
        json!({ "anyOf": [one(json!({ "type": "string" }))] }),
        json!({ "type": "object", "anyOf": [one(json!({ "type": "string" })), one(json!({ "type": "null" }))] }),
        json!({ "type": "object" }),
        json!({ "type": "object", "properties": {}, "additionalProperties": { "type": "string" } }),
        object(json!({}), json!(["missing"])),
        one(json!({})),
        one(json!(true)),
        one(json!({ "type": "array" })),
        one(json!({ "type": "array", "items": [{ "type": "string" }] })),
        one(json!({ "type": "object", "patternProperties": { "x": {} }, "properties": {} })),
        one(json!({ "allOf": [{ "minLength": 3 }] })),
        one(json!({ "$ref": "https://example.com/schema" })),
        one(json!({ "$ref": "#/$defs/missing" })),
    ] {
        assert_eq!(strict(&schema), None, "{schema}");
    }
}

#[test]
fn nulls_that_stand_for_absent_go_and_others_stay_in_order() {
    let schema = json!({
        "type": "object", "required": ["r"],
        "properties": {
            "a": { "type": "string" }, "r": { "type": ["string", "null"] }, "n": { "type": ["string", "null"] },
            "e": { "enum": ["x", null] }, "list": { "type": "array", "items": one(json!({ "type": "string" })) },
            "z": { "type": "string" }
        }
    });
    let mut answer =
        json!({ "a": null, "r": null, "n": null, "e": null, "list": [{ "a": null }, { "a": "x" }], "z": "z" });
    assert!(prune(&schema, &mut answer));
    assert_eq!(answer.to_string(), r#"{"r":null,"n":null,"e":null,"list":[{},{"a":"x"}],"z":"z"}"#);
    assert!(!prune(&schema, &mut answer), "nothing is left to remove");
}

#[test]
fn of_alternatives_the_one_that_fits_is_pruned() {
    let cat = object(json!({ "kind": { "const": "cat" }, "lives": { "type": "integer" } }), json!(["kind"]));
    let dog = object(json!({ "kind": { "const": "dog" }, "lives": { "type": ["integer", "null"] } }), json!(["kind"]));
    let schema = object(json!({ "pet": { "anyOf": [cat, dog] } }), json!(["pet"]));
    for (kind, left) in [("cat", json!({ "kind": "cat" })), ("dog", json!({ "kind": "dog", "lives": null }))] {
        let mut answer = json!({ "pet": { "kind": kind, "lives": null } });
        assert_eq!(prune(&schema, &mut answer), kind == "cat");
        assert_eq!(answer["pet"], left);
    }
}

#[test]
fn circles_of_references_end() {
    let schema = json!({
        "type": "object", "properties": { "a": { "$ref": "#/$defs/x" }, "self": { "$ref": "#" } },
        "$defs": { "x": { "$ref": "#/$defs/y" }, "y": { "anyOf": [{ "$ref": "#/$defs/x" }, { "$ref": "#/$defs/y" }] } }
    });
    assert!(strict(&schema).is_some());
    let mut answer = json!({ "a": { "b": 1 }, "self": { "a": null, "self": null } });
    assert!(prune(&schema, &mut answer));
    assert_eq!(answer, json!({ "a": { "b": 1 }, "self": {} }));
}

/// Schemas that lose nothing in the strict dialect, so that its instances must come back valid.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({ "type": "string" })),
        Just(json!({ "type": ["string", "null"] })),
        Just(json!({ "type": "integer", "minimum": 3 })),
        Just(json!({ "enum": ["x", "y"] })),
        Just(json!({ "enum": ["x", null] })),
        Just(json!({ "const": true })),
        Just(json!({ "$ref": "#/$defs/d" })),
        Just(json!({ "$ref": "#", "description": "again" })),
    ];
    let inner = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            3 => objects(inner.clone()),
            1 => inner.clone().prop_map(|items| json!({ "type": "array", "items": items, "maxItems": 3 })),
            1 => prop::collection::vec(inner, 1..4).prop_map(|branches| json!({ "anyOf": branches })),
        ]
    });
    (objects(inner.clone()), objects(inner)).prop_map(|(mut root, definition)| {
        root["$defs"] = json!({ "d": definition });
        root
    })
}

fn objects(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-d]", (inner, any::<bool>()), 1..4).prop_map(|members| {
        let required: Vec<&String> =
            members.iter().filter(|(_, (_, required))| *required).map(|(name, _)| name).collect();
        let properties: Map<String, Value> = members.iter().map(|(name, (s, _))| (name.clone(), s.clone())).collect();
        json!({ "type": "object", "required": required, "properties": properties })
    })
}

/// An instance of a strict schema, steered by `random`; `None` if references do not come to an end.
fn instance(root: &Value, schema: &Value, random: &mut fastrand::Rng, fuel: u32) -> Option<Value> {
    let fuel = fuel.checked_sub(1)?;
    if let Some(reference) = schema.get("$ref") {
        return instance(root, root.pointer(&reference.as_str()?[1..])?, random, fuel);
    }
    if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
        let first = random.usize(..branches.len());
        let mut order = branches.iter().cycle().skip(first).take(branches.len());
        return order.find_map(|branch| instance(root, branch, random, fuel));
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values[random.usize(..values.len())].clone());
    }
    let types = &schema["type"];
    if types == "null" || has_type(types, "null") && (fuel < 8 || random.bool()) {
        return Some(Value::Null);
    }
    if has_type(types, "object") {
        let properties = schema["properties"].as_object()?.iter();
        let members: Option<Map<String, Value>> =
            properties.map(|(name, s)| Some((name.clone(), instance(root, s, random, fuel)?))).collect();
        return members.map(Value::Object);
    }
    if has_type(types, "array") {
        let elements: Option<Vec<Value>> =
            (0..random.usize(..3)).map(|_| instance(root, &schema["items"], random, fuel)).collect();
        return elements.map(Value::Array);
    }
    Some(if has_type(types, "integer") { json!(random.u8(3..)) } else { json!("text") })
}

#[test]
fn limits_of_draft_4_are_sent_as_later_ones_are() {
    let mut schema = one(json!({ "type": "integer", "minimum": 1, "exclusiveMinimum": true }));
    schema["$schema"] = json!("http://json-schema.org/draft-04/schema#");
    let sent = json!({ "type": ["integer", "null"], "exclusiveMinimum": 1 });
    assert_eq!(strict(&schema).unwrap()["properties"]["a"], sent);
    assert_eq!(losses(&schema), []);
}

#[test]
fn objects_nest_through_references_too() {
    let chain = |links: usize| {
        let link = |next: Value| json!({ "type": "object", "properties": { "n": next }, "required": ["n"] });
        let mut schema = link(json!({ "$ref": "#/$defs/d0" }));
        let last = link(json!({ "type": "string" }));
        let definitions = (0..links).map(|n| (format!("d{n}"), link(json!({ "$ref": format!("#/$defs/d{}", n + 1) }))));
        schema["$defs"] = definitions.chain([(format!("d{links}"), last)]).collect::<Map<_, _>>().into();
        schema
    };
    assert!(strict(&chain(8)).is_some(), "ten levels");
    assert!(strict(&chain(9)).is_none(), "eleven");
    let node = json!({ "type": "object", "properties": { "next": { "$ref": "#/$defs/node" } } });
    let mut recursive = one(json!({ "$ref": "#/$defs/node" }));
    recursive["$defs"] = json!({ "node": node });
    assert!(strict(&recursive).is_some(), "recursion is no nesting");
    let mut through_the_root = chain(8);
    through_the_root["properties"]["again"] = json!({ "$ref": "#" });
    assert!(strict(&through_the_root).is_some(), "and the root is no exception");
}

#[test]
fn what_is_missing_is_named_at_its_place() {
    let reasons = |schema: &Value| {
        let losses =
            losses(schema).into_iter().filter(|loss| strict(schema).is_none() && loss.effect != Effect::Dropped);
        losses.map(|loss| (loss.place(), loss.effect)).collect::<Vec<_>>()
    };
    for (property, keyword) in [
        (json!({ "type": "array" }), "items"),
        (json!({ "type": "object" }), "properties"),
        (json!({ "description": "anything" }), "type"),
        (json!({ "type": "object", "properties": { "y": { "type": "null" } }, "required": ["z"] }), "required"),
    ] {
        assert_eq!(reasons(&one(property)), [(format!("/properties/a/{keyword}"), Effect::Inexpressible)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, max_global_rejects: 1 << 16, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_to_the_strict_form_is_valid_against_the_original_when_pruned(schema in schemas(), seed in any::<u64>()) {
        let strict = strict(&schema).expect("the grammar stays within the dialect");
        let mut answer = match instance(&strict, &strict, &mut fastrand::Rng::with_seed(seed), 14) {
            Some(answer) => answer,
            None => return Err(TestCaseError::reject("endless")),
        };
        prop_assert!(jsonschema::is_valid(&strict, &answer), "{answer} is no instance of {strict}");
        let before = answer.clone();
        let changed = prune(&schema, &mut answer);
        prop_assert_eq!(changed, before != answer);
        prop_assert!(jsonschema::is_valid(&schema, &answer), "{} became {}", before, answer);
    }

    #[test]
    fn nothing_panics_on_any_json(schema in any_json(), mut answer in any_json()) {
        let _strict = strict(&schema);
        prune(&schema, &mut answer);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("type"),
        Just("properties"),
        Just("required"),
        Just("items"),
        Just("anyOf"),
        Just("$ref"),
        Just("$defs"),
        Just("enum"),
        Just("const"),
        Just("pattern"),
        Just("a"),
    ];
    let leaf = prop_oneof![
        Just(json!("object")),
        Just(json!("array")),
        Just(json!("#")),
        Just(json!("#/$defs/a")),
        Just(json!("a")),
        Just(json!(null)),
        Just(json!(1)),
        Just(json!(true)),
        Just(json!("\\")),
    ];
    leaf.prop_recursive(6, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((words.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

fn has_type(types: &Value, name: &str) -> bool {
    types == name || types.as_array().is_some_and(|types| types.iter().any(|one| one == name))
}
