//! From a question to a settled outcome: asked once, and remembered before it leaves.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use super::outcome::Settled;
use super::remembered::{Keys, RememberedOutcomes};
use crate::domain::answer::{Answered, CacheHit};
use crate::domain::failure::Failure;
use crate::pipeline::engine::Engine;
use crate::pipeline::request::Question;
use crate::telemetry::traces::names::stage;

/// Answers a question and puts the answer, or why there is none, into its final bytes by `encode`. An outcome that cost
/// a call is remembered under `keys` before it is returned, and one that is remembered costs no call.
pub async fn settle(
    engine: &Engine,
    remembered: Option<(&RememberedOutcomes, Keys)>,
    question: &mut Question,
    encode: impl FnOnce(Result<Answered, Failure>) -> Settled,
) -> Settled {
    let _lock = match remembered {
        Some((outcomes, keys)) => Some(outcomes.lock(keys).await),
        None => None,
    };
    if let Some((outcomes, keys)) = remembered {
        let span = question.trace().span(stage::JOURNAL_RECALL);
        let settled = outcomes.recall(keys).await;
        drop(span);
        if let Some(settled) = settled {
            return settled;
        }
        // An instance that lost the record may get its answer while this one waits for a provider.
        if !question.gate().is_open()
            && engine.ready(question).await.is_ok()
            && let Some(settled) = outcomes.recall(keys).await
        {
            return settled;
        }
        if question.may_be_compared() {
            question.keep_paid_answer_in(outcomes.paid_answer(keys));
        }
    }
    let outcome = match AssertUnwindSafe(engine.finish(question)).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(panic) => Err(defect(panic.as_ref())),
    };
    let has_cost = match &outcome {
        Ok(answered) => answered.cache_hit == CacheHit::None,
        Err(failure) => failure.attempts() > 0,
    };
    let settled = encode(outcome);
    if let Some((outcomes, keys)) = remembered.filter(|_| has_cost) {
        let _span = question.trace().span(stage::JOURNAL_RECORD);
        outcomes.record(keys, &settled).await;
    }
    settled
}

/// The failure of a record on which a stage panicked. A panic's message is a source position or our own words; it may
/// quote data, so only its presence is told.
pub fn defect(panic: &(dyn Any + Send)) -> Failure {
    tracing::error!(is_text = panic.is::<String>() || panic.is::<&str>(), "a pipeline stage panicked");
    Failure::defect()
}
