//! What was tried for one record, step by step.

use std::sync::Arc;

use crate::domain::error_code::{Code, Kind};
use crate::domain::usage::Usage;

/// A rung of the ladder from a question to a valid answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LadderStep {
    /// The first call.
    Ask,
    /// The same call again, after an error that may pass.
    Retry,
    /// The same provider, shown what was wrong with its answer.
    Correct,
    /// The same provider with a higher ceiling of tokens, after a truncated answer.
    Lengthen,
    /// Another provider.
    Fallback,
    /// No call: the best answer so far, with safe coercions and missing fields, marked.
    Relax,
}

impl LadderStep {
    /// The name that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Retry => "retry",
            Self::Correct => "correct",
            Self::Lengthen => "lengthen",
            Self::Fallback => "fallback",
            Self::Relax => "relax",
        }
    }
}

/// One step that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// What it was.
    pub step: LadderStep,
    /// The provider, as configured.
    pub provider: Arc<str>,
    /// The model that answered, or else the one that was asked.
    pub model: Arc<str>,
    /// The provider's id of its response, for its support.
    pub response_id: Option<Arc<str>>,
    /// Tokens of this call.
    pub usage: Usage,
    /// What it cost in US dollars, by the configured prices.
    pub cost_usd: f64,
    /// Why it did not lead to the result; `None` for the one that did.
    pub error: Option<Code>,
    /// What of the reply's text was not taken for the answer.
    pub passed_over: PassedOver,
    /// How often it was taken with the same outcome; more than once only in a long log.
    pub times: u32,
}

/// What several steps took together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spending {
    /// Tokens of their calls.
    pub usage: Usage,
    /// What those cost in US dollars, by the configured prices.
    pub cost_usd: f64,
}

impl Spending {
    /// That of all these steps.
    pub fn of(attempt_log: &[Attempt]) -> Self {
        let mut spending = Self::default();
        attempt_log.iter().for_each(|attempt| spending.add(attempt));
        spending
    }

    /// Adds that of another step.
    pub fn add(&mut self, attempt: &Attempt) {
        self.usage += attempt.usage;
        self.cost_usd += attempt.cost_usd;
    }
}

/// What stood in a reply beside what was taken for the answer, or was found wanting as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassedOver {
    /// The model's reasoning.
    pub reasoning: bool,
    /// JSON objects: examples, the schema, drafts.
    pub objects: u32,
}

impl PassedOver {
    /// Whether the reply was nothing but the answer.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// Steps from which on a log is kept from growing.
const LONG: usize = 32;

/// Adds a step. In a long log, one that failed for the provider's reasons is counted with an earlier one like it since
/// the last answer: an outage of a day must not make a record's log longer than its topic takes.
pub fn push(attempt_log: &mut Vec<Attempt>, attempt: Attempt) {
    let is_waited_for = |attempt: &Attempt| attempt.error.is_some_and(|code| code.kind() == Kind::Unavailable);
    if attempt_log.len() >= LONG && is_waited_for(&attempt) {
        let mut recent = attempt_log.iter_mut().rev().take_while(|former| is_waited_for(former));
        let is_same = |former: &&mut Attempt| {
            (former.step, &former.provider, former.error) == (attempt.step, &attempt.provider, attempt.error)
        };
        if let Some(former) = recent.find(is_same) {
            former.times = former.times.saturating_add(1);
            return;
        }
    }
    attempt_log.push(attempt);
}

/// Provider calls among these steps.
pub fn calls(attempt_log: &[Attempt]) -> u32 {
    let calls = attempt_log.iter().filter(|attempt| attempt.step != LadderStep::Relax).map(|attempt| attempt.times);
    calls.fold(0, u32::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_does_not_grow_with_an_outage_and_still_counts_its_calls() {
        let attempt = |provider: &str, error| Attempt {
            step: LadderStep::Retry,
            provider: provider.into(),
            model: "m".into(),
            response_id: None,
            usage: Usage::default(),
            cost_usd: 0.0,
            error: Some(error),
            passed_over: PassedOver::default(),
            times: 1,
        };
        let mut attempt_log = Vec::new();
        push(&mut attempt_log, attempt("a", Code::AnswerInvalid));
        for _ in 0..1000 {
            push(&mut attempt_log, attempt("a", Code::ProviderUnavailable));
            push(&mut attempt_log, attempt("b", Code::ProviderUnavailable));
            push(&mut attempt_log, attempt("b", Code::ProviderOverloaded));
        }
        assert_eq!((attempt_log.len(), calls(&attempt_log)), (LONG, 3001));
        push(&mut attempt_log, attempt("a", Code::ProviderTimeout));
        push(&mut attempt_log, attempt("a", Code::ProviderUnavailable));
        assert_eq!(
            (attempt_log.len(), calls(&attempt_log)),
            (LONG + 2, 3003),
            "what came before an answer stays before it"
        );
    }
}
