//! Anthropic Messages.
//!
//! Format: <https://docs.anthropic.com/en/api/messages>; structured output as `output_config.format` of type `json_schema`.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::exchange::Received;
use super::habits::Habits;
use super::settings::{AnthropicAuth, TokenLimitField};
use super::wire::{self, Question, Wire};
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

impl Wire for Anthropic {
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

    fn body(&self, question: &Question<'_>) -> Value {
        let call = question.call;
        let mut messages = vec![json!({ "role": "user", "content": call.prompt })];
        if let Some(correction) = call.correction {
            // An empty turn is refused.
            if !correction.answer.trim().is_empty() {
                messages.push(json!({ "role": "assistant", "content": correction.answer.trim_end() }));
            }
            messages.push(json!({ "role": "user", "content": wire::correction(correction.errors) }));
        }
        let mut body = json!({
            "model": question.model,
            "max_tokens": question.max_tokens,
            "system": question.system,
            "messages": messages,
        });
        if let Some(schema) = question.schema {
            body["output_config"] = json!({ "format": { "type": "json_schema", "schema": schema } });
        }
        if let Some(temperature) = question.temperature {
            // Anthropic's range ends at 1.
            body["temperature"] = temperature.min(1.0).into();
        }
        body
    }

    fn reply(&self, received: &Received) -> Result<Reply, String> {
        let message: Message = wire::json(received)?;
        let finish = match message.stop_reason.as_deref() {
            Some("refusal") => Finish::Refused,
            Some("max_tokens" | "model_context_window_exceeded") => Finish::Truncated,
            _ => Finish::Complete,
        };
        let texts: Vec<&str> = message.content.iter().filter_map(|block| block.text.as_deref()).collect();
        if texts.is_empty() && finish == Finish::Complete {
            return Err("it has no text".to_owned());
        }
        Ok(Reply {
            text: texts.concat(),
            model: message.model.unwrap_or_default(),
            finish,
            usage: message.usage.unwrap_or_default().into(),
            confidence: None,
            response_id: received.response_id(message.id, "request-id"),
            pause: None,
        })
    }

    fn habits(&self, _url: &Url) -> Habits {
        Habits { token_limit: TokenLimitField::MaxTokens, temperature: true, schema: true, logprobs: false }
    }
}

#[derive(Deserialize)]
struct Message {
    id: Option<String>,
    model: Option<String>,
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<Tokens>,
}

/// Blocks of other types (thinking) have no `text`.
#[derive(Deserialize)]
struct Block {
    text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

impl From<Tokens> for Usage {
    /// Anthropic counts what goes through its prompt cache beside `input_tokens`, the others within.
    fn from(tokens: Tokens) -> Self {
        let cached = tokens.cache_read_input_tokens.unwrap_or(0);
        let created = tokens.cache_creation_input_tokens.unwrap_or(0);
        Self {
            input_tokens: tokens.input_tokens.unwrap_or(0).saturating_add(cached).saturating_add(created),
            output_tokens: tokens.output_tokens.unwrap_or(0),
            cached_tokens: cached,
            reasoning_tokens: tokens.output_tokens_details.and_then(|details| details.thinking_tokens).unwrap_or(0),
        }
    }
}
