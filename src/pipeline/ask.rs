//! Ask: the ladder from a question to a valid answer, or to an honest failure.
//!
//! Lenient parsing and local repair are part of [`super::approve`]. Beyond them each rung costs a call: the same again
//! after an error that may pass, a higher ceiling after a truncated answer, a correction after an invalid one, another
//! provider. The last rung costs none: the best answer so far in a relaxed form, where the user allows it. A refusal is
//! not asked again.
//!
//! - `ladder`: the calls, and which is the next one
//! - `reply`: what a reply leads to, and the last rung
//! - `progress`: how far a question has come, over all of its waits
//! - `ceiling`: what the next call can take; `paid_call`: one call, and who pays for it; `call_span`: what traces say of it

mod call_span;
pub(super) mod ceiling;
mod ladder;
pub(super) mod paid_call;
mod progress;
mod reply;

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use crate::domain::answer::{Answer, Validation};
use crate::domain::failure::{Code, Failure};
use crate::domain::grounding::RememberedGrounding;
use crate::domain::logprobs;
use crate::pipeline::approve::Approved;
use crate::pipeline::ask::ladder::Ladder;
pub(super) use crate::pipeline::ask::progress::Progress;
use crate::pipeline::caller::Caller;
use crate::pipeline::score::{AnswerHistory, factors};
use crate::pipeline::spec::Spec;
use crate::telemetry::traces::trace::Trace;

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The specification.
    pub(super) spec: &'a Spec,
    /// Who asks, and pays.
    pub(super) caller: &'a Caller,
    /// From when on no call is begun any more; `None` never.
    pub(super) deadline: Option<Instant>,
    /// The normalised prompt.
    pub(super) prompt: &'a str,
    /// The record's own part of it; the whole prompt where the two cannot be told apart.
    pub(super) content: &'a str,
    /// What its calls are a part of.
    pub(super) trace: &'a Trace,
}

/// Asks until an answer is valid, no further question can help, or the record's ceiling is reached.
///
/// # Errors
/// The most telling failure on the way, with all attempts. One of kind `Unavailable` says nothing about the question,
/// which can be asked again and goes on from where it stands.
pub(super) async fn ask(asked: Asked<'_>, progress: &mut Progress) -> Result<Answer, Failure> {
    Ladder::new(asked, progress).climb().await
}

/// Who gave an answer, and its own idea of how good it is.
#[derive(Debug, Clone)]
struct Giver {
    provider: Arc<str>,
    model: Arc<str>,
    confidence: Option<f64>,
}

fn answer(
    progress: &mut Progress,
    giver: Giver,
    approved: Approved,
    validation: Validation,
) -> Result<Answer, Failure> {
    let data = serde_json::to_vec(&approved.data)
        .map_err(|error| Failure::new(Code::InternalError, format!("the answer cannot be written as JSON: {error}")))?;
    // It may be kept for hours: no room is left at its ends.
    let data = data.into_boxed_slice();
    let mut attempt_log = std::mem::take(&mut progress.attempt_log);
    attempt_log.shrink_to_fit();
    let history = AnswerHistory {
        corrections: progress.corrections,
        form: approved.form,
        validation,
        provider: giver.confidence.or_else(|| logprobs::probability(&approved.logprobs, &approved.data)),
    };
    Ok(Answer {
        data: Bytes::from(data),
        provider: giver.provider,
        model: giver.model,
        validation,
        factors: factors(&history),
        attempt_log,
        usage: progress.spending.usage,
        cost_usd: progress.spending.cost_usd,
        quotes: approved.quotes,
        logprobs: approved.logprobs,
        grounding: RememberedGrounding::default(),
        agreement: None,
    })
}

#[cfg(test)]
mod tests;
