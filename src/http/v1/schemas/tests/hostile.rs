//! Schemas that are meant to cost time, stack, memory or a look at other places: each is refused at once.

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{PATH, teams};

/// A generous bound for a slow machine that builds beside the tests: in release it is some milliseconds.
const LIMIT: Duration = Duration::from_secs(2);

/// References that lead out of the schema, or nowhere.
const REFERENCES: [&str; 14] = [
    "http://127.0.0.1:1/schema",
    "https://a.example/schema.json",
    "file:///etc/passwd",
    "//a.example/schema",
    "schema.json",
    "../schema.json#/a",
    "/etc/passwd",
    "urn:uuid:0",
    "data:application/json,{}",
    "",
    "#/$defs/none",
    "#none",
    "#/properties/a/",
    "jar:file:///a!/b",
];

/// Expressions that need backtracking, are malformed, or compile to something large.
const PATTERNS: [&str; 13] = [
    r"^(a+)\1$",
    "^(?=a)",
    "(?!a)b",
    "(?<=a)b",
    "(?<!a)b",
    "(",
    "[",
    "*",
    "a{99999999}",
    "(a{1000}){1000}",
    "((a{100}){100}){100}",
    r"\p{Nothing}",
    r"(?<a>.)\k<a>",
];

/// A schema whose references multiply at each of so many levels.
fn multiplying(levels: usize, by: usize) -> Value {
    let definition = |level: usize| {
        let property = |n: usize| (format!("p{n}"), json!({ "$ref": format!("#/$defs/{}", level + 1) }));
        json!({ "properties": (0..by).map(property).collect::<Map<_, _>>() })
    };
    let mut definitions: Map<_, _> = (0..levels).map(|level| (level.to_string(), definition(level))).collect();
    definitions.insert(levels.to_string(), json!({ "type": "string" }));
    json!({ "type": "object", "$defs": definitions, "properties": { "a": { "$ref": "#/$defs/0" } } })
}

/// Subschemas within each other.
fn nested(levels: usize, around: impl Fn(Value) -> Value) -> Value {
    (0..levels).fold(json!({ "type": "object" }), |inner, _| around(inner))
}

/// An object whose property has this schema.
fn of(property: Value) -> Value {
    json!({ "type": "object", "properties": { "a": property } })
}

/// Schemas that no route takes.
pub(super) fn corpus() -> Vec<Value> {
    let mut corpus = vec![
        json!(true),
        json!([]),
        json!("object"),
        json!({}),
        json!({ "type": "array" }),
        json!({ "type": ["object", "null"] }),
        json!({ "type": "object", "$id": "https://a.example/s", "properties": { "a": { "$id": "https://b.example/" } } }),
        json!({ "type": "object", "$ref": "#" }),
        json!({ "type": "object", "$schema": "https://a.example/my-draft" }),
        json!({ "type": "object", "description": "x".repeat(60_000) }),
        json!({ "type": "object", "allOf": [{ "$ref": "#/allOf/1" }, { "$ref": "#/allOf/0" }] }),
        json!({ "type": "object", "required": vec!["a"; 20_000] }),
        json!({ "type": "object", "x": vec![0; 20_000] }),
        nested(60, |inner| json!([inner])),
        nested(30, |inner| json!({ "type": "object", "properties": { "a": inner } })),
        nested(11, |inner| json!({ "type": "object", "not": inner })),
        nested(20, |inner| json!({ "type": "object", "allOf": [inner] })),
        nested(12, |inner| json!({ "type": "object", "anyOf": [inner.clone(), inner] })),
        of(json!({ "type": "nubmer" })),
        of(json!({ "minimum": "1" })),
        of(json!({ "maxLength": -1 })),
        of(json!({ "required": "a" })),
        of(json!({ "enum": 1 })),
        of(json!({ "properties": [] })),
        of(json!({ "$ref": 1 })),
        of(json!({ "$dynamicRef": "https://a.example/#x" })),
    ];
    corpus.extend([(16, 2), (40, 2), (10, 5), (6, 9), (20, 3)].map(|(levels, by)| multiplying(levels, by)));
    corpus.extend(REFERENCES.map(|reference| of(json!({ "$ref": reference }))));
    corpus.extend(PATTERNS.map(|pattern| of(json!({ "type": "string", "pattern": pattern }))));
    let many: Map<_, _> = (0..200).map(|n| (format!("^a{n}"), json!(true))).collect();
    corpus.push(json!({ "type": "object", "patternProperties": many }));
    corpus
}

#[tokio::test]
async fn a_hostile_schema_is_refused_at_once_however_it_is_sent() {
    let (it, corpus) = (teams().await, corpus());
    assert!(corpus.len() >= 50, "{}", corpus.len());
    for schema in corpus {
        let kept = json!({ "name": "hostile", "schema": schema });
        let inline = json!({ "prompt": "x", "schema": schema });
        for (path, body) in [(PATH, kept), ("/v1/analyze", inline)] {
            let began_at = Instant::now();
            let refused = it.red(Method::POST, path, Some(&body)).await;
            let took = began_at.elapsed();
            let shown: String = schema.to_string().chars().take(200).collect();
            assert_eq!(refused.problem(), (400, "invalid_schema".to_owned()), "{path} {shown}: {refused:?}");
            assert!(refused.places()[0].starts_with("#/schema"), "{refused:?}");
            assert!(took < LIMIT, "{path} {shown}: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_deep_or_has_very_many_members_is_refused_at_once() {
    let it = teams().await;
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let members: Vec<String> = (0..60_000).map(|n| format!("\"{n}\":1")).collect();
    let values =
        [deep(100_000), deep(128), format!("[{}1]", "1,".repeat(400_000)), format!("{{{}}}", members.join(","))];
    for value in values {
        for (path, before, after) in [
            (PATH, r#"{"name":"a","schema":"#, "}"),
            ("/v1/analyze", r#"{"prompt":"x","schema":"#, "}"),
            ("/v1/analyze", r#"{"prompt":"#, "}"),
        ] {
            let began_at = Instant::now();
            let refused = it.text(path, format!("{before}{value}{after}")).await;
            assert!(refused.problem().0 == 400 || refused.problem().0 == 413, "{refused:?}");
            assert!(began_at.elapsed() < LIMIT, "{path}: {:?}", began_at.elapsed());
        }
    }
}
