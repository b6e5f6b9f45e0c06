//! What the pipeline found out, and how.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::attempt::{Attempt, LadderStep};
use crate::domain::decimals::Decimals;
pub use crate::domain::usage::Usage;

/// How far the answer's data was checked against its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validation {
    /// Valid against the schema as written.
    Passed,
    /// After safe coercions only nearly so: some required fields may be missing. Only where the user allows it.
    Relaxed,
    /// Not at all: whoever asked wanted any object.
    Bypassed,
}

impl Validation {
    /// The name that users see (`validation` attribute).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Relaxed => "relaxed",
            Self::Bypassed => "bypassed",
        }
    }
}

/// Confidence in an answer and what it was computed from; each part is within 0.0–1.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// The product that users see (`confidence` attribute).
    pub score: f64,
    /// Less than 1.0 when the JSON had to be mended, or the schema relaxed.
    pub validation: f64,
    /// Less than 1.0 when invalid answers came before this one.
    pub ladder: f64,
    /// How sure the provider was, where it says so.
    pub provider: f64,
    /// Share of the schema's fields that are filled.
    pub completeness: f64,
}

impl fmt::Display for Confidence {
    /// The factors by name (`confidencefactors` attribute):
    /// `validation=1.00 ladder=0.85 provider=1.00 completeness=0.75`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { score: _, validation, ladder, provider, completeness } = self;
        let [validation, ladder, provider, completeness] =
            [validation, ladder, provider, completeness].map(|factor| Decimals(*factor, 2));
        write!(f, "validation={validation} ladder={ladder} provider={provider} completeness={completeness}")
    }
}

/// A valid answer. Immutable: the cache and every record that asked the same question share one.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The extracted object as compact JSON, as valid against the schema that was asked for as `validation` says.
    pub data: Bytes,
    /// Name of the provider that gave it, as configured.
    pub provider: Arc<str>,
    /// Model that the provider says it used.
    pub model: Arc<str>,
    /// How far it was checked.
    pub validation: Validation,
    /// How sure we are.
    pub confidence: Confidence,
    /// What it took, in order; the last one gave the answer.
    pub attempt_log: Vec<Attempt>,
    /// Tokens of all of those calls.
    pub usage: Usage,
    /// What those calls cost in US dollars, by the configured prices.
    pub cost_usd: f64,
}

impl Answer {
    /// Tokens of the call that gave it: what it would have taken to get it at once.
    pub fn last_call(&self) -> Usage {
        self.attempt_log
            .iter()
            .rfind(|attempt| attempt.step != LadderStep::Relax)
            .map(|attempt| attempt.usage)
            .unwrap_or_default()
    }
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheHit {
    /// From a provider, for this record.
    None,
    /// From memory, or from a call that was in flight for the same question.
    Memory,
    /// From the answers that processes share.
    Redis,
    /// From the journal: this event asked the same before, and the process did not live to publish the answer, or the
    /// sender repeats itself.
    Journal,
}

impl CacheHit {
    /// The name that users see (`cachehit` attribute).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::Journal => "journal",
        }
    }
}

/// Something a reader of the result should know about it (`flags` attribute).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// The input looked like an injection attempt, by the pattern of this name.
    SuspiciousInput(&'static str),
    /// The confidence is below the connector's threshold.
    LowConfidence,
}

impl Flag {
    /// The pattern of an injection attempt, if it is about one.
    pub fn pattern(self) -> Option<&'static str> {
        match self {
            Self::SuspiciousInput(pattern) => Some(pattern),
            Self::LowConfidence => None,
        }
    }

    /// The text that users see.
    pub fn text(self) -> Cow<'static, str> {
        match self {
            Self::SuspiciousInput(pattern) => format!("suspicious-input:{pattern}").into(),
            Self::LowConfidence => "low-confidence".into(),
        }
    }
}

/// An answer to one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The shared answer.
    pub answer: Arc<Answer>,
    /// Where it came from, for this request.
    pub cache_hit: CacheHit,
    /// What to note about this request; sorted.
    pub flags: Vec<Flag>,
}
