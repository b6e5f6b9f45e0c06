//! Gemini `generateContent`.
//!
//! Format: <https://ai.google.dev/api/generate-content>; structured output as `generationConfig.responseJsonSchema`.

use reqwest::Url;
use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::exchange::Received;
use super::habits::Habits;
use super::settings::TokenLimitField;
use super::wire::{self, Question, Wire};
use crate::domain::answer::Usage;
use crate::ports::model::{Finish, Reply};

/// The format in one of its versions.
#[derive(Debug)]
pub(super) struct Gemini {
    version: String,
}

impl Gemini {
    pub(super) fn new(version: &str) -> Self {
        Self { version: version.to_owned() }
    }
}

impl Wire for Gemini {
    fn answer(&self) -> &'static str {
        "generateContent response"
    }

    fn path(&self, model: &str) -> Vec<String> {
        let model = model.strip_prefix("models/").unwrap_or(model);
        vec![self.version.clone(), "models".to_owned(), format!("{model}:generateContent")]
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn key(&self, key: &str) -> (HeaderName, String) {
        (HeaderName::from_static("x-goog-api-key"), key.to_owned())
    }

    fn body(&self, question: &Question<'_>) -> Value {
        let call = question.call;
        let turn = |role: &str, text: &str| json!({ "role": role, "parts": [{ "text": text }] });
        let mut contents = vec![turn("user", call.prompt)];
        if let Some(correction) = call.correction {
            // An empty turn is refused.
            if !correction.answer.trim().is_empty() {
                contents.push(turn("model", correction.answer));
            }
            contents.push(turn("user", &wire::correction(correction.errors)));
        }
        let mut config = json!({ "responseMimeType": "application/json", "maxOutputTokens": question.max_tokens });
        if let Some(schema) = question.schema {
            config["responseJsonSchema"] = schema.clone();
        }
        if let Some(temperature) = question.temperature {
            config["temperature"] = temperature.into();
        }
        if question.logprobs {
            config["responseLogprobs"] = true.into();
        }
        json!({
            "systemInstruction": { "parts": [{ "text": question.system }] },
            "contents": contents,
            "generationConfig": config,
        })
    }

    fn reply(&self, received: &Received) -> Result<Reply, String> {
        let response: Response = wire::json(received)?;
        let is_blocked = response.prompt_feedback.is_some_and(|feedback| feedback.block_reason.is_some());
        let candidate = response.candidates.unwrap_or_default().into_iter().next();
        let (text, finish, confidence) = match candidate {
            Some(candidate) => {
                let confidence = wire::confidence(candidate.avg_logprobs.into_iter());
                let finish = finish(candidate.finish_reason.as_deref());
                let parts = candidate.content.and_then(|content| content.parts).unwrap_or_default();
                let answer = parts.into_iter().filter(|part| !part.thought.unwrap_or(false));
                let texts: Vec<String> = answer.filter_map(|part| part.text).collect();
                let is_done = matches!(candidate.finish_reason.as_deref(), None | Some("STOP"));
                if texts.is_empty() && finish == Finish::Complete && is_done {
                    return Err("it has no text".to_owned());
                }
                (texts.concat(), finish, confidence)
            }
            None if is_blocked => (String::new(), Finish::Refused, None),
            None => return Err("it has no candidates".to_owned()),
        };
        Ok(Reply {
            text,
            model: response.model_version.unwrap_or_default(),
            finish,
            usage: response.usage_metadata.unwrap_or_default().into(),
            confidence,
            response_id: received.response_id(response.response_id, "x-request-id"),
            pause: None,
        })
    }

    fn habits(&self, _url: &Url) -> Habits {
        Habits { token_limit: TokenLimitField::MaxTokens, temperature: true, schema: true, logprobs: true }
    }
}

fn finish(reason: Option<&str>) -> Finish {
    match reason {
        Some("MAX_TOKENS") => Finish::Truncated,
        Some("SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY") => {
            Finish::Refused
        }
        // `STOP`. A malformed answer (`MALFORMED_RESPONSE`, `OTHER`) is told by its text, or by having none.
        _ => Finish::Complete,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    candidates: Option<Vec<Candidate>>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Tokens>,
    model_version: Option<String>,
    response_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
    avg_logprobs: Option<f64>,
}

#[derive(Deserialize)]
struct Content {
    parts: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
    thought: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Tokens {
    prompt_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
}

impl From<Tokens> for Usage {
    /// Gemini counts thoughts beside the answer, the others within.
    fn from(tokens: Tokens) -> Self {
        let thoughts = tokens.thoughts_token_count.unwrap_or(0);
        Self {
            input_tokens: tokens.prompt_token_count.unwrap_or(0),
            output_tokens: tokens.candidates_token_count.unwrap_or(0).saturating_add(thoughts),
            cached_tokens: tokens.cached_content_token_count.unwrap_or(0),
            reasoning_tokens: thoughts,
        }
    }
}
