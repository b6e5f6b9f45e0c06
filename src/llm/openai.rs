//! OpenAI chat completions, and every server that speaks them (vLLM, llama.cpp, Ollama, gateways).
//!
//! Format: <https://platform.openai.com/docs/api-reference/chat>; structured output as `response_format` of type
//! `json_schema`. Error details quote codes and parameter names, never messages: those may repeat the prompt.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;

use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};
use crate::llm::exchange::Exchange;
use crate::llm::openai::error::Complaint;
use crate::llm::openai::formats::{Format, Formats};
use crate::llm::openai::habits::{Habits, Learned, TokenLimit};
use crate::llm::retry::{self, Attempt};
use crate::llm::settings::OpenAiSettings;
use crate::ports::clock::{Clock, SystemClock};
use crate::ports::model::{Call, Model, Reply};

mod dialect;
mod error;
mod formats;
mod habits;
mod request;
mod response;

/// One OpenAI-compatible provider.
#[derive(Debug)]
pub struct OpenAi {
    name: String,
    model: String,
    max_tokens: u32,
    temperature: Option<f64>,
    max_retries: u32,
    price_per_1k: (f64, f64),
    exchange: Exchange,
    formats: Formats,
    learned: Learned,
}

impl OpenAi {
    /// A provider named `name` with its own connection pool. Connects to nothing yet.
    ///
    /// # Errors
    /// A sentence that says which setting is not usable, and why.
    pub fn new(name: &str, settings: &OpenAiSettings) -> Result<Self, String> {
        let url = endpoint(&settings.base_url)?;
        let limit = token_limit(&url);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(key) = &settings.api_key {
            let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.expose()))
                .map_err(|_| "the API key contains characters that no key has; check for a line break".to_owned())?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        Ok(Self {
            name: name.to_owned(),
            model: settings.model.clone(),
            max_tokens: settings.max_tokens,
            temperature: settings.temperature,
            max_retries: settings.max_retries,
            price_per_1k: settings.price_per_1k,
            exchange: Exchange::new(url, headers, settings.timeout)?,
            formats: Formats::default(),
            learned: Learned::new(limit),
        })
    }

    /// One exchange.
    async fn attempt(&self, call: &Call<'_>, format: &Format) -> Result<Reply, Attempt> {
        let habits = self.learned.habits();
        // Read once: another call may give up the strict form while this one waits for its answer.
        let strict = habits.response_format && format.strict();
        let response_format = habits.response_format.then(|| format.response_format(strict));
        let body = self.body(call, response_format, habits).map_err(Attempt::Final)?;
        let received =
            self.exchange.post(body).await.map_err(|broken| Attempt::Transient(broken.into_failure(&self.name)))?;
        if received.status.is_success() {
            let reply = response::reply(&received).map_err(|reason| Attempt::Transient(self.unusable(&reason)))?;
            return Ok(if strict { response::pruned(reply, call.schema) } else { reply });
        }
        let complaint = Complaint::read(&received);
        let pause = complaint.asks_for_pause().then(|| retry::retry_after(&received.headers, now())).flatten();
        let failure = complaint.failure(&self.name).retry_after(pause);
        if self.adapt(&complaint, habits, format, strict) {
            return Err(Attempt::Adapted(failure));
        }
        Err(if complaint.transient() { Attempt::Transient(failure) } else { Attempt::Final(failure) })
    }

    /// Whether the complaint names something of ours that we can do without, so that the call is worth repeating.
    fn adapt(&self, complaint: &Complaint, habits: Habits, format: &Format, strict: bool) -> bool {
        if strict && complaint.about_schema() {
            if format.loosen() {
                tracing::info!(provider = self.name, "the provider refuses the strict form of a schema; sent as it is");
            }
            return true;
        }
        complaint.unsupported_parameter().is_some_and(|name| self.learned.without(&self.name, name, habits))
    }

    fn body(&self, call: &Call<'_>, response_format: Option<&Value>, habits: Habits) -> Result<Bytes, Failure> {
        let tokens = call.max_tokens.unwrap_or(self.max_tokens);
        let request = request::Request {
            model: &self.model,
            messages: request::messages(call),
            response_format,
            max_completion_tokens: (habits.tokens == TokenLimit::MaxCompletionTokens).then_some(tokens),
            max_tokens: (habits.tokens == TokenLimit::MaxTokens).then_some(tokens),
            temperature: call.temperature.or(self.temperature).filter(|_| habits.temperature),
        };
        serde_json::to_vec(&request)
            .map(Bytes::from)
            .map_err(|e| Failure::new(Code::InternalError, format!("the request cannot be written as JSON: {e}")))
    }

    fn unusable(&self, reason: &str) -> Failure {
        Failure::new(
            Code::ProviderMalformed,
            format!("the answer of {} is not a chat completion: {reason}; check that base_url is right", self.name),
        )
    }
}

impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.name
    }

    fn family(&self) -> &str {
        &self.model
    }

    #[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
    fn cost_usd(&self, usage: Usage) -> f64 {
        let (input, output) = self.price_per_1k;
        (usage.input_tokens as f64 * input + usage.output_tokens as f64 * output) / 1000.0
    }

    fn ask<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let format = self.formats.of(call.schema_name, call.schema);
            retry::run(self.max_retries, || self.attempt(call, &format)).await
        })
    }
}

/// `{base_url}/chat/completions`; a query (Azure's `api-version`) stays where it is.
fn endpoint(base_url: &str) -> Result<Url, String> {
    let mut url = Url::parse(base_url).map_err(|e| format!("base_url is not a URL ({e}); write http(s)://host/v1"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("base_url has the scheme {:?}; write http(s)://host/v1", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("base_url contains a user name or password; give the key as the API key".to_owned());
    }
    match url.path_segments_mut() {
        Ok(mut path) => path.pop_if_empty().extend(["chat", "completions"]),
        Err(()) => return Err("base_url has no path; write http(s)://host/v1".to_owned()),
    };
    Ok(url)
}

/// OpenAI's own reasoning models refuse `max_tokens`, many other servers ignore or refuse `max_completion_tokens`. A wrong
/// first guess is corrected by the first 400 that names it.
fn token_limit(url: &Url) -> TokenLimit {
    match url.host_str() {
        // Regional hosts are `eu.api.openai.com` and the like.
        Some(host) if host == "api.openai.com" || host.ends_with(".api.openai.com") => TokenLimit::MaxCompletionTokens,
        _ => TokenLimit::MaxTokens,
    }
}

/// Only for a `Retry-After` date in a response without a `Date`.
fn now() -> SystemTime {
    UNIX_EPOCH.checked_add(SystemClock.now()).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_below_the_base_url() {
        for (base, whole) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1/chat/completions"),
            ("http://localhost:1", "http://localhost:1/chat/completions"),
            ("https://x.example/openai/v1?api-version=1", "https://x.example/openai/v1/chat/completions?api-version=1"),
        ] {
            assert_eq!(endpoint(base).unwrap().as_str(), whole);
        }
        for refused in ["", "api.openai.com/v1", "ftp://x/v1", "https://user:pw@x/v1", "data:x"] {
            let reason = endpoint(refused).unwrap_err();
            assert!(!reason.contains("pw"), "{reason}");
        }
    }

    #[test]
    fn only_openai_itself_is_sent_max_completion_tokens_at_first() {
        let limit = |base| token_limit(&endpoint(base).unwrap());
        assert_eq!(limit("https://api.openai.com/v1"), TokenLimit::MaxCompletionTokens);
        assert_eq!(limit("https://eu.api.openai.com/v1"), TokenLimit::MaxCompletionTokens);
        assert_eq!(limit("https://api.openai.com.evil.example/v1"), TokenLimit::MaxTokens);
        assert_eq!(limit("http://127.0.0.1:8000/v1"), TokenLimit::MaxTokens);
    }
}
