//! What a response with an error status says.
//!
//! All formats put an object `error` into the body: OpenAI with `code`, `type` and `param`, Anthropic with `type`, Gemini with
//! `status` and `details` of `google.rpc` types. One reader knows them all, because gateways in front of them mix them.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use serde_json::Value;

use super::exchange::Received;
use super::habits::Parameter;
use super::hints;
use crate::domain::failure::{Code, Failure};

/// Error codes that mean the account has no money or quota left: asking again cannot help until a person acts.
const EXHAUSTED: &[&str] = &[
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
];

/// The words that Anthropic has for an account without money, where type and status are those of a malformed request.
const WITHOUT_CREDIT: &str = "credit balance is too low";

/// Gemini's word for an account that may not be served: no billing, or a country without the free tier.
const PRECONDITION: &[&str] = &["FAILED_PRECONDITION"];

/// Error codes of a server that has too much to do.
const OVERLOADED: &[&str] = &["overloaded_error", "overloaded", "engine_overloaded", "UNAVAILABLE"];

/// Error codes of a key that is not accepted, where the status does not say so (Gemini answers 400).
const UNAUTHORIZED: &[&str] = &["API_KEY_INVALID", "invalid_api_key", "API_KEY_SERVICE_BLOCKED"];

/// Error codes of a content filter in front of the model.
const FILTERED: &[&str] = &["content_filter", "content_policy_violation"];

/// Error codes of a request parameter that the model does not take.
const UNSUPPORTED: &[&str] = &["unsupported_parameter", "unsupported_value", "unknown_parameter"];

/// Error codes of a request that is too long, whatever else is in it.
const TOO_LONG: &[&str] = &["context_length_exceeded", "string_above_max_length"];

/// Error types whose message, and nothing else, names the parameter.
const TALKATIVE: &[&str] = &["invalid_request_error", "INVALID_ARGUMENT"];

/// An error response.
#[derive(Debug)]
pub(super) struct Complaint {
    status: StatusCode,
    code: Option<String>,
    kind: Option<String>,
    param: Option<String>,
    /// `google.rpc.ErrorInfo.reason`.
    reason: Option<String>,
    request_id: Option<String>,
    /// The parameter of ours that the message speaks of, where no field does.
    mentioned: Option<Parameter>,
    /// The message says that the account has no money.
    is_without_credit: bool,
    /// A quota that is renewed by the day.
    is_daily: bool,
    /// `x-should-retry: false`: the provider knows that a retry cannot help.
    is_hopeless: bool,
    pause: Option<Duration>,
}

impl Complaint {
    /// Reads status, headers, and the body's `error`; vLLM sends its members without the outer object. `now` is only for a
    /// `Retry-After` date in a response without a `Date`.
    pub(super) fn read(received: &Received, now: SystemTime) -> Self {
        let body: Value = serde_json::from_slice(&received.body).unwrap_or_default();
        let error = body.get("error").unwrap_or(&body);
        let text = |name: &str| received.headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = text("x-request-id").or_else(|| text("request-id")).map(Value::from);
        let kind = error.get("type").or_else(|| error.get("status")).and_then(word);
        let is_talkative = kind.as_deref().is_some_and(|kind| TALKATIVE.contains(&kind));
        let message = error.get("message").and_then(Value::as_str).filter(|_| is_talkative);
        let info = details(error, "google.rpc.ErrorInfo").next();
        Self {
            status: received.status,
            code: error.get("code").and_then(word),
            kind,
            param: error.get("param").and_then(word),
            reason: info.and_then(|info| info.get("reason")).and_then(word),
            request_id: request_id.as_ref().and_then(word),
            mentioned: message.and_then(Parameter::within),
            is_without_credit: message.is_some_and(|text| text.contains(WITHOUT_CREDIT)),
            is_daily: details(error, "google.rpc.QuotaFailure").any(is_daily),
            is_hopeless: text("x-should-retry") == Some("false"),
            // Where header and body disagree, whoever waits longer is right with both.
            pause: hints::pause(&received.headers, now).max(retry_info(error)),
        }
    }

    /// The parameter that the model does not take.
    pub(super) fn unsupported_parameter(&self) -> Option<Parameter> {
        if self.status != StatusCode::BAD_REQUEST {
            return None;
        }
        let named = self.param.as_deref().filter(|_| self.says(UNSUPPORTED)).and_then(Parameter::of);
        // OpenAI names parameters in a field; what its messages mention may be wrong in its value only.
        named.or(self.mentioned.filter(|_| self.param.is_none()))
    }

    /// Whether the request was refused for a reason that may lie in its schema: the complaint names nothing else.
    pub(super) fn is_unexplained(&self) -> bool {
        let is_schema = |name: &str| Parameter::of(name) == Some(Parameter::Schema);
        let is_open = self.param.as_deref().is_none_or(is_schema) && !self.says(TOO_LONG);
        self.status == StatusCode::BAD_REQUEST && is_open
    }

    /// Whether the schema was found to be outside of the strict dialect.
    pub(super) fn about_schema(&self) -> bool {
        let is_param = || self.param.as_deref().and_then(Parameter::of) == Some(Parameter::Schema);
        let says_so = self.says(&["invalid_json_schema"]) || self.mentioned == Some(Parameter::Schema) || is_param();
        self.status == StatusCode::BAD_REQUEST && says_so
    }

    /// Whether it can be the key's fault. A model that is not known is not known with another key either.
    pub(super) fn is_about_key(&self) -> bool {
        self.status != StatusCode::NOT_FOUND
    }

    /// Whether asking again may help.
    pub(super) fn transient(&self) -> bool {
        self.is_passing() && !self.is_hopeless && !self.is_exhausted()
    }

    fn is_passing(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 409 | 425 | 429) || self.status.is_server_error()
    }

    fn is_exhausted(&self) -> bool {
        self.says(EXHAUSTED) || self.is_without_credit || self.is_daily || self.status == StatusCode::PAYMENT_REQUIRED
    }

    /// As a failure of the provider named `provider`, with the pause that it asks for.
    pub(super) fn failure(&self, provider: &str) -> Failure {
        let (code, advice) = match self.status.as_u16() {
            _ if self.is_exhausted() => (Code::ProviderQuotaExhausted, "add credit or raise the account's limit"),
            _ if self.says(FILTERED) => (Code::ProviderRefused, "its content filter declined the prompt"),
            _ if self.says(UNAUTHORIZED) => (Code::ProviderUnauthorized, "it does not accept the API key"),
            400 if self.says(PRECONDITION) => {
                (Code::ProviderUnauthorized, "check the account's billing and the countries that it may be used from")
            }
            429 => (Code::ProviderRateLimited, "it asks for a pause"),
            401 | 403 => (Code::ProviderUnauthorized, "check the API key, in the variable that api_key_env names"),
            404 => (Code::ProviderUnauthorized, "check the model name and base_url"),
            400 | 413 | 415 | 422 => (Code::ProviderRejected, "it does not accept this request"),
            300..=399 => (Code::ProviderUnavailable, "redirects are not followed; set base_url to the final address"),
            405..=499 => (Code::ProviderUnavailable, "check that base_url is the API that kind names"),
            529 => (Code::ProviderOverloaded, "it has too much to do"),
            _ if self.says(OVERLOADED) => (Code::ProviderOverloaded, "it has too much to do"),
            _ => (Code::ProviderUnavailable, "it failed on its side"),
        };
        Failure::new(code, format!("{provider} answered {}: {advice}", self.facts()))
            .retry_after(self.pause.filter(|_| self.is_passing() && code != Code::ProviderQuotaExhausted))
    }

    fn says(&self, words: &[&str]) -> bool {
        let said = [&self.code, &self.kind, &self.reason];
        said.into_iter().flatten().any(|word| words.contains(&word.as_str()))
    }

    fn facts(&self) -> String {
        let mut text = format!("HTTP {}", self.status.as_u16());
        for (name, value) in [
            ("code", &self.code),
            ("type", &self.kind),
            ("reason", &self.reason),
            ("param", &self.param),
            ("request", &self.request_id),
        ] {
            if let Some(value) = value {
                text.push_str(&format!(", {name} {value}"));
            }
        }
        text
    }
}

/// The entries of Gemini's `details` with this `@type`.
fn details<'a>(error: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let entries = error.get("details").and_then(Value::as_array).into_iter().flatten();
    entries.filter(move |entry| entry.get("@type").and_then(Value::as_str).is_some_and(|found| found.ends_with(kind)))
}

/// `retryDelay`: seconds, possibly with a fraction, and an `s` (protobuf's JSON form of a Duration).
fn retry_info(error: &Value) -> Option<Duration> {
    let delay = details(error, "google.rpc.RetryInfo").find_map(|info| info.get("retryDelay")?.as_str())?;
    hints::seconds(delay.strip_suffix('s')?)
}

fn is_daily(quota: &Value) -> bool {
    let violations = quota.get("violations").and_then(Value::as_array).into_iter().flatten();
    violations.filter_map(|violation| violation.get("quotaId")?.as_str()).any(|id| id.contains("PerDay"))
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
