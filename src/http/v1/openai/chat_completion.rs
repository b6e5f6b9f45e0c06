//! An answer in OpenAI's format: whole, or as the few chunks of a stream.

use std::time::Duration;

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::Object;

use super::chat_request::{ChatRequest, Stream};
use crate::domain::attempt;
use crate::domain::error_code::Code;
use crate::http::openapi::schemas::words;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::http::request_log::Outcome;
use crate::http::v1::structured_response::{StructuredResponse, micro_dollars};

/// An answer as a whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatCompletion {
    id: String,
    object: &'static str,
    /// Seconds since the Unix epoch.
    created: u64,
    /// As the client named it.
    model: String,
    #[schema(value_type = Vec<Choice>)]
    choices: [Choice; 1],
    usage: Usage,
    /// How the answer came about.
    #[schema(value_type = Object)]
    structured_prompt: Value,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatChoice)]
struct Choice {
    index: u32,
    message: Message,
    /// Always null.
    #[schema(required)]
    logprobs: Option<Value>,
    #[schema(schema_with = finish_reasons)]
    finish_reason: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatAnswer)]
struct Message {
    role: &'static str,
    /// The valid object, as JSON.
    #[schema(required)]
    content: Option<String>,
    /// Why the model refused to answer.
    #[schema(required)]
    refusal: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = ChatUsage)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

/// A part of a streamed answer.
#[derive(Debug, Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<ChunkChoice>,
    /// Left out unless the client wants to know; null in all chunks but the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_prompt: Option<&'a Value>,
}

#[derive(Debug, Serialize)]
struct ChunkChoice {
    index: u32,
    delta: Delta,
    logprobs: Option<Value>,
    finish_reason: Option<&'static str>,
}

#[derive(Debug, Default, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
}

impl ChatCompletion {
    /// What came of a prompt, as far as OpenAI's format has a form for it: an object, a refusal, or that the answer was
    /// cut. The clients' own helpers read those two from an answer, never from an error.
    ///
    /// # Errors
    /// Every other problem.
    pub fn new(
        chat: &ChatRequest,
        answer: Result<StructuredResponse, Problem>,
        id: &RequestId,
        now: Duration,
    ) -> Result<Self, Problem> {
        let (mut message, mut finish_reason) = (Message { role: "assistant", content: None, refusal: None }, "stop");
        let (outcome, mut structured_prompt) = match answer {
            Ok(answer) => {
                let outcome = answer.outcome();
                let (data, facts) = answer.into_data_and_facts();
                message.content = Some(data.to_string());
                (outcome, facts)
            }
            Err(problem) if problem.code() == Code::ProviderRefused.as_str() => {
                message.refusal = Some(problem.detail().to_owned());
                facts(&problem)
            }
            Err(problem) if problem.code() == Code::AnswerTruncated.as_str() => {
                finish_reason = "length";
                facts(&problem)
            }
            Err(problem) => return Err(problem),
        };
        if let Some(facts) = structured_prompt.as_object_mut() {
            facts.insert("ignored_parameters".to_owned(), json!(chat.ignored));
        }
        let Outcome { input_tokens, output_tokens, .. } = outcome;
        Ok(Self {
            id: format!("chatcmpl-{id}"),
            object: "chat.completion",
            created: now.as_secs(),
            model: chat.model.name(),
            choices: [Choice { index: 0, message, logprobs: None, finish_reason }],
            usage: Usage {
                prompt_tokens: input_tokens,
                completion_tokens: output_tokens,
                total_tokens: input_tokens + output_tokens,
            },
            structured_prompt,
        })
    }

    /// The response, whole or streamed.
    pub fn into_response(self, stream: Option<Stream>) -> Response {
        match stream {
            None => Json(self).into_response(),
            Some(stream) => ([(header::CONTENT_TYPE, "text/event-stream")], self.events(stream)).into_response(),
        }
    }

    /// Server-sent events: all of the answer in one chunk, how it ended in the next, and the tokens in a third where
    /// they are wanted.
    fn events(self, Stream { include_usage }: Stream) -> String {
        let Self { id, created, model, choices: [Choice { message, finish_reason, .. }], usage, .. } = self;
        let chunk = |choices, usage| Chunk {
            id: &id,
            object: "chat.completion.chunk",
            created,
            model: &model,
            choices,
            usage: include_usage.then_some(usage),
            structured_prompt: None,
        };
        let choice = |delta, finish_reason| vec![ChunkChoice { index: 0, delta, logprobs: None, finish_reason }];
        let Message { role, content, refusal } = message;
        let whole = chunk(choice(Delta { role: Some(role), content, refusal }, None), None);
        let end = chunk(choice(Delta::default(), Some(finish_reason)), None);
        let end = Chunk { structured_prompt: Some(&self.structured_prompt), ..end };
        let tokens = include_usage.then(|| chunk(Vec::new(), Some(usage)));
        let event = |chunk| format!("data: {}\n\n", json!(chunk));
        [whole, end].into_iter().chain(tokens).map(event).collect::<String>() + "data: [DONE]\n\n"
    }
}

fn finish_reasons() -> Object {
    words("`length` if the answer was cut, and is none", ["stop", "length"])
}

/// What the request log learns of a problem, and how it came about.
fn facts(problem: &Problem) -> (Outcome, Value) {
    let outcome = Outcome::from(problem);
    let Outcome { provider, model, input_tokens, output_tokens, cost_usd, .. } = &outcome;
    let cost_usd = micro_dollars(*cost_usd);
    let facts = json!({
        "code": problem.code(), "detail": problem.detail(), "provider": provider, "model": model,
        "attempts": attempt::calls(problem.attempt_log()),
        "usage": { "input_tokens": input_tokens, "output_tokens": output_tokens, "cost_usd": cost_usd },
    });
    (outcome, facts)
}
