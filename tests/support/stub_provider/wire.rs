//! The wire formats behind one face.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value, json};

use super::{anthropic, gemini, openai};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    OpenAi,
    Anthropic,
    Gemini,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Stop,
    Length,
    /// The model declines.
    Refused,
    /// A content filter declines.
    Filtered,
}

impl Wire {
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::Gemini];

    pub fn check(self, headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
        match self {
            Self::OpenAi => openai::check(headers, body),
            Self::Anthropic => anthropic::check(headers, body),
            Self::Gemini => gemini::check(headers, body),
        }
    }

    /// The first user message.
    pub fn prompt(self, request: &Value) -> &str {
        match self {
            Self::OpenAi => openai::prompt(request),
            Self::Anthropic => anthropic::prompt(request),
            Self::Gemini => gemini::prompt(request),
        }
    }

    /// The key that a caller sent.
    pub fn key(self, headers: &HeaderMap) -> Option<String> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bearer = text(header::AUTHORIZATION.as_str()).and_then(|v| v.strip_prefix("Bearer ").map(str::to_owned));
        match self {
            Self::OpenAi => bearer,
            Self::Anthropic => text("x-api-key").or(bearer),
            Self::Gemini => text("x-goog-api-key"),
        }
    }

    /// A success body.
    pub fn response(self, request: &Value, model: &str, call: u64, text: Option<&str>, end: End) -> String {
        match self {
            Self::OpenAi => {
                let (content, refusal, finish) = match end {
                    End::Stop => (text, None, "stop"),
                    End::Length => (text, None, "length"),
                    End::Refused => (None, Some("I cannot help with that."), "stop"),
                    End::Filtered => (Some(""), None, "content_filter"),
                };
                let message = json!({ "role": "assistant", "content": content, "refusal": refusal, "annotations": [] });
                openai::completion(request, call, &message, finish)
            }
            Self::Anthropic => anthropic::response(request, call, text, end),
            Self::Gemini => gemini::response(request, model, call, text, end),
        }
    }

    /// An error body with the word that this format has for the status.
    pub fn error(self, status: u16) -> String {
        let message = "An error of the stub.";
        match self {
            Self::OpenAi => {
                let (kind, code) = match status {
                    401 => ("invalid_request_error", Some("invalid_api_key")),
                    429 => ("requests", Some("rate_limit_exceeded")),
                    400..=499 => ("invalid_request_error", None),
                    _ => ("server_error", None),
                };
                openai::error_body(message, kind, None, code)
            }
            Self::Anthropic => {
                let kind = match status {
                    401 => "authentication_error",
                    402 => "billing_error",
                    403 => "permission_error",
                    404 => "not_found_error",
                    413 => "request_too_large",
                    429 => "rate_limit_error",
                    504 => "timeout_error",
                    529 => "overloaded_error",
                    400..=499 => "invalid_request_error",
                    _ => "api_error",
                };
                anthropic::error(kind, message)
            }
            Self::Gemini => {
                let word = match status {
                    400 => "INVALID_ARGUMENT",
                    401 => "UNAUTHENTICATED",
                    403 => "PERMISSION_DENIED",
                    404 => "NOT_FOUND",
                    429 => "RESOURCE_EXHAUSTED",
                    503 => "UNAVAILABLE",
                    504 => "DEADLINE_EXCEEDED",
                    _ => "INTERNAL",
                };
                gemini::error(status, word, message, json!([]))
            }
        }
    }

    /// The 400 for a parameter that the model does not take.
    pub fn refusal_of(self, name: &str) -> String {
        let message = format!("Unsupported parameter: '{name}' is not supported with this model.");
        match self {
            Self::OpenAi => {
                let code = if name == "temperature" { "unsupported_value" } else { "unsupported_parameter" };
                openai::error_body(&message, "invalid_request_error", Some(name), Some(code))
            }
            Self::Anthropic => anthropic::error("invalid_request_error", &format!("{name}: {message}")),
            Self::Gemini => gemini::error(400, "INVALID_ARGUMENT", &message, json!([])),
        }
    }

    /// A parameter of the request, wherever this format has it.
    pub fn parameter<'a>(self, request: &'a Value, name: &str) -> Option<&'a Value> {
        request.get(name).or_else(|| request["generationConfig"].get(name))
    }
}

/// The schema that a request asks for, in whichever format.
pub fn schema(request: &Value) -> Option<&Value> {
    let places =
        ["/response_format/json_schema/schema", "/output_config/format/schema", "/generationConfig/responseJsonSchema"];
    places.iter().find_map(|place| request.pointer(place))
}

pub fn unknown<'a>(fields: &'a Map<String, Value>, known: &[&str]) -> Option<&'a str> {
    fields.keys().map(String::as_str).find(|name| !known.contains(name))
}
