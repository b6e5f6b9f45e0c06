//! What an error body says, whatever its shape.
//!
//! Servers send `{"error": {…}}`, `[{"error": {…}}]` (Gemini's compatible endpoint), `{"error": "text"}`,
//! `{"message": …, "code": …}` and `{"object": "error", …}` (vLLM), `{"detail": …}` (FastAPI), `{"errors": […]}`, and
//! gateways put the body of whoever is behind them into a message as text. The innermost object that has a fact is
//! believed.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::llm::fields::{at, count, finish, first, text};
use crate::llm::retry_hints;
use crate::ports::model::Finish;

/// Members that hold an error, or several, as JSON or as text of it. `metadata.raw` is a gateway's (OpenRouter).
const NESTED: [&str; 7] = ["error", "errors", "detail", "message", "metadata", "raw", "choices"];

/// How deep errors may lie within each other.
const MAX_DEPTH: usize = 6;

/// Codes that say that there is no error.
const SUCCESS: [&str; 4] = ["0", "200", "ok", "success"];

/// The finish of an answer that broke off because the server behind a gateway failed.
const BROKEN_OFF: [&str; 2] = ["error", "network_error"];

/// The facts of an error body. Its message stays within: it may quote the prompt or the key.
#[derive(Debug, Default)]
pub(super) struct ErrorBody {
    /// An HTTP status.
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) param: Option<String>,
    /// `google.rpc.ErrorInfo.reason`, or that of an entry of `errors`.
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    /// What the model said, where the server could not make the answer out of it that was asked for (Groq).
    pub(super) failed_generation: Option<String>,
    /// A quota that is renewed by the day.
    pub(super) is_daily: bool,
    /// A gateway's moderation declined the prompt, and quotes it (OpenRouter, under the status of a refused key).
    pub(super) is_flagged: bool,
    /// `google.rpc.RetryInfo.retryDelay`.
    pub(super) pause: Option<Duration>,
    /// The answer beside the error broke off.
    pub(super) has_broken_off: bool,
}

impl ErrorBody {
    /// Of the body of an error response.
    pub(super) fn read(body: &Value) -> Self {
        let mut facts = Self::default();
        facts.collect(body, MAX_DEPTH);
        facts
    }

    /// Of the body of a successful response, if it reports an error.
    pub(super) fn reported(body: &Value) -> Option<Self> {
        let whole = if body.is_array() { first(body) } else { body };
        let choice = first(at(whole, &["choices"]));
        let reason = at(choice, &["finish_reason"]);
        let has_broken_off = reason.as_str().is_some_and(|reason| BROKEN_OFF.contains(&reason));
        // An answer that a filter stopped is a refusal, whatever else is said of it.
        let is_refusal = finish(reason) == Finish::Refused;
        if !is_refusal && (has_broken_off || is_error(at(choice, &["error"]))) {
            return Some(Self { has_broken_off: true, ..Self::read(choice) });
        }
        reports_error(whole).then(|| Self::read(whole))
    }

    /// Every word by which an error is classified.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        [&self.code, &self.reason, &self.kind].into_iter().flatten().map(String::as_str)
    }

    fn collect(&mut self, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match value {
            Value::Array(_) => self.collect(first(value), depth),
            Value::Object(fields) => {
                for inner in NESTED.iter().filter_map(|name| fields.get(*name)) {
                    self.collect_inner(inner, depth);
                }
                self.take(fields);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// A member may be an error, or JSON text of one.
    fn collect_inner(&mut self, inner: &Value, depth: usize) {
        match inner.as_str().map(str::trim) {
            Some(text) if text.starts_with(['{', '[']) => {
                if let Ok(json) = serde_json::from_str::<Value>(text) {
                    self.collect(&json, depth);
                }
            }
            Some(_) => {}
            None => self.collect(inner, depth),
        }
    }

    /// The facts of one object that nothing within it had.
    fn take(&mut self, fields: &Map<String, Value>) {
        let member = |names: &[&str]| names.iter().find_map(|name| fields.get(*name).filter(|value| !value.is_null()));
        let numbers = ["code", "status", "status_code", "statusCode", "http_status", "error_code"];
        let status = numbers.iter().filter_map(|name| fields.get(*name)).find_map(error_status);
        self.status = self.status.or(status);
        self.is_flagged |= fields.contains_key("flagged_input");
        self.failed_generation = self.failed_generation.take().or_else(|| generation(fields.get("failed_generation")?));
        let set = |fact: &mut Option<String>, names: &[&str]| {
            *fact = fact.take().or_else(|| member(names).and_then(word));
        };
        set(&mut self.code, &["code", "error_code"]);
        set(&mut self.param, &["param"]);
        set(&mut self.reason, &["reason"]);
        self.param = self.param.take().or_else(|| location(fields.get("loc")?));
        let kind = member(&["type"]).and_then(word).filter(|kind| kind != "error");
        let kind = kind.or_else(|| member(&["error_type", "status"]).and_then(word));
        self.kind = self.kind.take().or(kind);
        // An error that is one word is a code.
        let bare = member(&["error"]).filter(|error| error.is_string());
        self.code = self.code.take().or_else(|| bare.and_then(word));
        let message = member(&["message", "msg", "detail"]).or(bare).and_then(text);
        self.message = self.message.take().or_else(|| message.map(str::to_owned));
        self.take_details(fields);
    }

    /// Google's list of typed details.
    fn take_details(&mut self, fields: &Map<String, Value>) {
        for detail in fields.get("details").and_then(Value::as_array).into_iter().flatten() {
            let kind = at(detail, &["@type"]).as_str().unwrap_or_default();
            if kind.ends_with("google.rpc.ErrorInfo") {
                self.reason = self.reason.take().or_else(|| word(at(detail, &["reason"])));
            } else if kind.ends_with("google.rpc.RetryInfo") {
                self.pause = self.pause.or_else(|| retry_delay(at(detail, &["retryDelay"])));
            } else if kind.ends_with("google.rpc.QuotaFailure") {
                self.is_daily |= is_daily(detail);
            }
        }
    }
}

/// Whether a success body says that it is none. `error: null`, `{}`, `""`, `false` and `{"code": 0}` say nothing.
fn reports_error(body: &Value) -> bool {
    let says_so = |name: &str| at(body, &[name]).as_str() == Some("error");
    let is_flat = at(body, &["message"]).is_string() || at(body, &["msg"]).is_string();
    let has_code = ["code", "status_code", "status"].iter().any(|name| error_status(at(body, &[name])).is_some());
    ["error", "errors", "detail"].iter().any(|name| is_error(at(body, &[name])))
        || ["object", "type", "status"].into_iter().any(says_so)
        || (is_flat && has_code)
}

fn is_error(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_error) => *is_error,
        Value::Number(_) => error_status(value).is_some(),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(errors) => errors.iter().any(is_error),
        Value::Object(fields) => {
            let code = fields.get("code").and_then(word);
            let is_success = code.is_some_and(|code| SUCCESS.contains(&code.to_ascii_lowercase().as_str()));
            !is_success && fields.values().any(|value| is_error(value) || count(value).is_some_and(|number| number > 0))
        }
    }
}

/// A number, also as text, that is the status of an HTTP error.
fn error_status(value: &Value) -> Option<u16> {
    u16::try_from(count(value)?).ok().filter(|status| (400..600).contains(status))
}

/// Text, or the object that it should have become.
fn generation(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(_) | Value::Array(_) => Some(value.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// FastAPI's path to what is wrong, `["body", "response_format", "type"]`.
fn location(path: &Value) -> Option<String> {
    let names = path.as_array()?.iter().filter_map(Value::as_str).filter(|name| *name != "body");
    let path: Vec<&str> = names.collect();
    word(&Value::from(path.join(".")))
}

/// Seconds, possibly with a fraction, and an `s` (protobuf's JSON form of a Duration).
fn retry_delay(delay: &Value) -> Option<Duration> {
    retry_hints::seconds(delay.as_str()?.strip_suffix('s')?)
}

fn is_daily(quota: &Value) -> bool {
    let violations = quota.get("violations").and_then(Value::as_array).into_iter().flatten();
    violations.filter_map(|violation| violation.get("quotaId")?.as_str()).any(|id| id.contains("PerDay"))
}

/// A value that is one word, as codes and parameter names are; anything longer may be text that quotes the prompt.
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']');
            (!text.is_empty() && text.len() <= 64 && text.chars().all(allowed)).then(|| text.clone())
        }
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
