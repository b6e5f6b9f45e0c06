//! What strict mode does not enforce, and why it cannot hold a schema at all.

use serde_json::{Map, Value};

use super::{ANNOTATIONS, COPIED, INEXPRESSIBLE, Translation, has_type, known_format, only, plain_pattern};
use crate::schema::dialect::{Effect, Loss, required, subschemas};

/// What strict mode does not enforce of a schema. A schema that it cannot hold at all has its reasons here too.
pub(in crate::schema::dialect) fn losses(schema: &Value) -> Vec<Loss> {
    let mut translation = Translation { root: schema, properties: 0, enum_values: 0, name_chars: 0 };
    let is_said = translation.root().is_some();
    let mut losses = Vec::new();
    collect(schema, "", !is_said, &mut losses);
    let is_explained = losses.iter().any(|loss| loss.effect == Effect::Inexpressible);
    let of_the_whole = |keyword: &str, effect| Loss { pointer: String::new(), keyword: keyword.to_owned(), effect };
    match translation.excess().filter(|_| is_said) {
        Some(keyword) => losses.push(of_the_whole(keyword, Effect::TooMuch)),
        None if !is_said && !is_explained => losses.push(of_the_whole("type", Effect::Inexpressible)),
        None => {}
    }
    losses
}

/// What strict mode misses in a schema of which it says nothing at all.
fn gap(schema: &Map<String, Value>) -> Option<&'static str> {
    const ENOUGH: [&str; 5] = ["$ref", "anyOf", "oneOf", "enum", "const"];
    let Some(types) = schema.get("type") else {
        return ENOUGH.iter().all(|keyword| !schema.contains_key(*keyword)).then_some("type");
    };
    if has_type(types, "array") && !schema.get("items").is_some_and(Value::is_object) {
        return Some("items");
    }
    if !has_type(types, "object") {
        return None;
    }
    let Some(known) = schema.get("properties").and_then(Value::as_object) else { return Some("properties") };
    required(schema).iter().any(|name| !known.contains_key(*name)).then_some("required")
}

fn collect(schema: &Value, pointer: &str, has_gaps: bool, losses: &mut Vec<Loss>) {
    let Some(schema) = schema.as_object() else { return };
    if let Some(keyword) = gap(schema).filter(|_| has_gaps) {
        losses.push(Loss { pointer: pointer.to_owned(), keyword: keyword.to_owned(), effect: Effect::Inexpressible });
    }
    for (keyword, value) in schema {
        if let Some(effect) = effect(schema, keyword, value) {
            losses.push(Loss { pointer: pointer.to_owned(), keyword: keyword.clone(), effect });
        }
    }
    for (tokens, inner) in subschemas(schema) {
        collect(inner, &format!("{pointer}{tokens}"), has_gaps, losses);
    }
}

fn effect(schema: &Map<String, Value>, keyword: &str, value: &Value) -> Option<Effect> {
    const SAID: [&str; 11] =
        ["type", "properties", "required", "items", "anyOf", "$ref", "$defs", "definitions", "enum", "const", "$id"];
    let is_said = SAID.contains(&keyword) || COPIED.contains(&keyword) || ANNOTATIONS.contains(&keyword);
    match keyword {
        _ if INEXPRESSIBLE.contains(&keyword) => Some(Effect::Inexpressible),
        "oneOf" => Some(Effect::AnyOf),
        "additionalProperties" => value.is_object().then_some(Effect::Inexpressible),
        "format" => (!value.as_str().is_some_and(known_format)).then_some(Effect::Dropped),
        "pattern" => (!value.as_str().is_some_and(plain_pattern)).then_some(Effect::Dropped),
        "$ref" | "anyOf" if !only(schema, keyword) => Some(Effect::Inexpressible),
        "exclusiveMinimum" | "exclusiveMaximum" if value == &Value::Bool(true) => Some(Effect::Dropped),
        _ if is_said || matches!(keyword, "readOnly" | "writeOnly" | "id" | "$vocabulary") => None,
        _ => Some(Effect::Dropped),
    }
}
