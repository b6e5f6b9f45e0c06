//! What a response with an error status says.

use reqwest::StatusCode;
use serde_json::Value;

use crate::domain::failure::{Code, Failure};
use crate::llm::exchange::Received;

/// Error codes that mean the account has no money or quota left: asking again cannot help until a person acts.
const EXHAUSTED: &[&str] = &[
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
];

/// Error codes of a content filter in front of the model.
const FILTERED: &[&str] = &["content_filter", "content_policy_violation"];

/// Error codes of a request parameter that the model does not take.
const UNSUPPORTED: &[&str] = &["unsupported_parameter", "unsupported_value", "unknown_parameter"];

/// An error response.
#[derive(Debug)]
pub(super) struct Complaint {
    status: StatusCode,
    code: Option<String>,
    kind: Option<String>,
    param: Option<String>,
    request_id: Option<String>,
    /// `x-should-retry: false`: the provider knows that a retry cannot help.
    hopeless: bool,
}

impl Complaint {
    /// Reads status, headers, and `{"error": {"code", "type", "param"}}`; vLLM sends those without the outer object.
    pub(super) fn read(received: &Received) -> Self {
        let body: Value = serde_json::from_slice(&received.body).unwrap_or_default();
        let error = body.get("error").unwrap_or(&body);
        let header = |name: &str| received.headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            status: received.status,
            code: error.get("code").and_then(word),
            kind: error.get("type").and_then(word),
            param: error.get("param").and_then(word),
            request_id: header("x-request-id").map(Value::from).as_ref().and_then(word),
            hopeless: header("x-should-retry") == Some("false"),
        }
    }

    /// The parameter that the model does not take.
    pub(super) fn unsupported_parameter(&self) -> Option<&str> {
        if self.status == StatusCode::BAD_REQUEST && self.says(UNSUPPORTED) { self.param.as_deref() } else { None }
    }

    /// Whether the schema in `response_format` was found to be outside of the strict dialect.
    pub(super) fn about_schema(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST && self.says(&["invalid_json_schema"])
    }

    /// Whether asking again may help.
    pub(super) fn transient(&self) -> bool {
        let passing = matches!(self.status.as_u16(), 408 | 409 | 425 | 429) || self.status.is_server_error();
        passing && !self.hopeless && !self.says(EXHAUSTED)
    }

    /// Whether a `Retry-After` of this response tells when the provider may be asked again.
    pub(super) fn asks_for_pause(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS || self.status.is_server_error()
    }

    /// As a failure of the provider named `provider`.
    pub(super) fn failure(&self, provider: &str) -> Failure {
        let (code, advice) = match self.status.as_u16() {
            _ if self.says(EXHAUSTED) => (Code::ProviderQuotaExhausted, "add credit or raise the account's limit"),
            _ if self.says(FILTERED) => (Code::ProviderRefused, "its content filter declined the prompt"),
            402 => (Code::ProviderQuotaExhausted, "add credit or raise the account's limit"),
            429 => (Code::ProviderRateLimited, "it asks for a pause"),
            401 | 403 => (Code::ProviderUnauthorized, "check the API key, in the variable that api_key_env names"),
            404 => (Code::ProviderUnauthorized, "check the model name and base_url"),
            400 | 413 | 415 | 422 => (Code::ProviderRejected, "it does not accept this request"),
            300..=399 => (Code::ProviderUnavailable, "redirects are not followed; set base_url to the final address"),
            405..=499 => (Code::ProviderUnavailable, "check that base_url is an OpenAI-compatible API"),
            _ => (Code::ProviderUnavailable, "it failed on its side"),
        };
        Failure::new(code, format!("{provider} answered {}: {advice}", self.facts()))
    }

    fn says(&self, words: &[&str]) -> bool {
        [&self.code, &self.kind].into_iter().flatten().any(|word| words.contains(&word.as_str()))
    }

    fn facts(&self) -> String {
        let mut text = format!("HTTP {}", self.status.as_u16());
        for (name, value) in
            [("code", &self.code), ("type", &self.kind), ("param", &self.param), ("request", &self.request_id)]
        {
            if let Some(value) = value {
                text.push_str(&format!(", {name} {value}"));
            }
        }
        text
    }
}

/// A value that is one word, as codes and parameter names are; anything longer may be text that quotes the prompt.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']');
            (!text.is_empty() && text.len() <= 64 && text.chars().all(allowed)).then(|| text.clone())
        }
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
