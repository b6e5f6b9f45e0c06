//! `POST /v1/analyze`: one prompt, one answer.

use axum::extract::State;
use axum::{Extension, Json};

use super::prompt_request::PromptRequest;
use super::structured_response::StructuredResponse;
use crate::http::auth::Identity;
use crate::http::json_body::JsonBody;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::http::state::ApiState;

/// The handler of the route.
///
/// # Errors
/// What is wrong with the request, or why it has no answer.
pub async fn analyze(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    JsonBody(body): JsonBody,
) -> Result<Json<StructuredResponse>, Problem> {
    let request = PromptRequest::of_body(body)?;
    api.analyzer.answer(&request, &identity.caller, &id).await.map(Json)
}

#[cfg(test)]
mod tests;
