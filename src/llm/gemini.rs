//! Gemini `generateContent`.
//!
//! Format: <https://ai.google.dev/api/generate-content>; structured output as `generationConfig.responseJsonSchema`.

use reqwest::Url;
use reqwest::header::HeaderName;
use serde_json::{Value, json};

use super::fields::{self, answer_text, at, finish, first, text, tokens};
use super::http_exchange::HttpResponse;
use super::request_parameters::RequestParameters;
use super::settings::TokenLimitField;
use super::token_logprobs::Token;
use super::wire_format::{self, ChatRequest, WireFormat};
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

impl WireFormat for Gemini {
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

    fn body(&self, request: &ChatRequest<'_>) -> Value {
        let call = request.call;
        let turn = |role: &str, text: &str| json!({ "role": role, "parts": [{ "text": text }] });
        let mut contents = vec![turn("user", call.prompt)];
        if let Some(correction) = call.correction {
            // An empty turn is refused.
            if !correction.answer.trim().is_empty() {
                contents.push(turn("model", correction.answer));
            }
            contents.push(turn("user", &wire_format::correction(correction.errors)));
        }
        let mut config = json!({ "responseMimeType": "application/json", "maxOutputTokens": request.max_tokens });
        if let Some(schema) = request.schema {
            config["responseJsonSchema"] = schema.clone();
        }
        if let Some(temperature) = request.temperature {
            config["temperature"] = temperature.into();
        }
        if request.logprobs {
            config["responseLogprobs"] = true.into();
        }
        json!({
            "systemInstruction": { "parts": [{ "text": request.system }] },
            "contents": contents,
            "generationConfig": config,
        })
    }

    fn reply(&self, body: &Value, response: &HttpResponse) -> Result<Reply, String> {
        let candidate = first(at(body, &["candidates"]));
        let reason = at(candidate, &["finishReason"]);
        let (text, finish) = if candidate.is_object() {
            let finish = finish(reason);
            let text = answer_text(at(candidate, &["content", "parts"]))?;
            // A malformed answer (`MALFORMED_RESPONSE`, `OTHER`) is told by having no text.
            let is_done = reason.as_str().is_none_or(|reason| reason == "STOP");
            if text.is_none() && finish == Finish::Complete && is_done {
                return Err("it has no text".to_owned());
            }
            (text.unwrap_or_default(), finish)
        } else if text(at(body, &["promptFeedback", "blockReason"])).is_some() {
            (String::new(), Finish::Refused)
        } else {
            return Err("it has no candidates".to_owned());
        };
        Ok(Reply {
            text,
            model: fields::text(at(body, &["modelVersion"])).unwrap_or_default().to_owned(),
            finish,
            usage: usage(at(body, &["usageMetadata"])),
            confidence: None,
            logprobs: Vec::new(),
            response_id: response.response_id(at(body, &["responseId"]), "x-request-id"),
            pause: None,
        })
    }

    /// Its `avgLogprobs` is an average over all tokens, brackets and names among them.
    fn tokens<'a>(&self, body: &'a Value) -> Vec<Token<'a>> {
        let candidate = first(at(body, &["candidates"]));
        Token::list(at(candidate, &["logprobsResult", "chosenCandidates"]), "logProbability")
    }

    fn parameters(&self, _url: &Url) -> RequestParameters {
        RequestParameters { token_limit: TokenLimitField::MaxTokens, temperature: true, schema: true, logprobs: true }
    }
}

/// Gemini counts thoughts beside the answer, the others within.
fn usage(usage: &Value) -> Usage {
    let figure = |name: &str| tokens(at(usage, &[name]));
    let thoughts = figure("thoughtsTokenCount");
    Usage {
        input_tokens: figure("promptTokenCount"),
        output_tokens: figure("candidatesTokenCount") + thoughts,
        cached_tokens: figure("cachedContentTokenCount"),
        reasoning_tokens: thoughts,
    }
}
