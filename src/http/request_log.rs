//! The log of requests: with which key what was asked, and what came of it.
//!
//! - [`layer`]: takes a request down; [`record`]: what of it, and when.

pub mod layer;
pub mod record;

use std::sync::Arc;
use std::time::Duration;

use super::problem::Problem;
use crate::domain::attempt::{Attempt, Spending};
use crate::ports::request_log::RequestLog;

/// Takes requests down.
pub struct RequestLogger {
    /// Where they are taken down.
    pub log: Arc<dyn RequestLog>,
    /// Whether prompts and answers are taken down as well.
    pub store_text: bool,
}

/// What came of a prompt, as its handler knows it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The HTTP status, of the answer or of the item in a batch.
    pub status: u16,
    /// The code of the problem, if that is what came.
    pub code: Option<&'static str>,
    /// Who answered, or was asked last.
    pub provider: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// The schema with its version.
    pub schema: Option<String>,
    /// The template with its version.
    pub template: Option<String>,
    /// How long the answer took; as long as the request, if that is not known.
    pub took: Option<Duration>,
    /// Tokens that were sent to providers.
    pub input_tokens: u64,
    /// Tokens that providers answered with.
    pub output_tokens: u64,
    /// What the calls cost, in US dollars.
    pub cost_usd: f64,
    /// Whether the answer was remembered.
    pub cached: bool,
    /// How the answer was validated.
    pub validation_status: Option<&'static str>,
    /// How much the answer can be trusted.
    pub confidence: Option<f64>,
    /// The answer's data as JSON, where texts are kept.
    pub data: Option<String>,
}

impl From<&Problem> for Outcome {
    /// What was asked for in vain is paid for all the same.
    fn from(problem: &Problem) -> Self {
        let (status, code) = (problem.status().as_u16(), Some(problem.code()));
        let calls = problem.attempt_log();
        let (last, Spending { usage, cost_usd }) = (calls.last(), Spending::of(calls));
        Self {
            status,
            code,
            provider: last.map(|Attempt { provider, .. }| provider.to_string()),
            model: last.map(|Attempt { model, .. }| model.to_string()),
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cost_usd,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests;
