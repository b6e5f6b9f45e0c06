//! OpenAI chat completions, and every server that speaks them (vLLM, llama.cpp, Ollama, gateways).
//!
//! Format: <https://platform.openai.com/docs/api-reference/chat>; structured output as `response_format` of type
//! `json_schema`.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName};
use serde_json::{Value, json};

use super::fields::{self, answer_text, at, finish, first, text, tokens};
use super::http_exchange::HttpResponse;
use super::request_parameters::RequestParameters;
use super::settings::{StructuredOutput, TokenLimitField};
use super::token_logprobs::Token;
use super::wire_format::{self, ChatRequest, WireFormat};
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

    fn response_format(&self, request: &ChatRequest<'_>) -> Option<Value> {
        let schema = request.schema?;
        match self.structured_output {
            StructuredOutput::JsonSchema => {
                let name = &request.call.spec.schema_name;
                let json_schema = json!({ "name": name, "strict": request.is_strict, "schema": schema });
                Some(json!({ "type": "json_schema", "json_schema": json_schema }))
            }
            StructuredOutput::JsonObject => Some(json!({ "type": "json_object", "schema": schema })),
            StructuredOutput::Prompt => None,
        }
    }
}

impl WireFormat for OpenAi {
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

    fn body(&self, request: &ChatRequest<'_>) -> Value {
        let call = request.call;
        let mut messages = vec![
            json!({ "role": "system", "content": request.system }),
            json!({ "role": "user", "content": call.prompt }),
        ];
        if let Some(correction) = call.correction {
            messages.push(json!({ "role": "assistant", "content": correction.answer }));
            messages.push(json!({ "role": "user", "content": wire_format::correction(correction.errors) }));
        }
        let mut body = json!({ "model": request.model, "messages": messages });
        if let Some(format) = self.response_format(request) {
            body["response_format"] = format;
        }
        match request.parameters.token_limit {
            TokenLimitField::MaxCompletionTokens => body["max_completion_tokens"] = request.max_tokens.into(),
            TokenLimitField::MaxTokens => body["max_tokens"] = request.max_tokens.into(),
            TokenLimitField::Auto => {}
        }
        if let Some(temperature) = request.temperature {
            body["temperature"] = temperature.into();
        }
        if request.logprobs {
            body["logprobs"] = true.into();
        }
        body
    }

    fn reply(&self, body: &Value, response: &HttpResponse) -> Result<Reply, String> {
        let choice = first(at(body, &["choices"]));
        if !choice.is_object() {
            return Err("it has no choices".to_owned());
        }
        let message = at(choice, &["message"]);
        let is_refused = text(at(message, &["refusal"])).is_some();
        let finish = if is_refused { Finish::Refused } else { finish(at(choice, &["finish_reason"])) };
        let text = match (answer_text(at(message, &["content"]))?, finish) {
            (Some(text), _) => text,
            // A reasoning model may have spent all its tokens before the first of the answer.
            (None, Finish::Refused | Finish::Truncated) => String::new(),
            (None, Finish::Complete) => return Err("its content has no text".to_owned()),
        };
        Ok(Reply {
            text,
            model: fields::text(at(body, &["model"])).unwrap_or_default().to_owned(),
            finish,
            usage: usage(at(body, &["usage"])),
            confidence: None,
            logprobs: Vec::new(),
            response_id: response.response_id(at(body, &["id"]), "x-request-id"),
            pause: None,
        })
    }

    fn tokens<'a>(&self, body: &'a Value) -> Vec<Token<'a>> {
        let choice = first(at(body, &["choices"]));
        Token::list(at(choice, &["logprobs", "content"]), "logprob")
    }

    /// OpenAI's own reasoning models refuse `max_tokens`, many other servers ignore or refuse `max_completion_tokens`.
    /// A wrong first guess is corrected by the first 400 that names it.
    fn parameters(&self, url: &Url) -> RequestParameters {
        // Regional hosts are `eu.api.openai.com` and the like.
        let is_openai = url.host_str().is_some_and(|h| h == "api.openai.com" || h.ends_with(".api.openai.com"));
        let token_limit = match self.token_limit {
            TokenLimitField::Auto if is_openai => TokenLimitField::MaxCompletionTokens,
            TokenLimitField::Auto => TokenLimitField::MaxTokens,
            chosen @ (TokenLimitField::MaxCompletionTokens | TokenLimitField::MaxTokens) => chosen,
        };
        let schema = self.structured_output != StructuredOutput::Prompt;
        RequestParameters { token_limit, temperature: true, schema, logprobs: true }
    }
}

fn usage(usage: &Value) -> Usage {
    let figure = |path: &[&str]| tokens(at(usage, path));
    Usage {
        input_tokens: figure(&["prompt_tokens"]),
        output_tokens: figure(&["completion_tokens"]),
        cached_tokens: figure(&["prompt_tokens_details", "cached_tokens"]),
        reasoning_tokens: figure(&["completion_tokens_details", "reasoning_tokens"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_openai_itself_is_sent_max_completion_tokens_at_first() {
        let limit = |url: &str, field| {
            OpenAi::new(StructuredOutput::JsonSchema, field).parameters(&Url::parse(url).unwrap()).token_limit
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
