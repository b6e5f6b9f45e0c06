//! A language model, or something that stands in for one.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};
use crate::domain::logprobs::ValueLogprob;

/// What goes into every call for one specification: all that does not depend on the record.
#[derive(Debug, Clone, PartialEq)]
pub struct CallSettings {
    /// Our instructions up to the note on the record. Never contains event data.
    pub instructions: String,
    /// Our instructions after the note.
    pub closing_instructions: String,
    /// Name of the schema, `[a-zA-Z0-9_-]{1,64}`.
    pub schema_name: String,
    /// The JSON Schema that the answer must satisfy.
    pub schema: Value,
    /// The schema of the data alone, where the answer has quotes of the input beside it.
    pub data_schema: Option<Value>,
    /// Sampling temperature; `None` leaves it to the provider.
    pub temperature: Option<f64>,
    /// Ceiling for the answer's tokens; `None` leaves it to the provider's setting.
    pub max_tokens: Option<u32>,
}

/// [`CallSettings`] that are fixed, so that a provider can prepare its requests once and keep them by the
/// [digest](Self::digest).
#[derive(Debug)]
pub struct CallSpec {
    settings: CallSettings,
    schema_len: usize,
    digest: [u8; 32],
}

impl CallSpec {
    /// Fixes the settings.
    pub fn new(settings: CallSettings) -> Self {
        // Exhaustive on purpose: a new setting does not compile until it is part of the digest.
        let CallSettings {
            instructions,
            closing_instructions,
            schema_name,
            schema,
            data_schema: _, // part of the schema
            temperature,
            max_tokens,
        } = &settings;
        let (mut hash, schema_text) = (Sha256::new(), schema.to_string());
        for text in [instructions, closing_instructions, schema_name, &schema_text] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.update(temperature.map_or([0xff; 8], f64::to_be_bytes));
        hash.update(max_tokens.map_or([0xff; 8], |tokens| u64::from(tokens).to_be_bytes()));
        Self { digest: hash.finalize().into(), schema_len: schema_text.len(), settings }
    }

    /// SHA-256 over everything in it. Two that are equal lead to the same requests.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Bytes of the schema as JSON text.
    pub fn schema_len(&self) -> usize {
        self.schema_len
    }

    /// Bytes of our instructions for a record with this note, and of the schema, which is sent beside them.
    pub fn sent_len(&self, note: &str) -> usize {
        self.instructions.len() + note.len() + self.closing_instructions.len() + self.schema_len()
    }

    /// Our instructions for a record with this note.
    pub fn system(&self, note: &str) -> String {
        [&self.settings.instructions, note, &self.settings.closing_instructions].concat()
    }
}

/// The settings can be read, but not changed.
impl Deref for CallSpec {
    type Target = CallSettings;

    fn deref(&self) -> &CallSettings {
        &self.settings
    }
}

/// One call of a model.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What it has in common with the calls for other records.
    pub spec: &'a CallSpec,
    /// What our instructions say of this record: which language it is in, or nothing. Never contains event data.
    pub note: &'a str,
    /// The rendered prompt: untrusted text, sent as the user's message and never interpreted by us.
    pub prompt: &'a str,
    /// The record's own text within the prompt; the whole prompt where the two cannot be told apart.
    pub content: &'a str,
    /// A former answer to this question and what was wrong with it, when it is asked again.
    pub correction: Option<Correction<'a>>,
    /// A ceiling for the answer's tokens in place of the specification's.
    pub max_tokens: Option<u32>,
}

/// What was wrong with the last answer.
#[derive(Debug, Clone, Copy)]
pub struct Correction<'a> {
    /// The answer as the model gave it.
    pub answer: &'a str,
    /// The errors, one per line, each with a JSON Pointer.
    pub errors: &'a str,
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It was done.
    Complete,
    /// It ran into the token limit.
    Truncated,
    /// It, or a filter behind it, declined.
    Refused,
}

/// A model's reply, before we have looked at its content.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The text of the answer.
    pub text: String,
    /// The model that the provider says it used.
    pub model: String,
    /// Why it stopped.
    pub finish: Finish,
    /// Tokens used.
    pub usage: Usage,
    /// The provider's own confidence within 0.0–1.0, where it has one.
    pub confidence: Option<f64>,
    /// How likely the values of each JSON object in the text were, where the provider tells it.
    pub logprobs: Vec<ObjectLogprobs>,
    /// The provider's id of the response, for its support.
    pub response_id: Option<String>,
    /// How long the provider has nothing left to give, by what it says of its limits.
    pub pause: Option<Duration>,
}

/// How likely the values of one JSON object in a reply's text were.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectLogprobs {
    /// Where the object begins in the text, in bytes.
    pub start: usize,
    /// Its values.
    pub values: Vec<ValueLogprob>,
}

/// Why a call has no reply.
#[derive(Debug, Clone, PartialEq)]
pub struct CallError {
    /// What happened; its stage is `ask`.
    pub failure: Failure,
    /// Whether another attempt may help. Not before [`Failure::retry_after`], if that is set.
    pub is_transient: bool,
}

impl CallError {
    /// An error that may pass.
    pub fn transient(failure: Failure) -> Self {
        Self { failure, is_transient: true }
    }

    /// An error that stays until somebody acts.
    pub fn lasting(failure: Failure) -> Self {
        Self { failure, is_transient: false }
    }
}

/// A provider of answers.
pub trait Model: Send + Sync {
    /// The provider's name as configured (`provider` attribute).
    fn name(&self) -> &str;
    /// The model family, part of the cache key: answers of different families are different answers.
    fn family(&self) -> &str;
    /// Of all settings that change its answers, a SHA-256: part of the key of a remembered answer. Without more to
    /// choose, its name and family.
    fn digest(&self) -> [u8; 32] {
        Sha256::new().chain_update(self.name()).chain_update([0]).chain_update(self.family()).finalize().into()
    }
    /// What these tokens cost in US dollars, by the configured prices.
    fn cost_usd(&self, usage: Usage) -> f64;
    /// The ceiling for an answer's tokens where a call has none.
    fn max_tokens(&self) -> u32;
    /// Whose model it is, by the names that OpenTelemetry has for providers (`gen_ai.provider.name`).
    fn vendor(&self) -> &str {
        self.name()
    }
    /// Host and port of its server, if it has one.
    fn server(&self) -> Option<(&str, u16)> {
        None
    }
    /// What it adds to our instructions.
    fn instructions(&self) -> Option<&str> {
        None
    }
    /// Asks once: retries, pauses and other providers are the caller's.
    fn ask<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, CallError>>;
}

/// A model that gives scripted replies in order.
#[derive(Debug, Default)]
pub struct FakeModel(Mutex<VecDeque<Result<Reply, CallError>>>);

impl FakeModel {
    /// A model with this script.
    pub fn new(replies: impl IntoIterator<Item = Result<Reply, CallError>>) -> Self {
        Self(Mutex::new(replies.into_iter().collect()))
    }

    /// A complete reply with this text.
    pub fn says(text: &str) -> Result<Reply, CallError> {
        Ok(Reply {
            text: text.to_owned(),
            model: "fake-1".to_owned(),
            finish: Finish::Complete,
            usage: Usage { input_tokens: 10, output_tokens: 5, ..Usage::default() },
            confidence: None,
            logprobs: Vec::new(),
            response_id: None,
            pause: None,
        })
    }

    /// Replies not yet given.
    pub fn left(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Model for FakeModel {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn family(&self) -> &'static str {
        "fake-1"
    }

    fn cost_usd(&self, usage: Usage) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a fake price")]
        let tokens = (usage.input_tokens + usage.output_tokens) as f64;
        tokens / 1000.0
    }

    fn max_tokens(&self) -> u32 {
        1024
    }

    fn ask<'a>(&'a self, _call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, CallError>> {
        let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let end = || Err(CallError::lasting(Failure::new(Code::ProviderUnavailable, "the script has ended")));
        Box::pin(async move { next.unwrap_or_else(end) })
    }
}
