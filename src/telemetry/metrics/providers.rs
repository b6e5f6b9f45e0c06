//! The handles of providers and of those who ask them.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::labels::{BreakerChanges, Calls, Decisions, OfConnector, OfProvider, Steps, Suspicious, Tokens, Verdicts};
use super::{AgreementMetrics, Exemplar, FloatCounter, FloatGauge, Latency, Metrics};
use crate::domain::answer::Usage;
use crate::domain::failure::Code;

/// What a call can end with, beside an answer.
pub(super) const ERRORS_OF_CALLS: [Code; 10] = [
    Code::ProviderMalformed,
    Code::ProviderOverloaded,
    Code::ProviderQuotaExhausted,
    Code::ProviderRateLimited,
    Code::ProviderRefused,
    Code::ProviderRejected,
    Code::ProviderTimeout,
    Code::ProviderUnauthorized,
    Code::ProviderUnavailable,
    Code::TooManyOpenFiles,
];

impl Metrics {
    /// The handles of one provider.
    pub fn provider(&self, name: &str) -> ProviderMetrics {
        let of = OfProvider { provider: name.to_owned() };
        let tokens = |direction| self.tokens.get_or_create_owned(&Tokens { provider: name.to_owned(), direction });
        let verdict = |verdict| self.verdicts.get_or_create_owned(&Verdicts { provider: name.to_owned(), verdict });
        let change =
            |state| self.breaker_changes.get_or_create_owned(&BreakerChanges { provider: name.to_owned(), state });
        // Those that count errors are there before the first one: what appears with it has not grown.
        for status in ERRORS_OF_CALLS.map(Code::as_str).into_iter().chain(["ok"]) {
            drop(self.calls.get_or_create(&Calls { provider: name.to_owned(), status }));
        }
        ProviderMetrics {
            calls: self.calls.clone(),
            call_seconds: Latency::of(&self.call_seconds, &of),
            input_tokens: tokens("input"),
            output_tokens: tokens("output"),
            cost_usd: self.cost_usd.get_or_create_owned(&of),
            in_flight: self.provider_in_flight.get_or_create_owned(&of),
            valid: verdict("valid"),
            invalid: verdict("invalid"),
            breaker_open: self.breaker_open.get_or_create_owned(&of),
            opened: change("opened"),
            closed: change("closed"),
            disabled: self.provider_disabled.get_or_create_owned(&of),
            error_ratio: self.error_ratio.get_or_create_owned(&of),
            p95_seconds: self.p95_seconds.get_or_create_owned(&of),
            provider: of.provider,
        }
    }

    /// The handles of one connector, or of another caller, for what is asked on its behalf.
    pub fn caller(&self, connector: &str) -> CallerMetrics {
        let of = OfConnector { connector: connector.to_owned() };
        CallerMetrics {
            decisions: self.decisions.clone(),
            steps: self.steps.clone(),
            suspicious: self.suspicious.clone(),
            agreement: self.agreement.of(connector),
            cost_usd: self.connector_cost_usd.get_or_create_owned(&of),
            budget_spent: self.budget_spent_usd.clone(),
            budget_limit: self.budget_limit_usd.clone(),
            of,
        }
    }
}

/// One provider's metrics, resolved once. See [`super::Metrics`] for what each means.
#[derive(Debug, Clone)]
pub struct ProviderMetrics {
    pub(super) provider: String,
    pub(super) calls: Family<Calls, Counter>,
    pub(super) call_seconds: Latency,
    pub(super) input_tokens: Counter,
    pub(super) output_tokens: Counter,
    pub(super) cost_usd: FloatCounter,
    /// Calls under way.
    pub in_flight: Gauge,
    pub(super) valid: Counter,
    pub(super) invalid: Counter,
    pub(super) breaker_open: Gauge,
    pub(super) opened: Counter,
    pub(super) closed: Counter,
    pub(super) disabled: Gauge,
    pub(super) error_ratio: FloatGauge,
    pub(super) p95_seconds: FloatGauge,
}

impl ProviderMetrics {
    /// Records one call.
    pub fn call(&self, outcome: Result<Usage, Code>, cost_usd: f64, took: Duration, exemplar: Option<Exemplar>) {
        let status = outcome.as_ref().map_or_else(|code| code.as_str(), |_| "ok");
        self.calls.get_or_create(&Calls { provider: self.provider.clone(), status }).inc();
        self.call_seconds.observe(took, exemplar);
        let usage = outcome.unwrap_or_default();
        self.input_tokens.inc_by(usage.input_tokens);
        self.output_tokens.inc_by(usage.output_tokens);
        self.cost_usd.inc_by(cost_usd);
    }

    /// Counts an answer that was held against its schema.
    pub fn judged(&self, is_valid: bool) {
        if is_valid { &self.valid } else { &self.invalid }.inc();
    }

    /// The breaker opened.
    pub fn breaker_opened(&self) {
        self.opened.inc();
        self.breaker_open.set(1);
    }

    /// The breaker closed.
    pub fn breaker_closed(&self) {
        self.closed.inc();
        self.breaker_open.set(0);
    }

    /// Shows how the provider has been doing.
    pub fn health(&self, is_disabled: bool, error_ratio: f64, p95: Option<Duration>) {
        self.disabled.set(i64::from(is_disabled));
        self.error_ratio.set(error_ratio);
        self.p95_seconds.set(p95.unwrap_or_default().as_secs_f64());
    }
}

/// The metrics of what is asked on behalf of one caller.
#[derive(Debug, Clone)]
pub struct CallerMetrics {
    pub(super) of: OfConnector,
    pub(super) decisions: Family<Decisions, Counter>,
    pub(super) steps: Family<Steps, Counter>,
    pub(super) suspicious: Family<Suspicious, Counter>,
    /// What second providers are asked.
    pub agreement: AgreementMetrics,
    pub(super) cost_usd: FloatCounter,
    pub(super) budget_spent: Family<OfConnector, FloatGauge>,
    pub(super) budget_limit: Family<OfConnector, FloatGauge>,
}

impl CallerMetrics {
    /// Counts a first choice.
    pub fn decided(&self, strategy: &'static str, provider: &str) {
        let connector = self.of.connector.clone();
        self.decisions.get_or_create(&Decisions { connector, strategy, provider: provider.to_owned() }).inc();
    }

    /// Counts a step of the ladder.
    pub fn step(&self, step: &'static str) {
        self.steps.get_or_create(&Steps { connector: self.of.connector.clone(), step }).inc();
    }

    /// Counts a prompt that has a pattern of injection.
    pub fn suspicious(&self, pattern: &'static str) {
        self.suspicious.get_or_create(&Suspicious { connector: self.of.connector.clone(), pattern }).inc();
    }

    /// Adds what a call cost.
    pub fn paid(&self, usd: f64) {
        self.cost_usd.inc_by(usd);
    }

    /// Shows what is spent of a budget, and its limit.
    pub fn budget(&self, spent_usd: f64, limit_usd: f64) {
        self.budget_spent.get_or_create(&self.of).set(spent_usd);
        self.budget_limit.get_or_create(&self.of).set(limit_usd);
    }
}
