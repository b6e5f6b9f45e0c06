//! What the pipeline found out, and how.

use std::sync::Arc;

use bytes::Bytes;

/// Tokens that calls for one record used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
    }
}

/// How far the answer's data was checked against its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validation {
    /// Valid against the schema as written.
    Passed,
}

impl Validation {
    /// The name that users see (`validation` attribute).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
        }
    }
}

/// Confidence in an answer and what it was computed from; each part is within 0.0–1.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// The product that users see (`confidence` attribute).
    pub score: f64,
    /// Share of the schema's fields that are filled.
    pub completeness: f64,
    /// How sure the provider was, where it says so.
    pub provider: f64,
    /// Less than 1.0 when validation needed repeated asking.
    pub validation: f64,
}

/// A valid answer. Immutable: the cache and every record that asked the same question share one.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The extracted object as compact JSON, valid against the schema that was asked for.
    pub data: Bytes,
    /// Name of the provider that gave it, as configured.
    pub provider: Arc<str>,
    /// Model that the provider says it used.
    pub model: Arc<str>,
    /// How far it was checked.
    pub validation: Validation,
    /// How sure we are.
    pub confidence: Confidence,
    /// Provider calls that it took.
    pub attempts: u32,
    /// Tokens of all of those calls.
    pub usage: Usage,
    /// What those calls cost in US dollars, by the configured prices.
    pub cost_usd: f64,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheHit {
    /// From a provider, for this record.
    None,
    /// From memory, or from a call that was in flight for the same question.
    Memory,
}

impl CacheHit {
    /// The name that users see (`cachehit` attribute).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Memory => "memory",
        }
    }
}

/// Something a reader of the result should know about it (`flags` attribute).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// The input looked like an injection attempt.
    SuspiciousInput,
    /// The confidence is below the connector's threshold.
    LowConfidence,
}

impl Flag {
    /// The name that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SuspiciousInput => "suspicious-input",
            Self::LowConfidence => "low-confidence",
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
