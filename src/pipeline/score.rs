//! Score: how sure are we, and is that enough?

use std::sync::Arc;

use crate::domain::answer::{Answer, Answered, CacheHit, Confidence, Flag};
use crate::domain::failure::{Code, Failure};
use crate::pipeline::settings::{LowConfidencePolicy, PipelineSettings};
use crate::prompt::parse::Form;

/// Confidence that each repeated question costs: an answer that had to be corrected is a weaker one.
const PER_CORRECTION: f64 = 0.15;
/// Factor for an answer whose JSON we had to mend.
const REPAIRED: f64 = 0.9;
/// Part of the score that does not depend on completeness: a ticket without an order number is no worse a ticket.
const COMPLETENESS_FLOOR: f64 = 0.6;

/// What confidence is computed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Provider calls that it took.
    pub attempts: u32,
    /// How the JSON stood in the reply.
    pub form: Form,
    /// The provider's own signal, where there is one.
    pub provider: Option<f64>,
    /// Share of the schema's fields that are filled.
    pub completeness: f64,
}

/// Confidence from validation, the provider's signal and completeness: their product, where completeness weighs from
/// [`COMPLETENESS_FLOOR`] upwards.
pub fn confidence(evidence: &Evidence) -> Confidence {
    let corrections = f64::from(evidence.attempts.saturating_sub(1));
    let mended = if evidence.form == Form::Repaired { REPAIRED } else { 1.0 };
    let validation = ((1.0 - PER_CORRECTION * corrections) * mended).clamp(0.0, 1.0);
    let provider = evidence.provider.unwrap_or(1.0).clamp(0.0, 1.0);
    let completeness = evidence.completeness.clamp(0.0, 1.0);
    let score = validation * provider * (COMPLETENESS_FLOOR + (1.0 - COMPLETENESS_FLOOR) * completeness);
    Confidence { score, completeness, provider, validation }
}

/// Holds an answer against the threshold of the request that asked.
///
/// # Errors
/// `low_confidence` where the policy is to dead-letter.
pub fn judge(
    answer: Arc<Answer>,
    cache_hit: CacheHit,
    mut flags: Vec<Flag>,
    settings: &PipelineSettings,
) -> Result<Answered, Failure> {
    let score = answer.confidence.score;
    if let Some(threshold) = settings.confidence_threshold.filter(|threshold| score < *threshold) {
        if settings.on_low_confidence == LowConfidencePolicy::DeadLetter {
            let detail = format!("confidence {score:.2} is below the threshold {threshold:.2}");
            return Err(Failure::new(Code::LowConfidence, detail).after(answer.attempts));
        }
        flags.push(Flag::LowConfidence);
    }
    Ok(Answered { answer, cache_hit, flags })
}
