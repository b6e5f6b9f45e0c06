//! What the request log learns of a prompt.

use serde_json::json;

use super::prompt_request::PromptRequest;
use super::structured_response::StructuredResponse;
use crate::http::problem::Problem;
use crate::http::request_log::Outcome;
use crate::http::state::ApiState;

/// What came of a prompt.
pub fn outcome(api: &ApiState, answer: &Result<StructuredResponse, Problem>) -> Outcome {
    match answer {
        Ok(answer) => Outcome { data: api.stores_text().then(|| answer.data_text()), ..answer.outcome() },
        Err(problem) => Outcome::from(problem),
    }
}

/// The prompt, or what the template was filled with, where texts are kept.
pub fn text(api: &ApiState, request: &PromptRequest) -> Option<String> {
    let PromptRequest { prompt, parameters, only_parameter, .. } = request;
    let text = || prompt.as_ref().or(only_parameter.as_ref()).cloned().unwrap_or_else(|| json!(parameters).to_string());
    api.stores_text().then(text)
}
