//! What a user chooses about providers.

use std::time::Duration;

use crate::domain::secret::Secret;

/// One entry of `providers`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderSettings {
    /// The name under which connectors and routing refer to it.
    pub name: String,
    /// What stands behind it.
    pub kind: ProviderKind,
}

/// The kinds of provider that this version has.
#[derive(Debug, Clone, PartialEq)]
pub enum ProviderKind {
    /// The built-in rule-based extractor.
    Offline,
    /// OpenAI chat completions, or any server that speaks them.
    OpenAi(OpenAiSettings),
}

/// Settings of an OpenAI-compatible provider.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenAiSettings {
    /// Base URL with its version, as the official SDKs take it (`…/v1`), without a trailing slash.
    pub base_url: String,
    /// Model to ask for.
    pub model: String,
    /// API key; `None` for local servers that want none.
    pub api_key: Option<Secret>,
    /// Limit for one HTTP exchange, connecting and reading included.
    pub timeout: Duration,
    /// Ceiling for the answer's tokens.
    pub max_tokens: u32,
    /// Sampling temperature where a connector does not say; `None` sends none.
    pub temperature: Option<f64>,
    /// Further attempts after a transient error, in one call of the pipeline.
    pub max_retries: u32,
    /// US dollars per 1,000 input tokens and per 1,000 output tokens.
    pub price_per_1k: (f64, f64),
}
