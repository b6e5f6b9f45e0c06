use serde_json::json;

use super::*;

mod composed;
mod limits;
mod openai;

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
    for dialect in Dialect::ALL {
        let sent = strict(dialect, &schema);
        let behind = |name: &str| sent.pointer(&sent["properties"][name]["$ref"].as_str().unwrap()[1..]).unwrap();
        assert_eq!((&behind("a")["type"], &behind("b")["type"]), (&json!("string"), &json!("integer")), "{dialect:?}");
    }
}

#[test]
fn what_is_required_must_be_declared() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a", "z"] });
    for dialect in Dialect::ALL {
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

#[test]
fn properties_beside_a_choice_are_merged_into_its_branches() {
    let schema = json!({
        "type": "object", "required": ["id"], "description": "A contact",
        "properties": { "id": { "type": "string" }, "mail": { "type": "string" }, "phone": { "type": "string" } },
        "anyOf": [{ "required": ["mail"] }, { "required": ["phone"] }],
    });
    let schema = one(schema);
    for dialect in Dialect::ALL {
        let sent = strict(dialect, &schema);
        let contact = &sent["properties"]["a"];
        assert_eq!(contact["description"], "A contact");
        let branches = contact["anyOf"].as_array().unwrap();
        assert_eq!(branches.len(), 2, "{dialect:?}: {sent}");
        for (branch, name) in branches.iter().zip(["mail", "phone"]) {
            assert_eq!(branch["properties"].as_object().unwrap().len(), 3, "{dialect:?}");
            assert!(branch["required"].as_array().unwrap().contains(&json!(name)), "{dialect:?}");
        }
        assert_eq!(places(dialect, &schema), [], "nothing is lost");
        let mut answer = match dialect {
            Dialect::OpenAi => json!({ "a": { "id": "1", "mail": "m", "phone": null } }),
            Dialect::Anthropic | Dialect::Gemini => json!({ "a": { "id": "1", "mail": "m" } }),
        };
        assert!(jsonschema::is_valid(&sent, &answer), "{dialect:?}: {sent}");
        compile(dialect, &schema).restore(&mut answer);
        assert_eq!(answer, json!({ "a": { "id": "1", "mail": "m" } }));
    }
}

#[test]
fn a_branch_that_the_rest_excludes_is_left_out_and_all_of_becomes_one() {
    let schema = one(json!({
        "type": "object", "additionalProperties": false, "properties": { "x": { "type": "string" } }, "required": ["x"],
        "anyOf": [{ "required": ["y"], "properties": { "y": { "type": "string" } } }, { "properties": { "x": { "maxLength": 9 } } }],
    }));
    for dialect in Dialect::ALL {
        let sent = &strict(dialect, &schema)["properties"]["a"];
        assert_eq!((&sent["type"], &sent["required"]), (&json!("object"), &json!(["x"])), "{dialect:?} {sent}");
        let lost = places(dialect, &schema);
        assert_eq!(lost.len(), 1);
        assert_eq!(lost[0].0, "/properties/a/anyOf/1/properties/x/maxLength", "the place where it was written");
    }
    let parts = json!({
        "type": "object", "properties": { "a": { "allOf": [{ "$ref": "#/$defs/x" }, { "$ref": "#/$defs/y" }], "description": "d" } },
        "required": ["a"],
        "$defs": {
            "x": { "type": "object", "properties": { "x": { "type": "string" } }, "required": ["x"] },
            "y": { "type": "object", "properties": { "y": { "type": "integer" } }, "required": ["y"] },
        },
    });
    for dialect in Dialect::ALL {
        let sent = strict(dialect, &parts);
        let a = &sent["properties"]["a"];
        assert_eq!((&a["required"], &a["description"]), (&json!(["x", "y"]), &json!("d")), "{dialect:?} {sent}");
    }
}

#[test]
fn annotations_and_unknown_keywords_cost_nothing() {
    let schema = json!({
        "type": "object", "required": ["pet", "tag", "note"], "x-source": "crm", "additionalProperties": false,
        "properties": {
            "pet": { "oneOf": [{ "$ref": "#/$defs/cat" }, { "$ref": "#/$defs/dog" }], "discriminator": { "propertyName": "kind" } },
            "tag": { "$ref": "#/$defs/tag", "readOnly": true, "x-order": 3, "example": "new", "deprecated": true },
            "note": { "type": "string", "x-ui": "textarea", "writeOnly": true, "nullable": false, "xml": {}, "$comment": "c" },
        },
        "$defs": {
            "cat": { "type": "object", "properties": { "kind": { "const": "cat" } }, "required": ["kind"], "additionalProperties": false },
            "dog": { "type": "object", "properties": { "kind": { "const": "dog" } }, "required": ["kind"], "additionalProperties": false },
            "tag": { "type": "string", "enum": ["new", "old"] },
        },
    });
    for dialect in Dialect::ALL {
        strict(dialect, &schema);
        assert_eq!(places(dialect, &schema), [("/properties/pet/oneOf".to_owned(), Effect::AnyOf)], "{dialect:?}");
    }
}

#[test]
fn references_are_found_however_they_are_written() {
    for (reference, definitions) in [
        ("#/definitions/Bar%3Cstring%3E", json!({ "Bar<string>": { "type": "string", "minLength": 2 } })),
        ("#/definitions/a~1b%7E0c", json!({ "a/b~c": { "type": "string", "minLength": 2 } })),
        ("#bar", json!({ "x": { "$anchor": "bar", "type": "string", "minLength": 2 } })),
        (
            "#/definitions/x/properties/y",
            json!({ "x": { "type": "object", "properties": { "y": { "type": "string", "minLength": 2 } } } }),
        ),
    ] {
        let mut schema = one(json!({ "$ref": reference }));
        schema["definitions"] = definitions;
        let original = crate::schema::Schema::compile("s", "1.0.0", schema.clone()).unwrap();
        assert!(original.validate(&json!({ "a": "x" })).is_err(), "{reference}");
        assert_eq!(original.relax(json!({ "a": 12 })), Some(json!({ "a": "12" })), "{reference}");
        for dialect in Dialect::ALL {
            let sent = strict(dialect, &schema);
            let link = sent["properties"]["a"]["$ref"].as_str().unwrap();
            assert_eq!(sent.pointer(&link[1..]).unwrap()["type"], "string", "{reference} {dialect:?}");
            assert!(places(dialect, &schema)[0].0.ends_with("/minLength"), "{reference} {dialect:?}");
        }
    }
}

#[test]
fn a_description_beside_a_reference_is_kept() {
    let mut schema = one(json!({ "$ref": "#/$defs/line", "description": "The first" }));
    schema["$defs"] = json!({ "line": { "type": "string", "description": "A line" } });
    for dialect in Dialect::ALL {
        let sent = strict(dialect, &schema);
        let wanted = json!({ "description": "The first", "anyOf": [{ "$ref": "#/$defs/line" }] });
        assert_eq!(sent["properties"]["a"], wanted, "{dialect:?}");
    }
}

#[test]
fn what_stands_beside_a_reference_counts_from_draft_2019_09_on() {
    let mut schema = one(json!({ "$ref": "#/definitions/x", "maximum": 3 }));
    schema["definitions"] = json!({ "x": { "type": "integer", "minimum": 1 } });
    let both = json!({ "type": "integer", "minimum": 1, "maximum": 3 });
    assert_eq!(strict(Dialect::OpenAi, &schema)["properties"]["a"], both);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    assert_eq!(strict(Dialect::OpenAi, &schema)["properties"]["a"], json!({ "$ref": "#/$defs/x" }));
}

#[test]
fn what_is_open_on_purpose_is_said_to_be_closed() {
    let schema =
        one(json!({ "type": "object", "properties": { "x": { "type": "string" } }, "additionalProperties": true }));
    for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
        let place = "/properties/a/additionalProperties".to_owned();
        assert_eq!(places(dialect, &schema), [(place, Effect::Closed)], "{dialect:?}");
    }
    assert_eq!(places(Dialect::Gemini, &schema), []);
}
