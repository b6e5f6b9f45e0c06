use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::domain::cpu_time::CpuTime;
use crate::schema::Schema;

/// References that double at each of `levels`.
fn laughs(levels: usize, keyword: &str) -> Value {
    let mut definitions = serde_json::Map::new();
    for level in 0..levels {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        let body = if keyword == "properties" { json!({"a": next, "b": next}) } else { json!([next, next]) };
        definitions.insert(format!("d{level}"), json!({ keyword: body }));
    }
    definitions.insert(format!("d{levels}"), json!({"type": "string"}));
    json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": definitions})
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({"type": "object"}), |inner, _| json!({"type": "object", "properties": {"a": inner}}))
}

fn with(property: Value) -> Value {
    json!({"type": "object", "properties": {"x": property}})
}

fn with_patterns(count: usize) -> Value {
    let properties: Value = (0..count).map(|index| (format!("p{index}"), json!({"pattern": "^\\w{50}$"}))).collect();
    json!({"type": "object", "properties": properties})
}

/// Schemas that must be refused, each with a part of the pointer at fault.
fn malicious() -> Vec<(&'static str, Value, &'static str)> {
    let wide: Vec<Value> = (0..20_000).map(|_| json!(1)).collect();
    let deep = (0..50_000).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    vec![
        ("laughs through allOf", laughs(40, "allOf"), "/$defs/"),
        ("laughs through anyOf", laughs(40, "anyOf"), "/$defs/"),
        ("laughs through properties", laughs(40, "properties"), "/$defs/"),
        ("laughs through oneOf, just over", laughs(16, "oneOf"), "/$defs/"),
        ("remote $ref", with(json!({"$ref": "https://example.com/a.json"})), "/properties/x/$ref"),
        ("remote $ref with a fragment", with(json!({"$ref": "http://169.254.169.254/#/a"})), "/properties/x/$ref"),
        ("file $ref", with(json!({"$ref": "file:///etc/passwd"})), "/properties/x/$ref"),
        ("relative $ref", with(json!({"$ref": "other.json#/$defs/a"})), "/properties/x/$ref"),
        ("scheme-relative $ref", with(json!({"$ref": "//example.com/a"})), "/properties/x/$ref"),
        ("remote $dynamicRef", with(json!({"$dynamicRef": "https://example.com/#node"})), "/properties/x/$dynamicRef"),
        ("empty $ref", with(json!({"$ref": ""})), "/properties/x/$ref"),
        ("$ref to nothing", with(json!({"$ref": "#/$defs/none"})), "/properties/x/$ref"),
        ("$ref to no anchor", with(json!({"$ref": "#none"})), "/properties/x/$ref"),
        ("$ref that is a number", with(json!({"$ref": 1})), "/properties/x/$ref"),
        ("$ref to itself", json!({"type": "object", "$ref": "#"}), ""),
        (
            "pure $ref loop",
            json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/a"}},
                "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
            "/$defs/",
        ),
        (
            "loop through allOf",
            json!({"type": "object", "allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"not": {"$ref": "#"}}]}}}),
            "",
        ),
        ("loop through percent escapes", with(json!({"$ref": "#/properties/%78"})), "/properties/x"),
        ("remote $schema", json!({"$schema": "https://example.com/meta", "type": "object"}), ""),
        ("nested $id that rebases", with(json!({"$id": "https://example.com/", "$ref": "#/a"})), "/properties/x/$id"),
        (
            "nested id that rebases in draft 4",
            json!({"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "properties": {"x": {"id": "http://a.example/"}}}),
            "/properties/x/id",
        ),
        ("back-reference", with(json!({"pattern": "(a+)\\1"})), "/properties/x/pattern"),
        ("look-ahead", with(json!({"pattern": "^(?=a)b"})), "/properties/x/pattern"),
        ("regex bomb", with(json!({"pattern": "((\\w{100}){100}){100}"})), "/properties/x/pattern"),
        (
            "regex bomb in patternProperties",
            json!({"type": "object", "patternProperties": {"(\\w{900}){900}": {}}}),
            "",
        ),
        ("too many regexes", with_patterns(101), ""),
        ("11 levels", nested(11), ""),
        ("deep JSON in an unknown keyword", Value::Object([("x".to_owned(), deep)].into_iter().collect()), ""),
        ("20,000 values", json!({"type": "object", "enum": wide}), ""),
        ("60 KB", json!({"type": "object", "description": "x".repeat(60_000)}), ""),
        ("a string root", json!({"type": "string"}), ""),
        ("a boolean root", json!(true), ""),
        ("no type", json!({"properties": {}}), ""),
        ("a wrong keyword value", with(json!({"type": "strin"})), "/properties/x/type"),
    ]
}

#[test]
fn malicious_schemas_are_refused_fast() {
    for (name, schema, pointer) in malicious() {
        let start = CpuTime::now();
        let error = Schema::compile("x", "0.0.0", schema).expect_err(name);
        assert!(error.pointer.starts_with(pointer), "{name}: {error}");
        assert!(!error.message.is_empty());
        // Milliseconds in release; the bound only has to tell linear from exponential in a debug build.
        assert!(start.elapsed() < Duration::from_secs(2), "{name} took {:?}", start.elapsed());
    }
}

#[test]
fn what_is_just_within_the_limits_is_accepted() {
    let tree = json!({
        "type": "object", "properties": {"tree": {"$ref": "#/$defs/node"}},
        "$defs": {"node": {"type": "object", "properties": {
            "left": {"$ref": "#/$defs/node"}, "right": {"$ref": "#/$defs/node"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}}
    });
    let accepted = [
        ("10 levels", nested(10)),
        ("a recursive tree", tree),
        ("a recursive root", json!({"type": "object", "properties": {"next": {"$ref": "#"}}})),
        ("laughs that stay small", laughs(10, "allOf")),
        (
            "its own $id",
            json!({"$id": "https://example.com/s", "type": "object",
            "properties": {"x": {"$ref": "https://example.com/s#/$defs/a"}}, "$defs": {"a": {"type": "string"}}}),
        ),
        ("an anchor", json!({"type": "object", "properties": {"x": {"$ref": "#a"}}, "$defs": {"a": {"$anchor": "a"}}})),
        ("a property called $ref", json!({"type": "object", "properties": {"$ref": {"type": "string"}}})),
        ("(a+)+$", with(json!({"pattern": "(a+)+$"}))),
    ];
    for (name, schema) in accepted {
        if let Err(error) = Schema::compile("x", "0.0.0", schema) {
            panic!("{name}: {error}");
        }
    }
}

#[test]
fn a_recursive_schema_ends_with_its_instance() {
    let node = json!({"$ref": "#/$defs/node"});
    let schema = json!({
        "type": "object", "properties": {"tree": node},
        "$defs": {"node": {"type": "object", "allOf": [{"properties": {"a": node}}, {"properties": {"a": node}}]}}
    });
    let schema = Schema::compile("x", "0.0.0", schema).unwrap();
    for (levels, leaf, valid) in
        [(12, json!({}), true), (3, json!({"a": 1}), false), (60, json!({}), false), (120, json!(1), false)]
    {
        let instance = json!({"tree": (0..levels).fold(leaf, |inner, _| json!({"a": inner}))});
        let start = CpuTime::now();
        assert_eq!(schema.validate(&instance).is_ok(), valid, "{levels}");
        assert!(start.elapsed() < Duration::from_secs(2), "took {:?}", start.elapsed());
    }
    let list = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
    let list = Schema::compile("x", "0.0.0", list).unwrap();
    assert_eq!(list.validate(&(0..120).fold(json!({}), |inner, _| json!({"next": inner}))), Ok(()));
}

#[test]
fn deep_json_text_never_reaches_us() {
    let mut text = String::new();
    for _ in 0..100_000 {
        write!(text, "{{\"properties\":{{\"a\":").unwrap();
    }
    assert!(serde_json::from_str::<Value>(&text).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "type",
        "object",
        "properties",
        "items",
        "$ref",
        "#",
        "#/$defs/a",
        "$defs",
        "a",
        "allOf",
        "anyOf",
        "pattern",
        "$id",
        "enum",
        "required",
        "not",
        "format",
        "date",
        "(",
        "minimum",
        "$anchor",
        "%2",
        "#/%zz",
        "$dynamicRef",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..5)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn compiling_and_applying_never_panics(mut schema in any_json(), instance in any_json()) {
        if let Some(members) = schema.as_object_mut() {
            members.insert("type".to_owned(), json!("object"));
        }
        if let Ok(schema) = Schema::compile("x", "0.0.0", schema) {
            let _verdict = schema.validate(&instance);
        }
    }
}
