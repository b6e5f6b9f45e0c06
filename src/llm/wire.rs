//! What a wire format has to say for itself; everything else is [`super::remote`]'s.

use std::fmt::Debug;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::exchange::Received;
use super::habits::Habits;
use crate::ports::model::{Call, Reply};

/// What is asked for after an answer that did not satisfy the schema; the errors follow.
const CORRECTION: &str = "Your answer does not satisfy the schema. Answer again with the whole corrected JSON and nothing else. The errors:\n";

/// One question, as every format needs it.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) model: &'a str,
    /// Our instructions and the provider's own.
    pub(super) system: &'a str,
    pub(super) call: &'a Call<'a>,
    /// The schema in the provider's dialect; `None` when the instructions alone have to ask for it.
    pub(super) schema: Option<&'a Value>,
    /// Whether the dialect could hold the whole schema.
    pub(super) is_strict: bool,
    pub(super) max_tokens: u32,
    pub(super) temperature: Option<f64>,
    pub(super) logprobs: bool,
    pub(super) habits: Habits,
}

/// One wire format.
pub(super) trait Wire: Send + Sync + Debug {
    /// What its success body is called, for errors.
    fn answer(&self) -> &'static str;
    /// Path segments below the base URL.
    fn path(&self, model: &str) -> Vec<String>;
    /// Headers that every request has beside the key.
    fn headers(&self) -> Vec<(&'static str, String)>;
    /// The header that carries the key.
    fn key(&self, key: &str) -> (HeaderName, String);
    /// The request body.
    fn body(&self, question: &Question<'_>) -> Value;
    /// The reply within a successful response.
    ///
    /// # Errors
    /// Why the body is none. Positions and types only, nothing of its text.
    fn reply(&self, received: &Received) -> Result<Reply, String>;
    /// The parameter of ours that limits the answer's tokens, at first.
    fn habits(&self, url: &Url) -> Habits;
}

/// The message that shows a model what was wrong with its answer.
pub(super) fn correction(errors: &str) -> String {
    format!("{CORRECTION}{errors}")
}

/// A confidence from log probabilities of tokens: their geometric mean. `None` without any.
pub(super) fn confidence(logprobs: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = logprobs.fold((0_u32, 0.0), |(count, sum), logprob| (count + 1, sum + logprob));
    let mean = (sum / f64::from(count.max(1))).exp();
    (count > 0 && mean.is_finite()).then(|| mean.clamp(0.0, 1.0))
}

/// The JSON of a successful response.
///
/// # Errors
/// What it is instead.
pub(super) fn json<'a, T: serde::Deserialize<'a>>(received: &'a Received) -> Result<T, String> {
    if received.body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    if let Some(found) = received.foreign_content_type() {
        return Err(format!("the content type is {found:?}"));
    }
    if let Some(encoding) = received.foreign_encoding() {
        return Err(format!("the content encoding is {encoding:?}, which was not asked for"));
    }
    let length = received.body.len();
    serde_json::from_slice(&received.body).map_err(|e| {
        let what = if e.is_data() { "its JSON has another shape" } else { "it is not JSON" };
        format!("{what} (at byte {} of line {}, {length} bytes in all)", e.column(), e.line())
    })
}

/// A header value that is not written to logs.
pub(super) fn sensitive(value: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| "the API key contains characters that no key has; check for a line break".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}
