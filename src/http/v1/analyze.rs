//! `POST /v1/analyze`: one prompt, one answer.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};

use super::outcome::outcome;
use super::prompt_request::PromptRequest;
use crate::http::auth::Identity;
use crate::http::json_body::JsonBody;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::http::request_log::Outcomes;
use crate::http::state::ApiState;

/// The handler of the route.
///
/// # Errors
/// What is wrong with the request.
pub async fn analyze(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let request = PromptRequest::of_body(body)?;
    let answer = api.analyzer.answer(&request, &identity.caller, &id).await;
    let outcome = outcome(&answer, api.stores_text().then_some(&request));
    Ok((Extension(Outcomes(vec![outcome])), answer.map(Json)).into_response())
}

#[cfg(test)]
mod tests;
