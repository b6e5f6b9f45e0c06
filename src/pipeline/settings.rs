//! What a user chooses about the pipeline, one set for each connector.

use std::sync::Arc;
use std::time::Duration;

use crate::pipeline::route::settings::{BudgetSettings, RecordCeiling, Strategy};
use crate::prompt::template::Template;
use crate::schema::Schema;

/// What to do with input that looks like an injection attempt. Free text may well mention SQL, so a connector flags by
/// default and loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternPolicy {
    /// Do not look.
    Off,
    /// Mark the result.
    Flag,
    /// Refuse the input.
    Reject,
}

/// What to do with an answer below the confidence threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LowConfidencePolicy {
    /// Mark the result.
    Flag,
    /// Dead-letter the record.
    DeadLetter,
}

/// Settings of one pipeline: from an event to an answer.
#[derive(Debug, Clone)]
pub struct PipelineSettings {
    /// The connector's name; part of every result's identity.
    pub connector: Arc<str>,
    /// The compiled prompt template.
    pub template: Arc<Template>,
    /// The compiled schema.
    pub schema: Arc<Schema>,
    /// Provider to use; `None` takes the routing's choice.
    pub provider: Option<String>,
    /// How the routing chooses; `None` as the routing does for everyone.
    pub strategy: Option<Strategy>,
    /// Whether an answer that only nearly has the schema's shape may be published, marked.
    pub allow_relaxed: bool,
    /// What all calls for one record may cost.
    pub record_ceiling: RecordCeiling,
    /// What the connector may spend.
    pub budget: Option<BudgetSettings>,
    /// Sampling temperature; `None` leaves it to the provider.
    pub temperature: Option<f64>,
    /// Ceiling for the answer's tokens; `None` leaves it to the provider.
    pub max_tokens: Option<u32>,
    /// Longest prompt in characters, after normalisation.
    pub max_prompt_chars: usize,
    /// What to do with suspicious input.
    pub patterns: PatternPolicy,
    /// Confidence below which [`PipelineSettings::on_low_confidence`] applies.
    pub confidence_threshold: Option<f64>,
    /// What happens below the threshold.
    pub on_low_confidence: LowConfidencePolicy,
    /// How long an answer is remembered. Zero bypasses the cache.
    pub cache_ttl: Duration,
    /// First 12 hexadecimal digits of the SHA-256 of the connector file as resolved (`confighash`).
    pub config_hash: Arc<str>,
}
