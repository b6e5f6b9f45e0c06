use serde_json::json;

use super::*;

fn remarks(schema: &Value) -> Vec<(String, bool)> {
    crate::schema::Schema::compile("s", "1.0.0", schema.clone()).expect("a schema that compiles");
    review(schema).into_iter().map(|remark| (remark.pointer, remark.is_mistake)).collect()
}

fn object(property: Value) -> Value {
    json!({ "type": "object", "properties": { "a": property } })
}

/// The only remark on a property.
fn one(property: Value) -> Remark {
    let schema = object(property);
    let mut remarks = review(&schema);
    assert_eq!(remarks.len(), 1, "{schema}: {remarks:?}");
    remarks.remove(0)
}

#[test]
fn what_we_ship_and_what_is_usual_has_no_remarks() {
    for name in crate::schema::library::names() {
        assert_eq!(review(crate::schema::library::find(name).unwrap().json()), [], "{name}");
    }
    let usual = json!({
        "$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://a.example/s", "title": "t", "type": "object",
        "required": ["pet", "by_name"], "additionalProperties": false, "x-owner": "crm", "definitions": { "never": false },
        "properties": {
            "pet": { "oneOf": [{ "type": "string" }, { "type": "null" }], "discriminator": { "propertyName": "x" } },
            "by_name": { "type": "object", "patternProperties": { "^x": { "type": "string" } }, "required": ["xa"], "additionalProperties": false },
            "maybe": { "type": "string", "default": "a", "examples": ["b"], "minLength": 1, "readOnly": true, "example": "c" },
            "part": { "allOf": [{ "properties": { "one": {} } }, { "required": ["one", "ones"] }] },
            "off": false,
        },
    });
    assert_eq!(remarks(&usual), []);
}

#[test]
fn how_a_value_is_looked_for_is_said_with_a_word_that_there_is() {
    for word in ["locate", "quote", "judged"] {
        assert_eq!(remarks(&object(json!({ "type": "string", "x-evidence": word }))), []);
    }
    let wrong = one(json!({ "type": "string", "x-evidence": "judge" }));
    assert_eq!((wrong.pointer.as_str(), wrong.is_mistake), ("/properties/a/x-evidence", true));
    let wrong = one(json!({ "type": "string", "x-on-ungrounded": null }));
    assert_eq!(wrong.help, "write flag or null or review or dead-letter");
}

#[test]
fn how_a_value_is_compared_is_said_with_a_metric_that_there_is() {
    let items = json!({ "type": "number", "x-eval": { "number": { "tolerance": 1 } } });
    assert_eq!(remarks(&object(json!({ "type": "array", "items": items, "x-eval": "list-f1" }))), []);
    let wrong = one(json!({ "type": "string", "x-eval": "normalized" }));
    assert_eq!((wrong.pointer.as_str(), wrong.is_mistake), ("/properties/a/x-eval", true));
    assert_eq!(
        (wrong.message.as_str(), wrong.help.as_str()),
        ("x-eval: there is no such metric", "did you mean normalised?")
    );
    let wrong = one(json!({ "type": "array", "items": { "type": "string", "x-eval": "list-f1" } }));
    assert_eq!((wrong.pointer.as_str(), wrong.is_mistake), ("/properties/a/items/x-eval", true));
}

#[test]
fn a_required_property_that_cannot_be_there_is_a_mistake_with_the_nearest_name() {
    let closed = json!({
        "type": "object", "properties": { "sentiment": { "type": "string" } }, "required": ["sentimnt"], "additionalProperties": false,
    });
    let found = review(&closed);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].pointer.as_str(), found[0].is_mistake), ("/required/0", true));
    assert!(found[0].help.contains("`sentiment`"), "{found:?}");
    for (place, schema) in [
        (
            "/$defs/x/required/0",
            json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/x" } }, "$defs": { "x": closed } }),
        ),
        ("/properties/a/items/required/0", object(json!({ "type": "array", "items": closed }))),
        ("/properties/a/anyOf/1/required/0", object(json!({ "anyOf": [{ "type": "null" }, closed] }))),
    ] {
        assert_eq!(remarks(&schema), [(place.to_owned(), true)], "{schema}");
    }
    let open =
        json!({ "type": "object", "properties": { "sentiment": { "type": "string" } }, "required": ["sentimnt"] });
    assert_eq!(remarks(&open), [("/required/0".to_owned(), true)]);
    let free = json!({ "type": "object", "properties": { "sentiment": { "type": "string" } }, "required": ["something_else"] });
    assert_eq!(remarks(&free), []);
}

#[test]
fn unknown_keywords_are_named_with_the_nearest_one() {
    for (written, meant) in [
        ("maxLenght", "maxLength"),
        ("max_length", "maxLength"),
        ("MinLength", "minLength"),
        ("patern", "pattern"),
        ("regex", "pattern"),
        ("additionalproperties", "additionalProperties"),
        ("anyof", "anyOf"),
        ("desciption", "description"),
        ("maximumLength", "maxLength"),
    ] {
        let found = one(json!({ "type": "string", written: 1 }));
        assert_eq!((found.pointer, found.is_mistake), (format!("/properties/a/{written}"), true));
        assert_eq!(found.help, format!("did you mean `{meant}`?"));
    }
    let outside = one(json!({ "type": "object", "street": { "type": "string" } }));
    assert!(outside.is_mistake && outside.help.contains("below properties"));
    assert!(!one(json!({ "type": "string", "colour": "red" })).is_mistake);
    let nullable = one(json!({ "type": "string", "nullable": true }));
    assert!(nullable.is_mistake && nullable.help.contains("[string, \"null\"]"), "{nullable:?}");
    assert_eq!(remarks(&object(json!({ "type": ["string", "null"], "nullable": true }))), []);
}

#[test]
fn a_keyword_that_the_draft_does_not_know_does_nothing() {
    let mut schema = object(json!({ "const": 1 }));
    schema["$schema"] = json!("http://json-schema.org/draft-04/schema#");
    let found = review(&schema);
    assert!(found[0].is_mistake && found[0].message.contains("draft 6"), "{found:?}");
    let mut beside = object(json!({ "$ref": "#/definitions/x", "maxLength": 3 }));
    beside["definitions"] = json!({ "x": { "type": "string" } });
    assert_eq!(remarks(&beside), []);
    beside["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    assert_eq!(remarks(&beside), [("/properties/a/maxLength".to_owned(), false)]);
}

#[test]
fn contradictions_side_by_side_are_mistakes() {
    for (property, place) in [
        (json!({ "type": "integer", "minimum": 5, "maximum": 1 }), "/properties/a/minimum"),
        (json!({ "minimum": 5, "maximum": 1 }), "/properties/a/minimum"),
        (json!({ "type": "number", "exclusiveMinimum": 1, "maximum": 1 }), "/properties/a/exclusiveMinimum"),
        (json!({ "type": "string", "minLength": 5, "maxLength": 1 }), "/properties/a/minLength"),
        (json!({ "type": "array", "minItems": 2, "maxItems": 1 }), "/properties/a/minItems"),
        (json!({ "type": "object", "minProperties": 2, "maxProperties": 1 }), "/properties/a/minProperties"),
        (json!({ "type": "string", "enum": ["x", 1] }), "/properties/a/enum/1"),
        (json!({ "type": "string", "maxLength": 2, "enum": ["abc", "ab"] }), "/properties/a/enum/0"),
        (json!({ "type": "integer", "const": 1.5 }), "/properties/a/const"),
        (json!({ "type": "string", "pattern": "^[a-z]+$", "const": "A" }), "/properties/a/const"),
        (json!({ "type": "string", "format": "date", "enum": ["today"] }), "/properties/a/enum/0"),
        (json!({ "enum": [] }), "/properties/a/enum"),
        (json!({ "const": "x", "enum": ["y"] }), "/properties/a/const"),
        (json!({ "type": "integer", "minimum": 0.2, "maximum": 0.8 }), "/properties/a/minimum"),
    ] {
        let found = remarks(&object(property.clone()));
        assert!(found.len() == 1 && found[0].1, "{property}: {found:?}");
        let keyword = |pointer: &str| pointer.split('/').take(4).collect::<Vec<_>>().join("/");
        let is_near = found[0].0 == place || ["enum", "const"].iter().any(|one| keyword(&found[0].0).ends_with(one));
        assert!(is_near, "{property}: {found:?}");
    }
}

#[test]
fn what_is_empty_by_composition_is_noted_and_refused_only_for_the_whole() {
    let impossible = json!({ "allOf": [{ "type": "string" }, { "type": "integer" }] });
    let found = remarks(&object(impossible.clone()));
    assert!(found.len() == 1 && !found[0].1, "{found:?}");
    let branch = object(json!({ "anyOf": [{ "type": "string" }, impossible.clone()] }));
    assert!(remarks(&branch).iter().all(|(_, is_mistake)| !is_mistake));
    let mut whole = object(impossible);
    whole["required"] = json!(["a"]);
    assert!(remarks(&whole).iter().any(|(_, is_mistake)| *is_mistake));
    let names =
        json!({ "type": "object", "propertyNames": { "pattern": "^x" }, "required": ["a"], "properties": { "a": {} } });
    assert!(remarks(&names).iter().any(|(_, is_mistake)| *is_mistake));
    let forbidden = json!({ "type": "object", "properties": { "a": false }, "required": ["a"] });
    assert!(remarks(&forbidden).iter().any(|(_, is_mistake)| *is_mistake));
}

#[test]
fn examples_that_break_the_schema_are_noted() {
    for (property, place) in [
        (json!({ "type": "integer", "default": "none" }), "/properties/a/default"),
        (json!({ "type": "string", "maxLength": 2, "examples": ["ok", "not ok"] }), "/properties/a/examples/1"),
        (json!({ "type": "string", "format": "date", "example": "tomorrow" }), "/properties/a/example"),
    ] {
        let found = one(property);
        assert_eq!((found.pointer.as_str(), found.is_mistake), (place, false));
    }
}
