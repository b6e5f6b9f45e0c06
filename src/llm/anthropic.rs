//! Anthropic Messages.
//!
//! Format: <https://docs.anthropic.com/en/api/messages>; structured output as `output_config.format` of type
//! `json_schema`.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName};
use serde_json::{Value, json};

use super::fields::{self, answer_text, at, finish, tokens};
use super::http_exchange::HttpResponse;
use super::request_parameters::RequestParameters;
use super::settings::{AnthropicAuth, TokenLimitField};
use super::wire_format::{self, ChatRequest, WireFormat};
use crate::domain::answer::Usage;
use crate::ports::model::{Finish, Reply};

/// The format in one of its versions.
#[derive(Debug)]
pub(super) struct Anthropic {
    version: String,
    auth: AnthropicAuth,
}

impl Anthropic {
    pub(super) fn new(version: &str, auth: AnthropicAuth) -> Self {
        Self { version: version.to_owned(), auth }
    }
}

impl WireFormat for Anthropic {
    fn answer(&self) -> &'static str {
        "message"
    }

    fn path(&self, _model: &str) -> Vec<String> {
        vec!["v1".to_owned(), "messages".to_owned()]
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("anthropic-version", self.version.clone())]
    }

    fn key(&self, key: &str) -> (HeaderName, String) {
        match self.auth {
            AnthropicAuth::ApiKey => (HeaderName::from_static("x-api-key"), key.to_owned()),
            AnthropicAuth::Bearer => (AUTHORIZATION, format!("Bearer {key}")),
        }
    }

    fn body(&self, request: &ChatRequest<'_>) -> Value {
        let call = request.call;
        let mut messages = vec![json!({ "role": "user", "content": call.prompt })];
        if let Some(correction) = call.correction {
            // An empty turn is refused.
            if !correction.answer.trim().is_empty() {
                messages.push(json!({ "role": "assistant", "content": correction.answer.trim_end() }));
            }
            messages.push(json!({ "role": "user", "content": wire_format::correction(correction.errors) }));
        }
        let mut body = json!({
            "model": request.model,
            "max_tokens": request.max_tokens,
            "system": request.system,
            "messages": messages,
        });
        if let Some(schema) = request.schema {
            body["output_config"] = json!({ "format": { "type": "json_schema", "schema": schema } });
        }
        if let Some(temperature) = request.temperature {
            // Anthropic's range ends at 1.
            body["temperature"] = temperature.min(1.0).into();
        }
        body
    }

    fn reply(&self, body: &Value, response: &HttpResponse) -> Result<Reply, String> {
        let finish = finish(at(body, &["stop_reason"]));
        // Blocks of other types (thinking, tool use) are left out.
        let text = match (answer_text(at(body, &["content"]))?, finish) {
            (None, Finish::Complete) => return Err("it has no text".to_owned()),
            (text, _) => text.unwrap_or_default(),
        };
        Ok(Reply {
            text,
            model: fields::text(at(body, &["model"])).unwrap_or_default().to_owned(),
            finish,
            usage: usage(at(body, &["usage"])),
            confidence: None,
            logprobs: Vec::new(),
            response_id: response.response_id(at(body, &["id"]), "request-id"),
            pause: None,
        })
    }

    fn parameters(&self, _url: &Url) -> RequestParameters {
        RequestParameters { token_limit: TokenLimitField::MaxTokens, temperature: true, schema: true, logprobs: false }
    }
}

/// Anthropic counts what goes through its prompt cache beside `input_tokens`, the others within.
fn usage(usage: &Value) -> Usage {
    let figure = |path: &[&str]| tokens(at(usage, path));
    let cached = figure(&["cache_read_input_tokens"]);
    Usage {
        input_tokens: figure(&["input_tokens"]) + cached + figure(&["cache_creation_input_tokens"]),
        output_tokens: figure(&["output_tokens"]),
        cached_tokens: cached,
        reasoning_tokens: figure(&["output_tokens_details", "thinking_tokens"]),
    }
}
