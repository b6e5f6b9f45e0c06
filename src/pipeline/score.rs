//! Score: how sure are we, and is that enough?

use std::sync::Arc;

use crate::domain::answer::{Answer, AnswerFactors, Answered, CacheHit, Confidence, Flag, Validation};
use crate::domain::failure::{Code, Failure};
use crate::domain::grounding::Grounding;
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

/// How an answer came about, as far as it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerHistory {
    /// Invalid answers before this one.
    pub corrections: u32,
    /// How far it is valid.
    pub validation: Validation,
    /// How the JSON stood in the reply.
    pub form: Form,
    /// The provider's own signal, where there is one.
    pub provider: Option<f64>,
}

/// What is known of an answer by itself. A field that is null or left out costs nothing where the schema allows that: a
/// ticket without an order number is no worse a ticket.
pub fn factors(history: &AnswerHistory) -> AnswerFactors {
    let validation = match (history.validation, history.form) {
        (Validation::Relaxed, _) => RELAXED,
        (Validation::Bypassed, _) => BYPASSED,
        (Validation::Passed, Form::Repaired) => REPAIRED,
        (Validation::Passed, _) => 1.0,
    };
    let ladder = (1.0 - PER_CORRECTION * f64::from(history.corrections)).max(0.0);
    AnswerFactors { validation, ladder, provider: history.provider.map(|signal| signal.clamp(0.0, 1.0)) }
}

/// Holds an answer against what the request that asked allows.
///
/// # Errors
/// `ungrounded` or `low_confidence` where the policy is to dead-letter.
pub fn judge(
    answer: Arc<Answer>,
    cache_hit: CacheHit,
    grounding: Option<Arc<Grounding>>,
    mut flags: Vec<Flag>,
    checks: &Checks,
) -> Result<Answered, Failure> {
    let confidence = Confidence::new(answer.factors, grounding.as_ref().and_then(|grounding| grounding.grounded));
    if let Some(grounding) = &grounding {
        if !grounding.refused.is_empty() {
            let detail = format!(
                "values of the answer were not found in the record's text: {}; say x-evidence: judged in the schema where \
                 they need not",
                grounding.refused.join(", ")
            );
            return Err(Failure::new(Code::Ungrounded, detail).after(answer.attempt_log.as_slice()));
        }
        flags.extend_from_slice(&grounding.flags);
    }
    let score = confidence.score;
    if let Some(threshold) = checks.confidence_threshold.filter(|threshold| score < *threshold) {
        if checks.on_low_confidence == LowConfidencePolicy::DeadLetter {
            let detail = format!("confidence {score:.2} is below the threshold {threshold:.2}");
            return Err(Failure::new(Code::LowConfidence, detail).after(answer.attempt_log.as_slice()));
        }
        flags.push(Flag::LowConfidence);
    }
    Ok(Answered { answer, cache_hit, flags, confidence, grounding })
}

/// Why a person should see an answer before others do: the codes with which its record would be dead-lettered instead,
/// if the policies said so.
pub fn review_reasons(answered: &Answered, checks: &Checks) -> Vec<Code> {
    let mut reasons = Vec::new();
    if answered.grounding.as_ref().is_some_and(|grounding| grounding.is_for_review) {
        reasons.push(Code::Ungrounded);
    }
    if checks.on_low_confidence == LowConfidencePolicy::Review && answered.flags.contains(&Flag::LowConfidence) {
        reasons.push(Code::LowConfidence);
    }
    reasons
}
