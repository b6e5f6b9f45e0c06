//! What the pipeline found out, and how.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::agreement::Agreement;
use crate::domain::attempt::{Attempt, LadderStep};
use crate::domain::decimals::Decimals;
pub use crate::domain::flag::Flag;
use crate::domain::grounding::{Grounding, RememberedGrounding};
use crate::domain::logprobs::ValueLogprob;
use crate::domain::quotes::FieldQuotes;
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

/// What is known of an answer by itself, whoever asked for it; each factor is within 0.0–1.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerFactors {
    /// Less than 1.0 when the JSON had to be mended, or the schema relaxed.
    pub validation: f64,
    /// Less than 1.0 when invalid answers came before this one.
    pub ladder: f64,
    /// How sure the provider was of its values; `None` where it does not say.
    pub provider: Option<f64>,
}

/// Confidence in an answer to one request, and what it was computed from. It ranks answers; it is no probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// The product that users see (`confidence` attribute).
    pub score: f64,
    /// What is known of the answer by itself.
    pub answer: AnswerFactors,
    /// Share of its values that stand in the record's own text; `None` where nothing was looked for.
    pub grounding: Option<f64>,
}

impl Confidence {
    /// The product of all factors that are known.
    pub fn new(answer: AnswerFactors, grounding: Option<f64>) -> Self {
        let AnswerFactors { validation, ladder, provider } = answer;
        let score = validation * ladder * grounding.unwrap_or(1.0) * provider.unwrap_or(1.0);
        Self { score, answer, grounding }
    }
}

impl fmt::Display for Confidence {
    /// The factors by name (`confidencefactors` attribute):
    /// `validation=1.00 ladder=0.85 grounding=0.75 provider=unknown`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { score: _, answer: AnswerFactors { validation, ladder, provider }, grounding } = *self;
        let factors = [
            ("validation", Some(validation)),
            (" ladder", Some(ladder)),
            (" grounding", grounding),
            (" provider", provider),
        ];
        factors.into_iter().try_for_each(|(name, factor)| match factor {
            Some(factor) => write!(f, "{name}={}", Decimals(factor, 2)),
            None => write!(f, "{name}=unknown"),
        })
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
    /// What is known of it by itself.
    pub factors: AnswerFactors,
    /// What it took, in order; the last one gave the answer.
    pub attempt_log: Vec<Attempt>,
    /// Tokens of all of those calls.
    pub usage: Usage,
    /// What those calls cost in US dollars, by the configured prices.
    pub cost_usd: f64,
    /// What the model quotes of its input for its values, if it was asked to.
    pub quotes: Vec<FieldQuotes>,
    /// How likely its values were to the model, where the provider tells it.
    pub logprobs: Vec<ValueLogprob>,
    /// Where its values stand in the text of the newest record that it was given to. Found out in each process anew.
    pub grounding: RememberedGrounding,
    /// What a second provider says of it, if one was asked and answered.
    pub agreement: Option<Agreement>,
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

/// An answer to one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The shared answer.
    pub answer: Arc<Answer>,
    /// Where it came from, for this request.
    pub cache_hit: CacheHit,
    /// What to note about this request; sorted.
    pub flags: Vec<Flag>,
    /// How sure we are, for this request.
    pub confidence: Confidence,
    /// Where the answer's values stand in this request's own text, if that was looked for.
    pub grounding: Option<Arc<Grounding>>,
}

impl Answered {
    /// The data to publish as compact JSON: the answer's, or the same with null for values that have no ground.
    pub fn data(&self) -> &Bytes {
        let replaced = self.grounding.as_ref().and_then(|grounding| grounding.data.as_ref());
        replaced.unwrap_or(&self.answer.data)
    }
}
