//! Anthropic Messages: what a request may contain, and what responses look like.

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use super::wire::{End, unknown};

const PARAMETERS: &[&str] = &[
    "model",
    "max_tokens",
    "messages",
    "system",
    "output_config",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "metadata",
    "stream",
    "thinking",
    "service_tier",
    "tools",
    "tool_choice",
];

const KEYWORDS: &[&str] = &[
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "allOf",
    "$ref",
    "$defs",
    "title",
    "description",
    "format",
    "minItems",
];

pub fn error(kind: &str, message: &str) -> String {
    json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_stub" }).to_string()
}

pub fn prompt(request: &Value) -> &str {
    request.pointer("/messages/0/content").and_then(Value::as_str).unwrap_or_default()
}

/// The request, or the body of the 400.
pub fn check(headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    let refuse = |message: &str| Err(error("invalid_request_error", message));
    if !headers.contains_key("anthropic-version") {
        return refuse("anthropic-version: header is required");
    }
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) else { return refuse("invalid JSON") };
    if let Some(name) = unknown(&fields, PARAMETERS) {
        return refuse(&format!("{name}: Extra inputs are not permitted"));
    }
    let request = Value::from(fields);
    if request["max_tokens"].as_u64().is_none_or(|tokens| tokens == 0) || !request["model"].is_string() {
        return refuse("max_tokens: Field required");
    }
    if request.get("temperature").is_some_and(|t| t.as_f64().is_none_or(|t| !(0.0..=1.0).contains(&t))) {
        return refuse("temperature: range: 0..1");
    }
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_right = |message: &Value| {
        let text = message["content"].as_str().unwrap_or_default();
        let role = message["role"].as_str().unwrap_or_default();
        ["user", "assistant"].contains(&role) && !text.trim().is_empty() && message.as_object().unwrap().len() == 2
    };
    let ends_trimmed = messages.last().and_then(|m| m["content"].as_str()).is_some_and(|text| text == text.trim_end());
    if messages.is_empty() || messages[0]["role"] != "user" || !messages.iter().all(is_right) || !ends_trimmed {
        return refuse("messages: invalid");
    }
    match request.get("output_config") {
        Some(config) if config["format"]["type"] != "json_schema" || config.as_object().unwrap().len() != 1 => {
            refuse("output_config.format: invalid")
        }
        Some(config) if !is_known(&config["format"]["schema"]) => {
            refuse("output_config.format.schema: unsupported keyword")
        }
        _ => Ok(request),
    }
}

fn is_known(schema: &Value) -> bool {
    let Some(fields) = schema.as_object() else { return false };
    let is_closed = fields.get("properties").is_none() || schema["additionalProperties"] == false;
    let says_something = ["type", "anyOf", "allOf", "$ref", "enum", "const"].iter().any(|k| fields.contains_key(*k));
    let members = ["properties", "$defs"].iter().filter_map(|k| schema[*k].as_object()).flat_map(Map::values);
    let branches = ["anyOf", "allOf"].iter().filter_map(|k| schema[*k].as_array()).flatten();
    let mut inner = members.chain(branches).chain(fields.get("items"));
    unknown(fields, KEYWORDS).is_none() && is_closed && says_something && inner.all(is_known)
}

pub fn response(request: &Value, call: u64, text: Option<&str>, end: End) -> String {
    let reason = match end {
        End::Stop => "end_turn",
        End::Length => "max_tokens",
        End::Refused | End::Filtered => "refusal",
    };
    let content: Vec<Value> =
        text.iter().map(|text| json!({ "type": "text", "text": text, "citations": null })).collect();
    json!({
        "id": format!("msg_stub{call}"),
        "type": "message",
        "role": "assistant",
        "model": format!("{}-stub", request["model"].as_str().unwrap_or_default()),
        "content": content,
        "stop_reason": reason,
        "stop_sequence": null,
        "usage": {
            "input_tokens": 70, "output_tokens": 20,
            "cache_creation_input_tokens": 0, "cache_read_input_tokens": 30,
            "output_tokens_details": { "thinking_tokens": 5 },
        },
    })
    .to_string()
}
