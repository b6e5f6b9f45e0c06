//! What was tried for one record, step by step.

use std::sync::Arc;

use crate::domain::answer::Usage;
use crate::domain::failure::Code;

/// A rung of the ladder from a question to a valid answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
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

impl Step {
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
    pub step: Step,
    /// The provider, as configured.
    pub provider: Arc<str>,
    /// The model that answered; empty when none did.
    pub model: Arc<str>,
    /// Tokens of this call.
    pub usage: Usage,
    /// What it cost in US dollars, by the configured prices.
    pub cost_usd: f64,
    /// Why it did not lead to the result; `None` for the one that did.
    pub error: Option<Code>,
}

/// Provider calls among these steps.
pub fn calls(trail: &[Attempt]) -> u32 {
    u32::try_from(trail.iter().filter(|attempt| attempt.step != Step::Relax).count()).unwrap_or(u32::MAX)
}
