//! A language model, or something that stands in for one.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};

/// One question to a model.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// Our instructions. Never contains event data.
    pub system: &'a str,
    /// The rendered prompt: untrusted text, sent as the user's message and never interpreted by us.
    pub prompt: &'a str,
    /// The record's own text within the prompt; the whole prompt where the two cannot be told apart.
    pub content: &'a str,
    /// Name of the schema, `[a-zA-Z0-9_-]{1,64}`.
    pub schema_name: &'a str,
    /// The JSON Schema that the answer must satisfy.
    pub schema: &'a Value,
    /// A former answer to this question and what was wrong with it, when it is asked again.
    pub correction: Option<Correction<'a>>,
    /// Sampling temperature; `None` leaves it to the provider.
    pub temperature: Option<f64>,
    /// Ceiling for the answer's tokens; `None` leaves it to the provider's setting.
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
    /// The provider's id of the response, for its support.
    pub response_id: Option<String>,
    /// How long the provider has nothing left to give, by what it says of its limits.
    pub pause: Option<Duration>,
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
    /// Of all settings that change its answers, a SHA-256: part of the key of a remembered answer. Without more to choose, its
    /// name and family.
    fn digest(&self) -> [u8; 32] {
        Sha256::new().chain_update(self.name()).chain_update([0]).chain_update(self.family()).finalize().into()
    }
    /// What these tokens cost in US dollars, by the configured prices.
    fn cost_usd(&self, usage: Usage) -> f64;
    /// The ceiling for an answer's tokens where a call has none.
    fn max_tokens(&self) -> u32;
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
