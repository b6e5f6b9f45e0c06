//! How the process is doing: its parts as one, and its providers.

use std::sync::Arc;

use crate::domain::health::{Component, Status};
use crate::pipeline::route::provider::Provider;
use crate::pipeline::route::waiting::asked_again;
use crate::ports::health::Health;

/// The providers that some connector or request asks. One that nobody asks is neither up nor down.
pub(super) struct ProviderHealth(pub(super) Vec<Arc<Provider>>);

impl Health for ProviderHealth {
    fn components(&self) -> Vec<Component> {
        self.0.iter().map(|provider| component(provider)).collect()
    }
}

fn component(provider: &Provider) -> Component {
    let summary = provider.summary();
    let open = provider.open().map(|open| format!("{}; {}", open.failure, asked_again(open.until)));
    let trouble =
        open.or_else(|| provider.disabled().map(|why| format!("asked only when no other can be: {}", why.reason())));
    let waiting = provider.waiting();
    // Being busy is no fault.
    let status = if trouble.is_some() { Status::Degraded } else { Status::Up };
    let busy = (waiting > 0)
        .then(|| format!("{waiting} questions wait for a ceiling (calls at once, or requests or tokens a minute)"));
    #[allow(clippy::cast_possible_truncation, reason = "0 to 100")]
    let error_percent = (summary.error_ratio * 100.0).round() as i64;
    Component {
        kind: "provider",
        name: provider.name().to_string(),
        status,
        latency: summary.p95,
        detail: trouble.or(busy),
        facts: vec![
            ("in_flight", provider.in_flight().into()),
            ("waiting", waiting.into()),
            ("calls_5m", summary.calls.into()),
            ("error_percent_5m", error_percent),
        ],
        is_ready: true,
        is_alive: true,
    }
}

/// All parts as one, for `GET /v1/health` and the probes.
pub(super) struct AllHealth(pub(super) Vec<Arc<dyn Health>>);

impl Health for AllHealth {
    fn components(&self) -> Vec<Component> {
        self.0.iter().flat_map(|part| part.components()).collect()
    }
}
