//! The wire format: what a request may contain, and what responses look like.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value, json};

use super::wire::{self, unknown};

/// Every parameter of `POST /chat/completions` that a client without tools, audio or streaming may send.
const PARAMETERS: &[&str] = &[
    "model",
    "messages",
    "response_format",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "seed",
    "n",
    "stop",
    "user",
    "logprobs",
    "top_logprobs",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "store",
    "metadata",
    "service_tier",
    "stream",
];

/// An error body as OpenAI sends it.
pub fn error_body(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> String {
    json!({ "error": { "message": message, "type": kind, "param": param, "code": code } }).to_string()
}

/// The first user message.
pub fn prompt(request: &Value) -> &str {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    messages.iter().find(|m| m["role"] == "user").and_then(|m| m["content"].as_str()).unwrap_or_default()
}

/// The request, or the body of OpenAI's 400.
pub fn check(headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    let refuse = |message: &str, param: &str| {
        Err(error_body(message, "invalid_request_error", Some(param), Some("unknown_parameter")))
    };
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/json") {
        return refuse("The content type must be application/json.", "content-type");
    }
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return refuse("We could not parse the JSON body of your request.", "body");
    };
    let Some(fields) = request.as_object() else { return refuse("The body must be an object.", "body") };
    if let Some(name) = unknown(fields, PARAMETERS) {
        return refuse(&format!("Unrecognized request argument supplied: {name}"), name);
    }
    if request["model"].as_str().is_none_or(str::is_empty) {
        return refuse("you must provide a model parameter", "model");
    }
    for name in ["max_tokens", "max_completion_tokens"] {
        if fields.get(name).is_some_and(|n| n.as_u64().is_none_or(|n| n == 0)) {
            return refuse("Expected an integer of at least 1.", name);
        }
    }
    if fields.contains_key("max_tokens") && fields.contains_key("max_completion_tokens") {
        return refuse("Setting both limits is not supported.", "max_tokens");
    }
    if fields.get("temperature").is_some_and(|t| t.as_f64().is_none_or(|t| !(0.0..=2.0).contains(&t))) {
        return refuse("Expected a number between 0 and 2.", "temperature");
    }
    if !messages_are_right(&request["messages"]) {
        return refuse("Invalid messages.", "messages");
    }
    match fields.get("response_format").map(format_error) {
        Some(Some(error)) => refuse(error, "response_format"),
        Some(None) | None => Ok(request),
    }
}

fn messages_are_right(messages: &Value) -> bool {
    let Some(messages) = messages.as_array().filter(|m| !m.is_empty()) else { return false };
    messages.iter().all(|message| {
        message.as_object().is_some_and(|fields| {
            unknown(fields, &["role", "content", "name", "refusal"]).is_none()
                && ["system", "developer", "user", "assistant"].iter().any(|role| message["role"] == *role)
                && message["content"].is_string()
        })
    })
}

fn format_error(format: &Value) -> Option<&'static str> {
    let Some(fields) = format.as_object() else { return Some("Expected an object.") };
    match format["type"].as_str() {
        Some("text" | "json_object") => return None,
        Some("json_schema") => {}
        Some(_) | None => return Some("Expected one of text, json_object, json_schema as type."),
    }
    let Some(inner) = format["json_schema"].as_object() else { return Some("Missing json_schema.") };
    if unknown(fields, &["type", "json_schema"])
        .or(unknown(inner, &["name", "description", "strict", "schema"]))
        .is_some()
    {
        return Some("Unknown field.");
    }
    let name = inner.get("name").and_then(Value::as_str).unwrap_or_default();
    if !(1..=64).contains(&name.len()) || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
        return Some("The name must match ^[a-zA-Z0-9_-]{1,64}$.");
    }
    let schema = inner.get("schema").unwrap_or(&Value::Null);
    if !schema.is_object() {
        return Some("The schema must be an object.");
    }
    if inner.get("strict") == Some(&Value::Bool(true)) {
        if schema["type"] != "object" {
            return Some("The root of a strict schema must be of type object.");
        }
        return strict_error(schema);
    }
    None
}

/// What OpenAI checks of a strict schema, as far as it matters here.
fn strict_error(schema: &Value) -> Option<&'static str> {
    let Some(fields) = schema.as_object() else { return Some("Subschemas must be objects.") };
    let known = [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "$ref",
        "$defs",
        "definitions",
        "title",
        "description",
        "pattern",
        "format",
        "multipleOf",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minItems",
        "maxItems",
    ];
    if unknown(fields, &known).is_some() {
        return Some("A keyword is not permitted in strict mode.");
    }
    if !["type", "anyOf", "$ref"].iter().any(|k| fields.contains_key(*k)) {
        return Some("A schema must have a 'type' key.");
    }
    if let Some(properties) = schema["properties"].as_object() {
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        if schema["additionalProperties"] != false || required.len() != properties.len() {
            return Some("'additionalProperties' must be false and 'required' must list every property.");
        }
    }
    let members = ["properties", "$defs", "definitions"].iter().filter_map(|k| schema[*k].as_object());
    let branches = schema["anyOf"].as_array().into_iter().flatten();
    members.flat_map(Map::values).chain(branches).chain(fields.get("items")).find_map(strict_error)
}

/// Log probabilities for the tokens of a text, which are three bytes long wherever letters end.
fn logprobs(text: &str) -> Value {
    let token = |bytes: &[u8]| json!({ "token": String::from_utf8_lossy(bytes), "bytes": bytes, "logprob": -0.1, "top_logprobs": [] });
    json!({ "content": text.as_bytes().chunks(3).map(token).collect::<Vec<_>>(), "refusal": null })
}

/// A chat completion.
pub fn completion(request: &Value, call: u64, message: &Value, finish: &str) -> String {
    let words = |text: &str| text.len().div_ceil(4);
    let text = message["content"].as_str().unwrap_or_default();
    let (input, output) = (words(prompt(request)) + 20, words(text));
    let logprobs = if request["logprobs"] == true { logprobs(text) } else { Value::Null };
    json!({
        "id": format!("chatcmpl-stub{call}"),
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": format!("{}-stub", request["model"].as_str().unwrap_or_default()),
        "choices": [{ "index": 0, "message": message, "logprobs": logprobs, "finish_reason": finish }],
        "usage": {
            "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            "prompt_tokens_details": { "cached_tokens": 4, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 1, "audio_tokens": 0 },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_stub",
    })
    .to_string()
}

/// The request's schema filled with simple values; strings that are free carry the number of the call as salt.
pub fn default_answer(request: &Value, call: u64) -> String {
    match wire::schema(request) {
        Some(schema) => fill(schema, schema, call, 0).to_string(),
        None => json!({ "answer": format!("salt {call}") }).to_string(),
    }
}

/// A value for `schema`, a part of `root`.
pub fn fill(root: &Value, schema: &Value, call: u64, depth: u32) -> Value {
    if let Some(target) = schema["$ref"].as_str().and_then(|r| root.pointer(r.trim_start_matches('#'))) {
        return if depth > 20 { Value::Null } else { fill(root, target, call, depth + 1) };
    }
    if let Some(value) = schema.get("const").or_else(|| schema["enum"].get(0)) {
        return value.clone();
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(branches) = schema[keyword].as_array().filter(|b| !b.is_empty()) {
            let null = branches.iter().find(|b| b["type"] == "null").filter(|_| depth > 6);
            return null.or(branches.first()).map_or(Value::Null, |branch| fill(root, branch, call, depth + 1));
        }
    }
    let types = schema["type"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kind = match types.first().unwrap_or(&schema["type"]).as_str() {
        _ if depth > 6 && types.iter().any(|one| one == "null") => "null",
        Some(kind) => kind,
        None => "object",
    };
    match kind {
        "object" => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            properties.map(|(name, s)| (name.clone(), fill(root, s, call, depth + 1))).collect::<Map<_, _>>().into()
        }
        "array" => {
            let length = schema["minItems"].as_u64().unwrap_or(1);
            (0..length).map(|_| fill(root, &schema["items"], call, depth + 1)).collect()
        }
        "integer" => json!(bound(schema).ceil() as i64),
        "number" => json!(bound(schema)),
        "boolean" => json!(true),
        "string" => text(schema, call).into(),
        _ => Value::Null,
    }
}

/// A number within the schema's bounds, near 1.
fn bound(schema: &Value) -> f64 {
    let low = schema["minimum"].as_f64().or_else(|| schema["exclusiveMinimum"].as_f64().map(|n| n + 0.5));
    let high = schema["maximum"].as_f64().or_else(|| schema["exclusiveMaximum"].as_f64().map(|n| n - 0.5));
    1.0_f64.max(low.unwrap_or(f64::MIN)).min(high.unwrap_or(f64::MAX))
}

fn text(schema: &Value, call: u64) -> String {
    match schema["format"].as_str() {
        Some("date-time") => "2026-01-02T03:04:05Z".to_owned(),
        Some("date") => "2026-01-02".to_owned(),
        Some("time") => "03:04:05Z".to_owned(),
        Some("email") => format!("call{call}@example.com"),
        Some("uuid") => format!("00000000-0000-4000-8000-{call:012x}"),
        Some("uri") => format!("https://example.com/{call}"),
        Some("ipv4") => "192.0.2.1".to_owned(),
        _ if schema["pattern"] == "^[A-Z]{2}$" => "EN".to_owned(),
        _ => {
            let mut text = format!("text salt {call}");
            let fewest = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).unwrap_or(0);
            while text.len() < fewest {
                text.push('.');
            }
            text.truncate(usize::try_from(schema["maxLength"].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX));
            text
        }
    }
}
