//! Gemini generateContent: what a request may contain, and what responses look like.

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use super::wire::{End, unknown};

const PARAMETERS: &[&str] = &["contents", "systemInstruction", "generationConfig", "safetySettings", "cachedContent"];

const CONFIG: &[&str] = &[
    "responseMimeType",
    "responseJsonSchema",
    "responseSchema",
    "temperature",
    "maxOutputTokens",
    "candidateCount",
    "seed",
    "stopSequences",
    "topP",
    "topK",
    "thinkingConfig",
    "responseLogprobs",
    "logprobs",
];

const KEYWORDS: &[&str] = &[
    "$id",
    "$defs",
    "$ref",
    "$anchor",
    "type",
    "format",
    "title",
    "description",
    "enum",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
    "properties",
    "additionalProperties",
    "required",
    "propertyOrdering",
];

pub fn error(code: u16, status: &str, message: &str, details: Value) -> String {
    json!({ "error": { "code": code, "message": message, "status": status, "details": details } }).to_string()
}

/// `details` that ask for a pause.
pub fn retry_info(delay: &str) -> Value {
    json!([{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay }])
}

/// `details` of a quota that is renewed by the day.
pub fn daily_quota() -> Value {
    json!([{
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{ "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }],
    }])
}

pub fn prompt(request: &Value) -> &str {
    request.pointer("/contents/0/parts/0/text").and_then(Value::as_str).unwrap_or_default()
}

/// The request, or the body of the 400.
pub fn check(_headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
    let refuse = |message: &str| Err(error(400, "INVALID_ARGUMENT", message, json!([])));
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) else { return refuse("invalid JSON") };
    let no_config = Map::new();
    let config = fields.get("generationConfig").and_then(Value::as_object).unwrap_or(&no_config);
    if let Some(name) = unknown(&fields, PARAMETERS).or_else(|| unknown(config, CONFIG)) {
        return refuse(&format!("Invalid JSON payload received. Unknown name \"{name}\""));
    }
    if config.get("maxOutputTokens").is_some_and(|tokens| tokens.as_u64().is_none()) {
        return refuse("maxOutputTokens is no number");
    }
    if config.get("responseJsonSchema").is_some_and(|schema| !is_known(schema)) {
        return refuse("a keyword of the schema is not supported");
    }
    if config.contains_key("responseJsonSchema") && config.get("responseMimeType") != Some(&json!("application/json")) {
        return refuse("a schema needs the mime type application/json");
    }
    let contents = fields.get("contents").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_right = |content: &Value| {
        ["user", "model"].iter().any(|role| content["role"] == *role) && content["parts"][0]["text"].is_string()
    };
    if contents.is_empty() || !contents.iter().all(is_right) {
        return refuse("contents are required");
    }
    Ok(fields.into())
}

fn is_known(schema: &Value) -> bool {
    let Some(fields) = schema.as_object() else { return false };
    let members = ["properties", "$defs"].iter().filter_map(|k| schema[*k].as_object()).flat_map(Map::values);
    let branches = ["anyOf", "oneOf", "prefixItems"].iter().filter_map(|k| schema[*k].as_array()).flatten();
    let mut inner = members.chain(branches).chain(fields.get("items"));
    unknown(fields, KEYWORDS).is_none() && inner.all(is_known)
}

/// Log probabilities for the tokens of a text, which are three letters long.
fn logprobs(text: &str) -> Value {
    let letters: Vec<char> = text.chars().collect();
    let token =
        |letters: &[char]| json!({ "token": letters.iter().collect::<String>(), "tokenId": 7, "logProbability": -0.1 });
    json!({ "chosenCandidates": letters.chunks(3).map(token).collect::<Vec<_>>() })
}

pub fn response(request: &Value, model: &str, call: u64, text: Option<&str>, end: End) -> String {
    let usage = json!({
        "promptTokenCount": 100, "candidatesTokenCount": 15, "totalTokenCount": 120, "thoughtsTokenCount": 5,
        "cachedContentTokenCount": 30, "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": 100 }],
    });
    let mut response =
        json!({ "usageMetadata": usage, "modelVersion": format!("{model}-stub"), "responseId": format!("stub{call}") });
    let reason = match end {
        End::Stop => "STOP",
        End::Length => "MAX_TOKENS",
        End::Filtered => "SAFETY",
        End::Refused => {
            response["promptFeedback"] = json!({ "blockReason": "PROHIBITED_CONTENT" });
            return response.to_string();
        }
    };
    let parts: Vec<Value> = text.iter().map(|text| json!({ "text": text })).collect();
    let content = json!({ "role": "model", "parts": parts });
    let mut candidate = json!({ "content": content, "finishReason": reason, "index": 0, "avgLogprobs": -0.1 });
    if request.pointer("/generationConfig/responseLogprobs") == Some(&Value::Bool(true)) {
        candidate["logprobsResult"] = logprobs(text.unwrap_or_default());
    }
    response["candidates"] = json!([candidate]);
    response.to_string()
}
