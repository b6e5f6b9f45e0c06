//! Score: how sure are we, and is that enough?

use std::sync::Arc;

use crate::domain::answer::{Answer, Answered, CacheHit, Confidence, Flag, Validation};
use crate::domain::failure::{Code, Failure};
use crate::pipeline::spec::{Checks, LowConfidencePolicy};
use crate::prompt::parse::Form;

/// Confidence that each invalid answer before costs: an answer that had to be corrected is a weaker one.
const PER_CORRECTION: f64 = 0.15;
/// Factor for an answer that is only nearly valid.
const RELAXED: f64 = 0.5;
/// Factor for an answer that nobody held against the schema.
const BYPASSED: f64 = 0.5;
/// Factor for an answer whose JSON we had to mend.
const REPAIRED: f64 = 0.9;
/// Part of the score that does not depend on completeness: a ticket without an order number is no worse a ticket.
const COMPLETENESS_FLOOR: f64 = 0.6;

/// What confidence is computed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Invalid answers before this one.
    pub corrections: u32,
    /// How far it is valid.
    pub validation: Validation,
    /// How the JSON stood in the reply.
    pub form: Form,
    /// The provider's own signal, where there is one.
    pub provider: Option<f64>,
    /// Share of the schema's fields that are filled.
    pub completeness: f64,
}

/// Confidence from validation, the ladder, the provider's signal and completeness: their product, where completeness
/// weighs from [`COMPLETENESS_FLOOR`] upwards.
pub fn confidence(evidence: &Evidence) -> Confidence {
    let validation = match (evidence.validation, evidence.form) {
        (Validation::Relaxed, _) => RELAXED,
        (Validation::Bypassed, _) => BYPASSED,
        (Validation::Passed, Form::Repaired) => REPAIRED,
        (Validation::Passed, _) => 1.0,
    };
    let ladder = (1.0 - PER_CORRECTION * f64::from(evidence.corrections)).max(0.0);
    let provider = evidence.provider.unwrap_or(1.0).clamp(0.0, 1.0);
    let completeness = evidence.completeness.clamp(0.0, 1.0);
    let score = validation * ladder * provider * (COMPLETENESS_FLOOR + (1.0 - COMPLETENESS_FLOOR) * completeness);
    Confidence { score, validation, ladder, provider, completeness }
}

/// Holds an answer against the threshold of the request that asked.
///
/// # Errors
/// `low_confidence` where the policy is to dead-letter.
pub fn judge(
    answer: Arc<Answer>,
    cache_hit: CacheHit,
    mut flags: Vec<Flag>,
    checks: &Checks,
) -> Result<Answered, Failure> {
    let score = answer.confidence.score;
    if let Some(threshold) = checks.confidence_threshold.filter(|threshold| score < *threshold) {
        if checks.on_low_confidence == LowConfidencePolicy::DeadLetter {
            let detail = format!("confidence {score:.2} is below the threshold {threshold:.2}");
            return Err(Failure::new(Code::LowConfidence, detail).after(answer.attempt_log.as_slice()));
        }
        flags.push(Flag::LowConfidence);
    }
    Ok(Answered { answer, cache_hit, flags })
}
