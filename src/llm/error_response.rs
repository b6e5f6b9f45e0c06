//! What an error response says, by its status, its headers and its body.
//!
//! One reader knows the words and shapes of all formats ([`body`]), because gateways in front of them mix them. An
//! error may also come under status 200, or under a status that is the gateway's own: where the body has a status, that
//! one counts.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use serde_json::Value;

use super::http_exchange::HttpResponse;
use super::request_parameters::Parameter;
use super::retry_hints;
use crate::domain::failure::{Code, Failure};
use crate::llm::error_response::body::{ErrorBody, word};
use crate::ports::model::Finish;

mod body;

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
    "exceeded_current_quota_error",
    "insufficient_balance",
    "insufficient_user_quota",
];

/// The words that Anthropic has for an account without money, where type and status are those of a malformed request.
const WITHOUT_CREDIT: &str = "credit balance is too low";

/// Gemini's word for an account that may not be served: no billing, or a country without the free tier.
const PRECONDITION: &[&str] = &["FAILED_PRECONDITION"];

/// Error codes of a server that has too much to do.
const OVERLOADED: &[&str] = &["overloaded_error", "overloaded", "engine_overloaded", "UNAVAILABLE"];

/// Error codes of a key that is not accepted, where the status does not say so (Gemini answers 400).
const UNAUTHORIZED: &[&str] = &[
    "API_KEY_INVALID",
    "API_KEY_EXPIRED",
    "API_KEY_SERVICE_BLOCKED",
    "API_KEY_IP_ADDRESS_BLOCKED",
    "API_KEY_HTTP_REFERRER_BLOCKED",
    "ACCESS_TOKEN_EXPIRED",
    "CREDENTIALS_MISSING",
    "SERVICE_DISABLED",
    "CONSUMER_SUSPENDED",
    "UNAUTHENTICATED",
    "invalid_api_key",
    "invalid_authentication",
    "authentication_error",
];

/// What Gemini's compatible endpoint says of a key where it has no word for it. Only as a message's beginning: what
/// follows may be a quotation.
const KEY_MESSAGES: &[&str] =
    &["API key not valid", "API key expired", "API Key not found", "Please pass a valid API key"];

/// Words for statuses, where a body has no number: `(word, status)`.
const STATUS_WORDS: &[(&str, u16)] = &[
    ("rate_limit_exceeded", 429),
    ("rate_limit_error", 429),
    ("rate_limit_reached", 429),
    ("too_many_requests", 429),
    ("slow_down", 429),
    ("throttling", 429),
    ("RESOURCE_EXHAUSTED", 429),
    ("authentication_error", 401),
    ("UNAUTHENTICATED", 401),
    ("unauthorized", 401),
    ("invalid_api_key", 401),
    ("payment_required", 402),
    ("permission_error", 403),
    ("permission_denied_error", 403),
    ("forbidden", 403),
    ("PERMISSION_DENIED", 403),
    ("model_not_found", 404),
    ("not_found_error", 404),
    ("NOT_FOUND", 404),
    ("request_too_large", 413),
    ("context_length_exceeded", 400),
    ("content_filter", 400),
    ("content_policy_violation", 400),
    ("invalid_request_error", 400),
    ("BadRequestError", 400),
    ("INVALID_ARGUMENT", 400),
    ("overloaded_error", 529),
    ("UNAVAILABLE", 503),
    ("timeout_error", 504),
    ("DEADLINE_EXCEEDED", 504),
];

/// Error codes of a content filter in front of the model.
const FILTERED: &[&str] = &["content_filter", "content_policy_violation"];

/// Error codes of a request parameter that the model does not take.
const UNSUPPORTED: &[&str] = &["unsupported_parameter", "unsupported_value", "unknown_parameter"];

/// Error codes of a request that is too long, whatever else is in it.
const TOO_LONG: &[&str] = &["context_length_exceeded", "exceed_context_size_error", "string_above_max_length"];

/// Error codes of an answer that the model did not get right under the server's own control.
const FAILED_GENERATION: &[&str] = &["json_validate_failed", "output_parse_failed"];

/// How such an error begins that the token limit is the cause of.
const FAILED_AT_LIMIT: &str = "max completion tokens reached";

/// Error types whose message, and nothing else, names the parameter.
const TALKATIVE: &[&str] = &["invalid_request_error", "INVALID_ARGUMENT"];

/// An error response.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    /// HTTP status.
    http: u16,
    /// The status that counts.
    status: u16,
    body: ErrorBody,
    request_id: Option<String>,
    /// `x-should-retry: false`: the provider knows that a retry cannot help.
    is_hopeless: bool,
    pause: Option<Duration>,
}

impl ErrorResponse {
    /// Of a response with an error status; a body that is not JSON says nothing. `now` is only for a `Retry-After` date
    /// in a response without a `Date`.
    pub(super) fn read(response: &HttpResponse, body: Option<&Value>, now: SystemTime) -> Self {
        Self::new(response, ErrorBody::read(body.unwrap_or(&Value::Null)), now)
    }

    /// Of a successful response that reports an error in its body.
    pub(super) fn reported(response: &HttpResponse, body: &Value, now: SystemTime) -> Option<Self> {
        ErrorBody::reported(body).map(|body| Self::new(response, body, now))
    }

    fn new(response: &HttpResponse, body: ErrorBody, now: SystemTime) -> Self {
        let text = |name: &str| response.headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = text("x-request-id").or_else(|| text("request-id")).map(Value::from);
        Self {
            http: response.status.as_u16(),
            status: status(response.status, &body),
            request_id: request_id.as_ref().and_then(word),
            is_hopeless: text("x-should-retry") == Some("false"),
            // Where header and body disagree, whoever waits longer is right with both.
            pause: retry_hints::pause(&response.headers, now).max(body.pause),
            body,
        }
    }

    /// Whether the answer that came with it broke off.
    pub(super) fn has_broken_off(&self) -> bool {
        self.body.has_broken_off
    }

    /// What the model said, and how it ended, where the server refused not the request but the model's answer: an
    /// invalid answer like any other, and the record's, not the server's.
    pub(super) fn failed_generation(&self) -> Option<(String, Finish)> {
        if !self.is_bad_request() || !(self.says(FAILED_GENERATION) || self.body.failed_generation.is_some()) {
            return None;
        }
        let is_cut = self.body.message.as_deref().is_some_and(|message| message.starts_with(FAILED_AT_LIMIT));
        let finish = if is_cut { Finish::Truncated } else { Finish::Complete };
        Some((self.body.failed_generation.clone().unwrap_or_default(), finish))
    }

    /// The parameter that the model does not take.
    pub(super) fn unsupported_parameter(&self) -> Option<Parameter> {
        if !self.is_bad_request() {
            return None;
        }
        let named = self.body.param.as_deref().filter(|_| self.says(UNSUPPORTED)).and_then(Parameter::of);
        // OpenAI names parameters in a field; what its messages mention may be wrong in its value only.
        named.or_else(|| self.mentioned().filter(|_| self.body.param.is_none()))
    }

    /// Whether the request was refused for a reason that may lie in its schema: the error names nothing else.
    pub(super) fn is_unexplained(&self) -> bool {
        let is_open = self.body.param.as_deref().is_none_or(is_schema) && !self.says(TOO_LONG);
        self.is_bad_request() && is_open
    }

    /// Whether the schema was found to be outside of the strict dialect.
    pub(super) fn about_schema(&self) -> bool {
        let says_so = self.says(&["invalid_json_schema"])
            || self.mentioned() == Some(Parameter::Schema)
            || self.body.param.as_deref().is_some_and(is_schema);
        self.is_bad_request() && says_so
    }

    /// Whether the server failed in a way that may have its reason in the request: not busy, not behind a gateway that
    /// waits.
    pub(super) fn has_failed(&self) -> bool {
        let is_failure = self.status >= 500 && !matches!(self.status, 503 | 504 | 529) && !self.says(OVERLOADED);
        is_failure && self.pause.is_none() && self.transient()
    }

    /// Whether it can be the key's fault. A model that is not known is not known with another key either.
    pub(super) fn is_about_key(&self) -> bool {
        self.status != 404
    }

    /// Whether asking again may help.
    pub(super) fn transient(&self) -> bool {
        self.is_passing() && !self.is_hopeless && !self.is_exhausted() && !self.is_unauthorized()
    }

    /// 422 is what FastAPI, DeepSeek and Hugging Face's servers call it.
    fn is_bad_request(&self) -> bool {
        matches!(self.status, 400 | 422)
    }

    fn is_passing(&self) -> bool {
        matches!(self.status, 408 | 409 | 425 | 429) || self.status >= 500
    }

    fn is_exhausted(&self) -> bool {
        let is_without_credit = self.telling_message().is_some_and(|text| text.contains(WITHOUT_CREDIT));
        self.says(EXHAUSTED) || is_without_credit || self.body.is_daily || self.status == 402
    }

    fn is_filtered(&self) -> bool {
        self.says(FILTERED) || self.body.is_flagged
    }

    fn is_unauthorized(&self) -> bool {
        let message = self.body.message.as_deref().unwrap_or_default();
        self.says(UNAUTHORIZED) || KEY_MESSAGES.iter().any(|beginning| message.starts_with(beginning))
    }

    /// As a failure of the provider named `provider`, with the pause that it asks for.
    pub(super) fn failure(&self, provider: &str) -> Failure {
        let (code, advice) = match self.status {
            _ if self.is_exhausted() => (Code::ProviderQuotaExhausted, "add credit or raise the account's limit"),
            _ if self.is_filtered() => (Code::ProviderRefused, "its content filter declined the prompt"),
            _ if self.is_unauthorized() => (Code::ProviderUnauthorized, "it does not accept the API key"),
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
        self.body.words().any(|said| words.iter().any(|word| is_same(said, word)))
    }

    /// The message of an error type that names parameters in no other way.
    fn telling_message(&self) -> Option<&str> {
        let is_talkative = self.body.kind.as_deref().is_some_and(|kind| TALKATIVE.contains(&kind));
        self.body.message.as_deref().filter(|_| is_talkative)
    }

    /// The parameter of ours that the message speaks of, where no field does.
    fn mentioned(&self) -> Option<Parameter> {
        self.telling_message().and_then(Parameter::within)
    }

    fn facts(&self) -> String {
        let mut text = format!("HTTP {}", self.http);
        for (name, value) in [
            ("code", &self.body.code),
            ("type", &self.body.kind),
            ("reason", &self.body.reason),
            ("param", &self.body.param),
            ("request", &self.request_id),
        ] {
            if let Some(value) = value {
                text.push_str(&format!(", {name} {value}"));
            }
        }
        text
    }
}

fn is_schema(name: &str) -> bool {
    Parameter::of(name) == Some(Parameter::Schema)
}

/// Whether two words are one, however they are written: `rate_limit_error` is `RateLimitError`.
fn is_same(said: &str, word: &str) -> bool {
    let letters = |text: &str| {
        text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>()
    };
    letters(said) == letters(word)
}

/// The status that counts: the body's where it has one, by number or by word. A status that makes everybody wait (a
/// key, money, a limit) gives way only to another such: no record may be blamed for it.
fn status(http: StatusCode, body: &ErrorBody) -> u16 {
    let makes_wait = |status: u16| matches!(status, 401 | 402 | 403 | 429);
    let by_word = body.words().find_map(|said| STATUS_WORDS.iter().find(|(word, _)| is_same(said, word)));
    let by_word = by_word.map(|(_, status)| *status);
    // A word says more than a number: Google's 403 may be a limit.
    let waits = by_word.into_iter().chain(body.status).find(|status| makes_wait(*status));
    match (http.as_u16(), waits) {
        // A request that is larger than any limit. Groq calls it `rate_limit_exceeded`, but no waiting makes it
        // smaller.
        (413, _) => 413,
        (_, Some(status)) => status,
        (http, None) if makes_wait(http) => http,
        (_, None) if http.is_success() => body.status.or(by_word).unwrap_or(StatusCode::BAD_GATEWAY.as_u16()),
        (http, None) => body.status.unwrap_or(http),
    }
}

#[cfg(test)]
mod tests;
