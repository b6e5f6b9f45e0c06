//! `POST /v1/chat/completions`: one prompt, one answer, in OpenAI's format.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::chat_completion::ChatCompletion;
use super::chat_request::ChatRequest;
use crate::http::auth::Identity;
use crate::http::json_body::JsonBody;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::http::request_log::Outcomes;
use crate::http::state::ApiState;
use crate::http::v1::outcome::outcome;

/// The handler of the route.
///
/// # Errors
/// What is wrong with the request.
pub async fn create(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let chat = ChatRequest::of_body(body, |name| api.is_provider(name))?;
    let answer = api.analyzer.answer(&chat.prompt_request, &identity.caller, &id).await;
    // The request log has what came of the prompt, a refusal too, as it has it of `/v1/analyze`.
    let outcome = outcome(&answer, api.stores_text().then_some(&chat.prompt_request));
    let response = match ChatCompletion::new(&chat, answer, &id, api.clock.now()) {
        Ok(completion) => completion.into_response(chat.stream),
        Err(problem) => chat.model.place_problem(problem).into_response(),
    };
    Ok((Extension(Outcomes(vec![outcome])), response).into_response())
}
