//! What a user chooses about routing.

use crate::domain::answer::Usage;

/// How the first provider for a question is chosen among those that may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// The one with the fewest calls under way, relative to its concurrency ceiling.
    #[default]
    LeastBusy,
    /// The one whose valid records cost least: price by share of calls that came to a valid answer.
    Cost,
    /// The one that has lately been fastest.
    Latency,
    /// The first in the order of `routing.fallback`.
    Priority,
}

impl Strategy {
    /// The name that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeastBusy => "least-busy",
            Self::Cost => "cost",
            Self::Latency => "latency",
            Self::Priority => "priority",
        }
    }
}

/// The `routing` section.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoutingSettings {
    /// How the first provider is chosen, where a connector does not say.
    pub strategy: Strategy,
    /// Names of usable providers, in the order in which they stand in for each other.
    pub fallback: Vec<String>,
    /// The prices that costs are compared with; `None` where there is nothing to compare.
    pub reference: Option<Prices>,
}

/// Our own limits on what is sent to one provider. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ceilings {
    /// Calls at the same time.
    pub concurrency: Option<u32>,
    /// Calls a minute.
    pub requests_per_minute: Option<u32>,
    /// Tokens a minute, input and output together.
    pub tokens_per_minute: Option<u32>,
}

/// What one record may cost, all of its calls together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordCeiling {
    /// Tokens, input and output together.
    pub tokens: u64,
    /// US dollars; `None` is no limit.
    pub usd: Option<f64>,
}

impl RecordCeiling {
    /// Whether a record may come to this.
    pub fn allows(self, tokens: u64, usd: f64) -> bool {
        tokens <= self.tokens && self.usd.is_none_or(|limit| usd <= limit)
    }
}

/// US dollars per 1,000 tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prices {
    /// Input.
    pub input_per_1k: f64,
    /// Output, reasoning included.
    pub output_per_1k: f64,
    /// Input read from the provider's prompt cache.
    pub cached_per_1k: f64,
}

impl Prices {
    /// What these tokens cost, in US dollars.
    pub fn cost_usd(&self, usage: Usage) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
        let thousands = |tokens: u64| tokens as f64 / 1000.0;
        let cached = usage.cached_tokens.min(usage.input_tokens);
        thousands(usage.input_tokens - cached) * self.input_per_1k
            + thousands(cached) * self.cached_per_1k
            + thousands(usage.output_tokens) * self.output_per_1k
    }
}
