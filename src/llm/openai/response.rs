//! The body of a successful response.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::answer::Usage;
use crate::llm::exchange::Received;
use crate::llm::openai::dialect;
use crate::ports::model::{Finish, Reply};

#[derive(Deserialize)]
struct Completion {
    id: Option<String>,
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    prompt_tokens: u64,
    completion_tokens: u64,
}

/// The first choice.
///
/// # Errors
/// Why the body is not a chat completion with an answer. Positions and types only, nothing of its text.
pub(super) fn reply(received: &Received) -> Result<Reply, String> {
    if received.body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    if let Some(found) = received.foreign_content_type() {
        return Err(format!("the content type is {found:?}"));
    }
    let length = received.body.len();
    let completion: Completion = serde_json::from_slice(&received.body).map_err(|e| {
        let what = if e.is_data() { "its JSON has another shape" } else { "it is not JSON" };
        format!("{what} (at byte {} of line {}, {length} bytes in all)", e.column(), e.line())
    })?;
    let choice = completion.choices.into_iter().next().ok_or("it has no choices")?;
    let refused = choice.message.refusal.is_some_and(|text| !text.is_empty());
    let finish = match choice.finish_reason.as_deref() {
        _ if refused => Finish::Refused,
        Some("content_filter") => Finish::Refused,
        Some("length") => Finish::Truncated,
        // `stop`, but also null and inventions of compatible servers: the content is what counts.
        _ => Finish::Complete,
    };
    let text = match (choice.message.content, finish) {
        (Some(text), _) => text,
        // A reasoning model may have spent all its tokens before the first of the answer.
        (None, Finish::Refused | Finish::Truncated) => String::new(),
        (None, Finish::Complete) => return Err("the content is null".to_owned()),
    };
    let usage = completion.usage.unwrap_or_default();
    let request_id = || received.headers.get("x-request-id").and_then(|v| v.to_str().ok()).map(str::to_owned);
    Ok(Reply {
        text,
        model: completion.model.unwrap_or_default(),
        finish,
        usage: Usage { input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens },
        confidence: None,
        response_id: completion.id.filter(|id| !id.is_empty()).or_else(request_id),
    })
}

/// The reply to a strict request, with the nulls removed that stand for absent properties. The text stays as it is, byte
/// for byte, unless there was such a null.
pub(super) fn pruned(mut reply: Reply, schema: &Value) -> Reply {
    if reply.finish == Finish::Complete
        && let Ok(mut answer) = serde_json::from_str::<Value>(&reply.text)
        && dialect::prune(schema, &mut answer)
    {
        reply.text = answer.to_string();
    }
    reply
}
