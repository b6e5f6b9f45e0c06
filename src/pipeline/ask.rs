//! Ask: the ladder from a question to a valid answer, or to an honest failure.
//!
//! Lenient parsing and local repair are part of [`super::approve`]. Beyond them each rung costs a call: the same again after an
//! error that may pass, a higher ceiling after a truncated answer, a correction after an invalid one, another provider. The
//! last rung costs none: the best answer so far in a relaxed form, where the user allows it. A refusal is not asked again.
//!
//! - `ladder`: the calls, and which is the next one
//! - `reply`: what a reply leads to, and the last rung
//! - `progress`: how far a question has come, over all of its waits
//! - `ceiling`: what the next call can take

mod ceiling;
mod ladder;
mod progress;
mod reply;

use std::sync::Arc;

use bytes::Bytes;

use crate::domain::answer::{Answer, Validation};
use crate::domain::failure::{Code, Failure};
use crate::pipeline::approve::Approved;
use crate::pipeline::ask::ladder::Ladder;
pub(super) use crate::pipeline::ask::progress::Progress;
use crate::pipeline::route::router::Router;
use crate::pipeline::run::Question;
use crate::pipeline::score::{Evidence, confidence};
use crate::pipeline::settings::PipelineSettings;

/// Asks until an answer is valid, no further question can help, or the record's ceiling is reached.
///
/// # Errors
/// The most telling failure on the way, with all attempts. One of kind `Unavailable` says nothing about the question, which
/// can be asked again and goes on from where it stands.
pub async fn ask(router: &Router, settings: &PipelineSettings, question: &mut Question) -> Result<Answer, Failure> {
    Ladder::new(router, settings, question).climb().await
}

/// Who gave an answer, and its own idea of how good it is.
#[derive(Debug, Clone)]
struct Giver {
    provider: Arc<str>,
    model: Arc<str>,
    confidence: Option<f64>,
}

fn answer(
    settings: &PipelineSettings,
    progress: &mut Progress,
    giver: Giver,
    approved: &Approved,
    validation: Validation,
) -> Result<Answer, Failure> {
    let data = serde_json::to_vec(&approved.data)
        .map_err(|error| Failure::new(Code::InternalError, format!("the answer cannot be written as JSON: {error}")))?;
    let evidence = Evidence {
        corrections: progress.corrections,
        form: approved.form,
        validation,
        provider: giver.confidence,
        completeness: settings.schema.completeness(&approved.data),
    };
    Ok(Answer {
        data: Bytes::from(data),
        provider: giver.provider,
        model: giver.model,
        validation,
        confidence: confidence(&evidence),
        trail: std::mem::take(&mut progress.trail),
        usage: progress.usage,
        cost_usd: progress.cost_usd,
    })
}

#[cfg(test)]
mod tests;
