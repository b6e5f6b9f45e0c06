//! What the request log learns of a prompt.

use serde_json::json;

use super::prompt_request::PromptRequest;
use super::structured_response::StructuredResponse;
use crate::http::problem::Problem;
use crate::http::request_log::Outcome;

/// What came of a prompt; with its texts, if `request` is there.
pub fn outcome(answer: &Result<StructuredResponse, Problem>, request: Option<&PromptRequest>) -> Outcome {
    let outcome = match answer {
        Ok(answer) => Outcome { data: request.map(|_| answer.data_text()), ..answer.outcome() },
        Err(problem) => Outcome::from(problem),
    };
    Outcome { prompt: request.map(text), ..outcome }
}

/// The prompt, or what the template was filled with.
fn text(request: &PromptRequest) -> String {
    let PromptRequest { prompt, parameters, only_parameter, .. } = request;
    prompt.as_ref().or(only_parameter.as_ref()).cloned().unwrap_or_else(|| json!(parameters).to_string())
}
