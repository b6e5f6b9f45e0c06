//! `POST /v1/analyze`: one prompt, one answer.

use axum::extract::State;
use axum::{Extension, Json};

use super::outcome::{outcome, text};
use super::prompt_request::PromptRequest;
use super::request_schemas::PromptRequestSchema;
use super::structured_response::StructuredResponse;
use crate::http::auth::Identity;
use crate::http::idempotent::IdempotencyKey;
use crate::http::json_body::JsonBody;
use crate::http::openapi::problems::PipelineProblems;
use crate::http::problem::Problem;
use crate::http::query::NoQuery;
use crate::http::request_id::RequestId;
use crate::http::request_log::record::RequestRecord;
use crate::http::state::ApiState;
use crate::telemetry::traces::trace::Trace;

/// Answers one prompt
///
/// With an object that is valid against a JSON Schema: the request's own, a named one, or that of its template. A request
/// that is sent again with its `Idempotency-Key` gets the first answer, and nothing is paid twice.
///
/// # Errors
/// What is wrong with the request, or why it has no answer.
#[utoipa::path(
    post, path = "/v1/analyze", tag = "Analyze", operation_id = "analyze",
    params(IdempotencyKey),
    request_body(content = PromptRequestSchema, example = json!({
        "prompt": "My order A-1001 arrived broken. I want my money back!",
        "schema": {
            "title": "ticket", "type": "object", "required": ["wants_refund", "order"], "additionalProperties": false,
            "properties": { "wants_refund": { "type": "boolean" }, "order": { "type": ["string", "null"] } },
        },
        "options": { "timeout": "20s", "cache_tag": "tickets" },
    })),
    responses(
        (status = 200, description = "The answer", body = StructuredResponse, example = json!({
            "request_id": "01a22919-4bf0-7689-acaa-b36c615be3cd",
            "data": { "wants_refund": true, "order": "A-1001" },
            "validation_status": "passed",
            "validation_errors": [],
            "confidence": 1.0,
            "confidence_factors": { "validation": 1.0, "ladder": 1.0, "grounding": 1.0, "provider": "unknown" },
            "low_confidence": false,
            "flags": [],
            "fields": {
                "/wants_refund": { "evidence": "judged" },
                "/order": { "evidence": "exact", "source": "/prompt", "spans": [[9, 15]] },
            },
            "grounded": 1.0,
            "cached": false,
            "cache": "none",
            "provider": "claude",
            "model": "claude-sonnet-5-5",
            "attempts": 1,
            "usage": { "input_tokens": 212, "output_tokens": 9, "cost_usd": 0.000771 },
            "original_language": "en",
            "schema": "ticket@ce9cdcdc53de",
            "template": null,
            "processing_time_ms": 812,
        })),
        PipelineProblems,
    ),
)]
pub async fn analyze(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    Extension(record): Extension<RequestRecord>,
    Extension(trace): Extension<Trace>,
    _: NoQuery,
    JsonBody(body): JsonBody,
) -> Result<Json<StructuredResponse>, Problem> {
    let request = PromptRequest::of_body(body)?;
    let record = record.prompt(text(&api, &request));
    let answer = api.analyzer.answer(&request, &identity.caller, &id, Some(record.observer()), trace).await;
    record.came_to(outcome(&api, &answer));
    answer.map(Json)
}

#[cfg(test)]
mod tests;
