//! The request body.

use serde::Serialize;
use serde_json::Value;

use crate::ports::model::Call;

/// What is asked for after an answer that did not satisfy the schema; the errors follow.
const CORRECTION: &str = "Your answer does not satisfy the schema. Answer again with the whole corrected JSON and nothing else. The errors:\n";

/// Body of `POST /chat/completions`.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_format: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
}

/// One message of the conversation.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    role: &'static str,
    content: std::borrow::Cow<'a, str>,
}

/// The conversation: instructions, the prompt, and when it is asked again the former answer with its errors.
pub(super) fn messages<'a>(call: &Call<'a>) -> Vec<Message<'a>> {
    let mut messages = vec![
        Message { role: "system", content: call.system.into() },
        Message { role: "user", content: call.prompt.into() },
    ];
    if let Some(correction) = call.correction {
        messages.push(Message { role: "assistant", content: correction.answer.into() });
        messages.push(Message { role: "user", content: format!("{CORRECTION}{}", correction.errors).into() });
    }
    messages
}
