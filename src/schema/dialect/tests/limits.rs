//! Limits on a schema as it is sent.

use super::*;

fn object(properties: Vec<(String, Value)>, required: bool) -> Value {
    let names: Vec<String> = properties.iter().filter(|_| required).map(|(name, _)| name.clone()).collect();
    let properties: serde_json::Map<String, Value> = properties.into_iter().collect();
    json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
}

fn named(count: usize, schema: &Value) -> Vec<(String, Value)> {
    (0..count).map(|n| (format!("p{n}"), schema.clone())).collect()
}

fn unions(schema: &Value) -> usize {
    let own = usize::from(schema.get("anyOf").is_some() || schema["type"].is_array());
    let inner = match schema {
        Value::Object(members) => members.values().map(unions).sum(),
        Value::Array(items) => items.iter().map(unions).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    };
    own + inner
}

fn optional(schema: &Value) -> usize {
    let own =
        schema["properties"].as_object().map_or(0, |all| all.len() - schema["required"].as_array().map_or(0, Vec::len));
    let inner = match schema {
        Value::Object(members) => members.values().map(optional).sum(),
        Value::Array(items) => items.iter().map(optional).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    };
    own + inner
}

#[test]
fn anthropic_takes_24_optional_properties_and_16_unions() {
    let text = json!({ "type": "string" });
    let either = json!({ "type": ["string", "null"] });
    assert_eq!(places(Dialect::Anthropic, &object(named(24, &text), false)), []);
    assert_eq!(places(Dialect::Anthropic, &object(named(16, &either), true)), []);
    // Null instead of absence, and absence instead of null, as far as the other limit has room.
    for (schema, lost) in [
        (object(named(30, &text), false), 0),
        (object(named(40, &text), false), 0),
        (object(named(20, &either), false), 4),
        (object(named(24, &either), false), 8),
    ] {
        let sent = strict(Dialect::Anthropic, &schema);
        assert!(unions(&sent) <= 16 && optional(&sent) <= 24, "{} {}", unions(&sent), optional(&sent));
        let found = places(Dialect::Anthropic, &schema);
        assert!(found.len() == lost && found.iter().all(|(_, effect)| *effect == Effect::WithoutNull), "{found:?}");
    }
    let mut answer = json!({ "p0": null, "p29": "x" });
    assert!(compile(Dialect::Anthropic, &object(named(30, &text), false)).restore(&mut answer));
    assert_eq!(answer, json!({ "p29": "x" }));
    let too_much = Effect::TooMuch("24 properties that may be absent");
    assert_eq!(
        places(Dialect::Anthropic, &object(named(41, &text), false)),
        [("/properties/p24".to_owned(), too_much)]
    );
    let too_much = Effect::TooMuch("16 unions of types or schemas");
    assert_eq!(
        places(Dialect::Anthropic, &object(named(17, &either), true)),
        [("/properties/p16/type".to_owned(), too_much)]
    );
    assert!(
        note(&object(named(17, &either), true), "claude", Dialect::Anthropic).unwrap().contains("/properties/p16/type")
    );
}

#[test]
fn where_unions_are_short_descriptions_beside_references_go_first() {
    let mut schema = object(named(17, &json!({ "$ref": "#/$defs/x", "description": "d" })), true);
    schema["$defs"] = json!({ "x": { "type": "string" } });
    assert_eq!(unions(&strict(Dialect::Anthropic, &schema)), 0);
    assert_eq!(places(Dialect::Anthropic, &schema)[16], ("/properties/p16/description".to_owned(), Effect::Dropped));
    assert_eq!(places(Dialect::OpenAi, &schema), []);
}

#[test]
fn an_enum_that_is_too_long_for_openai_is_left_out_alone() {
    let values = |count: usize, chars: usize| (0..count).map(|n| format!("{n:0chars$}")).collect::<Vec<_>>();
    let list = |count: usize, chars: usize| json!({ "type": "string", "enum": values(count, chars) });
    let lost = |properties: Vec<(String, Value)>| {
        let schema = object(properties, true);
        let sent = strict(Dialect::OpenAi, &schema);
        let found = places(Dialect::OpenAi, &schema);
        for (place, effect) in &found {
            assert!(matches!(effect, Effect::LeftOut(_)), "{place} {effect}");
            assert_eq!(sent.pointer(place.trim_end_matches("/enum")).unwrap()["type"], "string");
        }
        found.into_iter().map(|(place, _)| place).collect::<Vec<_>>()
    };
    assert_eq!(lost(named(1, &list(1000, 15))), [] as [&str; 0]);
    assert_eq!(lost(named(1, &list(250, 100))), [] as [&str; 0]);
    assert_eq!(lost(named(1, &list(251, 60))), ["/properties/p0/enum"]);
    assert_eq!(lost(vec![("a".to_owned(), list(100, 4)), ("b".to_owned(), list(901, 4))]), ["/properties/b/enum"]);
    assert_eq!(
        lost(named(13, &list(100, 99))),
        ["/properties/p10/enum", "/properties/p11/enum", "/properties/p12/enum"]
    );
    assert_eq!(lost(named(2, &list(200, 400))), ["/properties/p1/enum"]);
}

#[test]
fn openai_takes_ten_levels_of_objects_and_many_names() {
    let nested = |levels: u32| (1..levels).fold(one(json!({ "type": "string" })), |inner, _| one(inner));
    strict(Dialect::OpenAi, &nested(10));
    assert_eq!(
        places(Dialect::OpenAi, &nested(11)),
        [("/properties".to_owned(), Effect::TooMuch("10 levels of objects"))]
    );
    let arrays =
        |n: u32| (0..n).fold(json!({ "type": "string" }), |inner, _| json!({ "type": "array", "items": inner }));
    strict(Dialect::OpenAi, &one(arrays(60)));
    assert!(!compile(Dialect::OpenAi, &one(arrays(100))).is_strict);
    let long = object(vec![("x".repeat(120_001), json!({ "type": "string" }))], true);
    assert!(!compile(Dialect::OpenAi, &long).is_strict);
    assert!(!compile(Dialect::OpenAi, &object(named(5001, &json!({ "type": "null" })), true)).is_strict);
}
