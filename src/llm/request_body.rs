//! The bodies of one provider's requests.
//!
//! A body is made once for all records of a specification, with places for what differs between them: making it anew
//! for each record, schema included, would be most of what a call costs us.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value;

use super::provider_schema::SchemaMode;
use super::request_parameters::RequestParameters;
use super::settings::RemoteSettings;
use super::wire_format::{ChatRequest, WireFormat};
use crate::domain::failure::{Code, Failure};
use crate::ports::model::Call;

/// What stands for the note on a record, and for its prompt, while a body is prepared.
const NOTE_MARK: &str = "<<structured-prompt: note>>";
const PROMPT_MARK: &str = "<<structured-prompt: prompt>>";

/// Writes bodies in a wire format, with what the provider's settings say.
#[derive(Debug)]
pub(super) struct BodyWriter {
    model: String,
    max_tokens: u32,
    temperature: Option<f64>,
    logprobs: bool,
    instructions: Option<String>,
}

/// How a specification's requests are sent: all that changes their bodies but the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BodyForm {
    pub(super) mode: SchemaMode,
    pub(super) parameters: RequestParameters,
}

/// The bodies that were prepared for one specification, one for each form in which its requests have been sent. `None`
/// where that is not possible.
#[derive(Debug, Default)]
pub(super) struct PreparedBodies(Mutex<Vec<(BodyForm, Option<Arc<PreparedBody>>)>>);

/// The JSON text of a body around a note, which stands within a string, and a prompt, which is a string.
#[derive(Debug)]
struct PreparedBody {
    before_note: String,
    before_prompt: String,
    after_prompt: String,
}

impl BodyWriter {
    pub(super) fn new(settings: &RemoteSettings) -> Self {
        Self {
            model: settings.model.clone(),
            max_tokens: settings.max_tokens,
            temperature: settings.temperature,
            logprobs: settings.logprobs,
            instructions: settings.instructions.clone(),
        }
    }

    pub(super) fn model(&self) -> &str {
        &self.model
    }

    pub(super) fn max_tokens(&self) -> u32 {
        self.max_tokens
    }

    pub(super) fn instructions(&self) -> Option<&str> {
        self.instructions.as_deref()
    }

    /// The body of a call. Most have nothing of their own but note and prompt.
    ///
    /// # Errors
    /// None in practice: what is sent can be written as JSON.
    pub(super) fn body(
        &self,
        format: &dyn WireFormat,
        call: &Call<'_>,
        schema: Option<&Value>,
        prepared: &PreparedBodies,
        form: BodyForm,
    ) -> Result<Bytes, Failure> {
        let write = |call: &Call<'_>| self.write(format, call, schema, form);
        if call.correction.is_none() && call.max_tokens.is_none() {
            let body = prepared.get(form, || {
                PreparedBody::new(|note, prompt| write(&Call { note, prompt, content: prompt, ..*call }))
            })?;
            if let Some(body) = body {
                return body.fill(call.note, call.prompt);
            }
        }
        write(call).map(Bytes::from)
    }

    fn write(
        &self,
        format: &dyn WireFormat,
        call: &Call<'_>,
        schema: Option<&Value>,
        form: BodyForm,
    ) -> Result<String, Failure> {
        let BodyForm { mode, parameters } = form;
        let mut system = call.spec.system(call.note);
        if let Some(more) = &self.instructions {
            system.push_str("\n\n");
            system.push_str(more);
        }
        let request = ChatRequest {
            model: &self.model,
            system: &system,
            call,
            schema,
            is_strict: mode == SchemaMode::Strict,
            max_tokens: call.max_tokens.or(call.spec.max_tokens).unwrap_or(self.max_tokens),
            temperature: call.spec.temperature.or(self.temperature).filter(|_| parameters.temperature),
            logprobs: self.logprobs && parameters.logprobs,
            parameters,
        };
        serde_json::to_string(&format.body(&request)).map_err(|error| unwritable(&error))
    }
}

impl PreparedBodies {
    /// The prepared body for this form, made by `prepare` at the first time.
    fn get(
        &self,
        form: BodyForm,
        prepare: impl FnOnce() -> Result<Option<PreparedBody>, Failure>,
    ) -> Result<Option<Arc<PreparedBody>>, Failure> {
        let mut bodies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, body)) = bodies.iter().find(|(known, _)| *known == form) {
            return Ok(body.clone());
        }
        let body = prepare()?.map(Arc::new);
        bodies.push((form, body.clone()));
        Ok(body)
    }
}

impl PreparedBody {
    /// From what writes the body for a note and a prompt. `None` if it cannot be told where in the body these stand,
    /// because something else says the same as a mark.
    fn new(write: impl FnOnce(&str, &str) -> Result<String, Failure>) -> Result<Option<Self>, Failure> {
        let body = write(NOTE_MARK, PROMPT_MARK)?;
        if [NOTE_MARK, PROMPT_MARK].into_iter().any(|mark| body.matches(mark).count() != 1) {
            return Ok(None);
        }
        Ok(Self::split(&body))
    }

    fn split(body: &str) -> Option<Self> {
        let (before_note, rest) = body.split_once(NOTE_MARK)?;
        let (before_prompt, after_prompt) = rest.split_once(PROMPT_MARK)?;
        Some(Self {
            before_note: before_note.to_owned(),
            // The quotes around the prompt are written with it.
            before_prompt: before_prompt.strip_suffix('"')?.to_owned(),
            after_prompt: after_prompt.strip_prefix('"')?.to_owned(),
        })
    }

    fn fill(&self, note: &str, prompt: &str) -> Result<Bytes, Failure> {
        let Self { before_note, before_prompt, after_prompt } = self;
        // Escaping makes few texts longer by more than an eighth.
        let texts = note.len() + prompt.len();
        let fixed = before_note.len() + before_prompt.len() + after_prompt.len();
        let mut body = Vec::with_capacity(fixed + texts + texts / 8 + 16);
        body.extend_from_slice(before_note.as_bytes());
        if !note.is_empty() {
            let quoted = serde_json::to_string(note).map_err(|error| unwritable(&error))?;
            let within = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            body.extend_from_slice(within.unwrap_or_default().as_bytes());
        }
        body.extend_from_slice(before_prompt.as_bytes());
        serde_json::to_writer(&mut body, prompt).map_err(|error| unwritable(&error))?;
        body.extend_from_slice(after_prompt.as_bytes());
        Ok(Bytes::from(body))
    }
}

fn unwritable(error: &serde_json::Error) -> Failure {
    Failure::new(Code::InternalError, format!("the request cannot be written as JSON: {error}"))
}

#[cfg(test)]
mod tests;
