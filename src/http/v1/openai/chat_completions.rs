//! `POST /v1/chat/completions`: one prompt, one answer, in OpenAI's format.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::chat_completion::ChatCompletion;
use super::chat_request::ChatRequest;
use super::request_schema::ChatRequestSchema;
use crate::http::auth::Identity;
use crate::http::idempotent::IdempotencyKey;
use crate::http::json_body::JsonBody;
use crate::http::openapi::problems::PipelineProblems;
use crate::http::problem::Problem;
use crate::http::query::NoQuery;
use crate::http::request_id::RequestId;
use crate::http::request_log::record::RequestRecord;
use crate::http::state::ApiState;
use crate::http::v1::outcome::{outcome, text};
use crate::telemetry::traces::trace::Trace;

/// Answers one prompt in OpenAI's format
///
/// # Errors
/// What is wrong with the request, or why it has no answer.
#[utoipa::path(
    post, path = "/v1/chat/completions", tag = "OpenAI", operation_id = "create_chat_completion",
    params(IdempotencyKey),
    request_body(content = ChatRequestSchema, example = json!({
        "model": "template/support-intent",
        "messages": [{ "role": "user", "content": "Please cancel my plan" }],
    })),
    responses(
        (status = 200, description = "The answer: an object, a refusal, or that the answer was cut", content(
            (ChatCompletion = "application/json", example = json!({
                "id": "chatcmpl-01a22919-4bf0-7689-acaa-b36c615be3cd", "object": "chat.completion",
                "created": 1793520000, "model": "template/support-intent",
                "choices": [{
                    "index": 0, "logprobs": null, "finish_reason": "stop",
                    "message": { "role": "assistant", "content": "{\"intent\":\"cancel\"}", "refusal": null },
                }],
                "usage": { "prompt_tokens": 212, "completion_tokens": 9, "total_tokens": 221 },
                "structured_prompt": { "provider": "claude", "validation_status": "passed", "confidence": 0.9 },
            })),
            (String = "text/event-stream", example = json!("data: {…}\n\ndata: [DONE]\n\n")),
        )),
        (status = 404, description = "`not_found`: there is no such model"),
        PipelineProblems,
    ),
)]
pub async fn create(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<RequestRecord>,
    Extension(trace): Extension<Trace>,
    _: NoQuery,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let chat = ChatRequest::of_body(body, |name| api.is_provider(name))?;
    let record = record.prompt(text(&api, &chat.prompt_request));
    let observer = Some(record.observer());
    let answer = api.analyzer.answer(&chat.prompt_request, &identity.caller, &id, observer, trace).await;
    // The request log has what came of the prompt, a refusal too, as it has it of `/v1/analyze`.
    record.came_to(outcome(&api, &answer));
    Ok(match ChatCompletion::new(&chat, answer, &id, api.clock.now()) {
        Ok(completion) => completion.into_response(chat.stream),
        Err(problem) => chat.model.place_problem(problem).into_response(),
    })
}
