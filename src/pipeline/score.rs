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

/// Why an answer is no result of the request that asked, if it is none: `ungrounded` or `low_confidence`, where the
/// policy is to dead-letter.
pub fn refusal(answer: &Answer, grounding: Option<&Grounding>, checks: &Checks) -> Option<Failure> {
    let failure = |code, detail: String| Some(Failure::new(code, detail).after(answer.attempt_log.as_slice()));
    if let Some(grounding) = grounding.filter(|grounding| !grounding.refused.is_empty()) {
        let detail = format!(
            "values of the answer were not found in the record's text: {}; say x-evidence: judged in the schema \
             where they need not",
            grounding.refused.join(", ")
        );
        return failure(Code::Ungrounded, detail);
    }
    if checks.on_low_confidence != LowConfidencePolicy::DeadLetter {
        return None;
    }
    let score = confidence(answer, grounding).score;
    let threshold = below_threshold(score, checks)?;
    failure(Code::LowConfidence, format!("confidence {score:.2} is below the threshold {threshold:.2}"))
}

fn confidence(answer: &Answer, grounding: Option<&Grounding>) -> Confidence {
    Confidence::new(answer.factors, grounding.and_then(|grounding| grounding.grounded))
}

/// The threshold that a confidence is below.
fn below_threshold(score: f64, checks: &Checks) -> Option<f64> {
    checks.confidence_threshold.filter(|threshold| score < *threshold)
}

/// Holds an answer against what the request that asked allows.
///
/// # Errors
/// Its [`refusal`].
pub fn judge(
    answer: Arc<Answer>,
    cache_hit: CacheHit,
    grounding: Option<Arc<Grounding>>,
    mut flags: Vec<Flag>,
    checks: &Checks,
) -> Result<Answered, Failure> {
    if let Some(failure) = refusal(&answer, grounding.as_deref(), checks) {
        return Err(failure);
    }
    let confidence = confidence(&answer, grounding.as_deref());
    flags.extend(grounding.iter().flat_map(|grounding| grounding.flags.iter().cloned()));
    if below_threshold(confidence.score, checks).is_some() {
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
