//! OpenAI chat completions, and every server that speaks them (vLLM, llama.cpp, Ollama, gateways).
//!
//! Format: <https://platform.openai.com/docs/api-reference/chat>; structured output as `response_format` of type
//! `json_schema`.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::exchange::Received;
use super::habits::Habits;
use super::settings::{StructuredOutput, TokenLimitField};
use super::wire::{self, Question, Wire};
use crate::domain::answer::Usage;
use crate::ports::model::{Finish, Reply};

/// The format with a server's quirks.
#[derive(Debug)]
pub(super) struct OpenAi {
    structured_output: StructuredOutput,
    token_limit: TokenLimitField,
}

impl OpenAi {
    pub(super) fn new(structured_output: StructuredOutput, token_limit: TokenLimitField) -> Self {
        Self { structured_output, token_limit }
    }

    fn response_format(&self, question: &Question<'_>) -> Option<Value> {
        let schema = question.schema?;
        match self.structured_output {
            StructuredOutput::JsonSchema => {
                let name = question.call.schema_name;
                let json_schema = json!({ "name": name, "strict": question.is_strict, "schema": schema });
                Some(json!({ "type": "json_schema", "json_schema": json_schema }))
            }
            StructuredOutput::JsonObject => Some(json!({ "type": "json_object", "schema": schema })),
            StructuredOutput::Prompt => None,
        }
    }
}

impl Wire for OpenAi {
    fn answer(&self) -> &'static str {
        "chat completion"
    }

    fn path(&self, _model: &str) -> Vec<String> {
        vec!["chat".to_owned(), "completions".to_owned()]
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn key(&self, key: &str) -> (HeaderName, String) {
        (AUTHORIZATION, format!("Bearer {key}"))
    }

    fn body(&self, question: &Question<'_>) -> Value {
        let call = question.call;
        let mut messages = vec![
            json!({ "role": "system", "content": question.system }),
            json!({ "role": "user", "content": call.prompt }),
        ];
        if let Some(correction) = call.correction {
            messages.push(json!({ "role": "assistant", "content": correction.answer }));
            messages.push(json!({ "role": "user", "content": wire::correction(correction.errors) }));
        }
        let mut body = json!({ "model": question.model, "messages": messages });
        if let Some(format) = self.response_format(question) {
            body["response_format"] = format;
        }
        match question.habits.token_limit {
            TokenLimitField::MaxCompletionTokens => body["max_completion_tokens"] = question.max_tokens.into(),
            TokenLimitField::MaxTokens => body["max_tokens"] = question.max_tokens.into(),
            TokenLimitField::Auto => {}
        }
        if let Some(temperature) = question.temperature {
            body["temperature"] = temperature.into();
        }
        if question.logprobs {
            body["logprobs"] = true.into();
        }
        body
    }

    fn reply(&self, received: &Received) -> Result<Reply, String> {
        let completion: Completion = wire::json(received)?;
        let choice = completion.choices.into_iter().next().ok_or("it has no choices")?;
        let is_refused = choice.message.refusal.is_some_and(|text| !text.is_empty());
        let finish = match choice.finish_reason.as_deref() {
            _ if is_refused => Finish::Refused,
            Some("content_filter") => Finish::Refused,
            Some("length") => Finish::Truncated,
            // `stop`, but also null and inventions of compatible servers: the content is what counts.
            _ => Finish::Complete,
        };
        let text = match (choice.message.content, finish) {
            (Some(text), _) => text,
            // A reasoning model may have spent all its tokens before the first of the answer.
            (None, Finish::Refused | Finish::Truncated) => String::new(),
            (None, Finish::Complete) => return Err("the content is null".to_owned()),
        };
        let logprobs = choice.logprobs.and_then(|logprobs| logprobs.content).unwrap_or_default();
        Ok(Reply {
            text,
            model: completion.model.unwrap_or_default(),
            finish,
            usage: completion.usage.unwrap_or_default().into(),
            confidence: wire::confidence(logprobs.iter().map(|token| token.logprob)),
            response_id: received.response_id(completion.id, "x-request-id"),
            pause: None,
        })
    }

    /// OpenAI's own reasoning models refuse `max_tokens`, many other servers ignore or refuse `max_completion_tokens`. A
    /// wrong first guess is corrected by the first 400 that names it.
    fn habits(&self, url: &Url) -> Habits {
        // Regional hosts are `eu.api.openai.com` and the like.
        let is_openai = url.host_str().is_some_and(|h| h == "api.openai.com" || h.ends_with(".api.openai.com"));
        let token_limit = match self.token_limit {
            TokenLimitField::Auto if is_openai => TokenLimitField::MaxCompletionTokens,
            TokenLimitField::Auto => TokenLimitField::MaxTokens,
            chosen @ (TokenLimitField::MaxCompletionTokens | TokenLimitField::MaxTokens) => chosen,
        };
        let schema = self.structured_output != StructuredOutput::Prompt;
        Habits { token_limit, temperature: true, schema, logprobs: true }
    }
}

#[derive(Deserialize)]
struct Completion {
    id: Option<String>,
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
    logprobs: Option<Logprobs>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Logprobs {
    content: Option<Vec<Token>>,
}

#[derive(Deserialize)]
struct Token {
    logprob: f64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Default, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl From<Tokens> for Usage {
    fn from(tokens: Tokens) -> Self {
        Self {
            input_tokens: tokens.prompt_tokens.unwrap_or(0),
            output_tokens: tokens.completion_tokens.unwrap_or(0),
            cached_tokens: tokens.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0),
            reasoning_tokens: tokens.completion_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_openai_itself_is_sent_max_completion_tokens_at_first() {
        let limit = |url: &str, field| {
            OpenAi::new(StructuredOutput::JsonSchema, field).habits(&Url::parse(url).unwrap()).token_limit
        };
        let auto = |url| limit(url, TokenLimitField::Auto);
        assert_eq!(auto("https://api.openai.com/v1"), TokenLimitField::MaxCompletionTokens);
        assert_eq!(auto("https://eu.api.openai.com/v1"), TokenLimitField::MaxCompletionTokens);
        assert_eq!(auto("https://api.openai.com.evil.example/v1"), TokenLimitField::MaxTokens);
        assert_eq!(auto("http://127.0.0.1:8000/v1"), TokenLimitField::MaxTokens);
        let chosen = limit("http://127.0.0.1:8000/v1", TokenLimitField::MaxCompletionTokens);
        assert_eq!(chosen, TokenLimitField::MaxCompletionTokens);
    }
}
