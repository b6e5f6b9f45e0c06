use serde_json::json;

use super::*;

mod numbers;

fn compile(json: Value) -> Schema {
    Schema::compile("ticket", "1.2.0", json).unwrap()
}

#[test]
fn every_draft_is_understood() {
    let drafts = [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ];
    for draft in drafts {
        let schema = compile(
            json!({"$schema": draft, "type": "object", "properties": {"on": {"type": "string", "format": "date"}}}),
        );
        assert_eq!(schema.validate(&json!({"on": "2026-02-28"})), Ok(()), "{draft}");
        assert_eq!(schema.validate(&json!({"on": "2026-02-30"})).unwrap_err()[0].pointer, "/on", "{draft}");
    }
}

#[test]
fn a_date_time_is_rfc_3339_in_ascii() {
    let schema = compile(json!({"type": "object", "properties": {"x": {"type": "string", "format": "date-time"}}}));
    for good in ["2026-01-31T12:00:00Z", "2026-01-31t12:00:00.5z", "2026-01-31T12:00:00-05:00", "2016-12-31T23:59:60Z"]
    {
        assert_eq!(schema.validate(&json!({"x": good})), Ok(()), "{good}");
    }
    for bad in [
        "2026-01-31T12:00:00\u{2212}05:00",
        "2026\u{2212}01\u{2212}31T12:00:00Z",
        "\u{ff12}026-01-31T12:00:00Z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:60Z",
        "2026-02-29T12:00:00Z",
    ] {
        assert!(schema.validate(&json!({"x": bad})).is_err(), "{bad}");
    }
}

#[test]
fn common_formats_are_asserted() {
    let cases = [
        ("date-time", "2026-01-01T00:00:00Z"),
        ("email", "a@example.com"),
        ("uri", "https://a.example/b"),
        ("uuid", "2b8e6f0a-55b7-4f2b-8f9e-0d6f1c7a9b11"),
    ];
    for (format, good) in cases {
        let schema = compile(json!({"type": "object", "properties": {"x": {"type": "string", "format": format}}}));
        assert_eq!(schema.validate(&json!({"x": good})), Ok(()), "{format}");
        assert!(schema.validate(&json!({"x": "no such thing"})).is_err(), "{format}");
    }
}

#[test]
fn violations_point_to_the_place_and_never_quote_the_value() {
    let schema = compile(json!({
        "type": "object", "required": ["id"], "propertyNames": {"maxLength": 12}, "minProperties": 1,
        "properties": {
            "a/b": {"type": "integer"}, "s": {"type": "string", "maxLength": 3, "pattern": "^x"}, "e": {"enum": ["one"]},
            "c": {"const": 1}, "n": {"maximum": 3}, "m": {"multipleOf": 5}, "f": {"format": "email"},
            "list": {"items": {"type": "string"}, "uniqueItems": true, "maxItems": 1},
            "any": {"anyOf": [{"type": "null"}, {"type": "array"}]}, "not": {"not": {"type": "string"}}
        }
    }));
    let secret = "s3cret-Value";
    let instance = json!({
        "a/b": secret, "s": secret, "e": secret, "c": secret, "n": 987_654, "m": 987_654, "f": secret,
        "list": [987_654, 987_654], "any": secret, "not": secret, "s3cret-Value-as-a-name": 1
    });
    let violations = schema.validate(&instance).unwrap_err();
    assert!(violations.len() >= 12, "{violations:?}");
    assert!(violations.iter().any(|one| one.pointer == "/a~1b"), "{violations:?}");
    assert!(
        violations.iter().any(|one| one.message.contains("\"id\"") || one.message.contains("id is")),
        "{violations:?}"
    );
    for one in &violations {
        assert!(!one.message.contains("s3cret") && !one.message.contains("987654"), "{one:?}");
    }
}

#[test]
fn violations_are_bounded() {
    let schema = compile(json!({"type": "object", "additionalProperties": {"type": "string"}}));
    let instance: Value = (0..1000).map(|index| (format!("p{index}"), json!(index))).collect();
    assert_eq!(schema.validate(&instance).unwrap_err().len(), 20);
    let closed = compile(json!({"type": "object", "additionalProperties": false}));
    assert!(closed.validate(&instance).unwrap_err()[0].message.chars().count() <= MAX_MESSAGE_CHARS + 1);
    let nested =
        compile(json!({"type": "object", "additionalProperties": {"additionalProperties": {"type": "string"}}}));
    let name = "n".repeat(MAX_POINTER_BYTES);
    let pointers = |instance: Value| nested.validate(&instance).unwrap_err()[0].pointer.clone();
    assert_eq!(pointers(json!({ "a": { "b": 1 } })), "/a/b");
    assert_eq!(pointers(json!({ "a": { &name: 1 } })), "/a", "the place around one whose name is too long");
    assert_eq!(pointers(json!({ &name: { "b": 1 } })), "");
}

#[test]
fn the_uri_is_the_id_or_a_urn() {
    let uri = |version: &str, json| Schema::compile("ticket", version, json).unwrap().uri().to_owned();
    assert_eq!(uri("1.2.0", json!({"type": "object"})), "urn:structured-prompt:schema:ticket:1.2.0");
    assert_eq!(uri("1.2.0", json!({"$id": "https://a.example/s#", "type": "object"})), "https://a.example/s");
    assert_eq!(uri("1.2.0", json!({"$id": "s.json", "type": "object"})), "urn:structured-prompt:schema:ticket:1.2.0");
    let inline = uri("0.0.0", json!({"type": "object"}));
    assert!(inline.starts_with("urn:structured-prompt:schema:sha256:") && inline.len() == 36 + 64, "{inline}");
}

#[test]
fn the_digest_does_not_depend_on_the_order_of_members() {
    let one = compile(json!({"type": "object", "title": "T"}));
    let other = compile(json!({"title": "T", "type": "object"}));
    assert_eq!(one.digest(), other.digest());
    assert_ne!(one.digest(), compile(json!({"title": "U", "type": "object"})).digest());
}

#[test]
fn what_only_this_program_reads_is_neither_asked_nor_part_of_the_digest() {
    let plain = json!({
        "type": "object",
        "properties": { "x-evidence": { "type": "string" }, "list": { "items": { "enum": ["a"] } } },
        "allOf": [{ "required": ["list"] }],
        "$defs": { "x-evidence": { "const": { "x-evidence": "judged" } } },
    });
    let mut annotated = plain.clone();
    for (pointer, keyword) in [
        ("", "x-on-ungrounded"),
        ("/properties/x-evidence", "x-evidence"),
        ("/properties/list/items", "x-eval"),
        ("/allOf/0", "x-evidence"),
        ("/$defs/x-evidence", "x-evidence"),
    ] {
        annotated.pointer_mut(pointer).unwrap()[keyword] = json!("judged");
    }
    let (schema, unchanged) = (compile(annotated.clone()), compile(plain.clone()));
    assert_eq!((schema.json(), schema.asked()), (&annotated, &plain));
    assert_eq!((schema.digest(), schema.uri()), (unchanged.digest(), unchanged.uri()));
    assert_eq!(unchanged.asked(), unchanged.json());
}
