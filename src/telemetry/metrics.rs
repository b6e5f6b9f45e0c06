//! Every metric of the process, as fields: a name cannot drift, and no label takes a value that an event could choose.
//!
//! `docs/metrics.md` documents each one; a test compares the two lists.

use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

mod agreement;
mod audit;
mod cache;
mod connectors;
mod fields;
mod journal;
mod labels;
mod providers;
mod rows;

pub use agreement::AgreementMetrics;
pub use audit::AuditMetrics;
pub use cache::CacheMetrics;
pub use connectors::{ConnectorMetrics, GaugeShare};
pub use fields::FieldMetrics;
pub use journal::JournalMetrics;
pub use providers::{CallerMetrics, ProviderMetrics};
pub use rows::RowMetrics;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

use self::labels::*;
use crate::domain::answer::CacheHit;

/// Upper bounds in seconds, from a cache hit's microseconds to a slow provider's half minute.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// Upper bounds of a share, and of a confidence.
const SHARES: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

type FloatCounter = Counter<f64, AtomicU64>;
type FloatGauge = Gauge<f64, AtomicU64>;

/// Makes histograms with the given bounds; a plain function pointer could not carry them.
#[derive(Debug, Clone, Copy)]
struct Bounds(&'static [f64]);

impl MetricConstructor<Histogram> for Bounds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

type Histograms<L> = Family<L, Histogram, Bounds>;

/// The process's metrics. Cheap to share; every method is safe from any thread.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    received: Family<OfConnector, Counter>,
    skipped: Family<OfConnector, Counter>,
    repeats: Family<OfConnector, Counter>,
    deleted: Family<OfConnector, Counter>,
    results: Family<Results, Counter>,
    for_review: Family<OfConnector, Counter>,
    dead_letters: Family<DeadLetters, Counter>,
    record_seconds: Histograms<OfConnector>,
    confidence: Histograms<OfConnector>,
    fields: fields::AllFieldMetrics,
    agreement: agreement::AllAgreementMetrics,
    in_flight: Family<InFlight, Gauge>,
    lag: Family<OfPartition, Gauge>,
    commits: Family<Commits, Counter>,
    rebalances: Family<Rebalances, Counter>,
    intake_paused: Family<OfConnector, Gauge>,
    restarts: Family<OfConnector, Counter>,
    calls: Family<Calls, Counter>,
    call_seconds: Histograms<OfProvider>,
    tokens: Family<Tokens, Counter>,
    cost_usd: Family<OfProvider, FloatCounter>,
    provider_in_flight: Family<OfProvider, Gauge>,
    verdicts: Family<Verdicts, Counter>,
    breaker_open: Family<OfProvider, Gauge>,
    breaker_changes: Family<BreakerChanges, Counter>,
    provider_disabled: Family<OfProvider, Gauge>,
    error_ratio: Family<OfProvider, FloatGauge>,
    p95_seconds: Family<OfProvider, FloatGauge>,
    decisions: Family<Decisions, Counter>,
    steps: Family<Steps, Counter>,
    suspicious: Family<Suspicious, Counter>,
    connector_cost_usd: Family<OfConnector, FloatCounter>,
    reference_cost_usd: Family<OfConnector, FloatCounter>,
    budget_spent_usd: Family<OfConnector, FloatGauge>,
    budget_limit_usd: Family<OfConnector, FloatGauge>,
    journal: JournalMetrics,
    cache: CacheMetrics,
    tables: rows::TableMetrics,
    audit: AuditMetrics,
    http_requests: Family<Requests, Counter>,
    http_seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("sp")),
            received: Family::default(),
            skipped: Family::default(),
            repeats: Family::default(),
            deleted: Family::default(),
            results: Family::default(),
            for_review: Family::default(),
            dead_letters: Family::default(),
            record_seconds: Family::new_with_constructor(Bounds(&SECONDS)),
            confidence: Family::new_with_constructor(Bounds(&SHARES)),
            fields: fields::AllFieldMetrics::default(),
            agreement: agreement::AllAgreementMetrics::default(),
            in_flight: Family::default(),
            lag: Family::default(),
            commits: Family::default(),
            rebalances: Family::default(),
            intake_paused: Family::default(),
            restarts: Family::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(Bounds(&SECONDS)),
            tokens: Family::default(),
            cost_usd: Family::default(),
            provider_in_flight: Family::default(),
            verdicts: Family::default(),
            breaker_open: Family::default(),
            breaker_changes: Family::default(),
            provider_disabled: Family::default(),
            error_ratio: Family::default(),
            p95_seconds: Family::default(),
            decisions: Family::default(),
            steps: Family::default(),
            suspicious: Family::default(),
            connector_cost_usd: Family::default(),
            reference_cost_usd: Family::default(),
            budget_spent_usd: Family::default(),
            budget_limit_usd: Family::default(),
            journal: JournalMetrics::default(),
            cache: CacheMetrics::default(),
            tables: rows::TableMetrics::default(),
            audit: AuditMetrics::default(),
            http_requests: Family::default(),
            http_seconds: Histogram::new(SECONDS),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    #[rustfmt::skip]
    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let build: Family<Build, Gauge> = Family::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("build_info", "Version of the running program; always 1", build);
        registry.register("records_received", "Records taken from source topics", self.received.clone());
        let help = "Records received again that had an outcome, by the map in the commit's metadata";
        registry.register("records_skipped", help, self.skipped.clone());
        let help = "Records of events that had an outcome within the window of delivery.deduplicate";
        registry.register("records_repeated", help, self.repeats.clone());
        let help = "Offsets that the source topic deleted before they were read";
        registry.register("records_deleted", help, self.deleted.clone());
        registry.register("results", "Results acknowledged by the broker, by where the answer came from", self.results.clone());
        registry.register("results_for_review", "Results acknowledged by the broker that a person should see first", self.for_review.clone());
        registry.register("dead_letters", "Dead letters acknowledged by the broker, by stage and code", self.dead_letters.clone());
        registry.register("record_seconds", "Time from receipt of a record to the broker's acknowledgement of its outcome", self.record_seconds.clone());
        registry.register("answer_confidence", "Confidence of results", self.confidence.clone());
        registry.register("records_in_flight", "Records between receipt and acknowledgement, by what they wait for", self.in_flight.clone());
        registry.register("consumer_lag_records", "Records between the committed offset and the end of the partition", self.lag.clone());
        registry.register("commits", "Offset commits by outcome", self.commits.clone());
        registry.register("rebalances", "Partition movements by kind", self.rebalances.clone());
        registry.register("intake_paused", "Consumers that take no records in", self.intake_paused.clone());
        registry.register("connector_restarts", "Times that a connector's Kafka clients were rebuilt after a fatal error", self.restarts.clone());
        registry.register("provider_calls", "Calls by status: ok or the error code", self.calls.clone());
        registry.register("provider_call_seconds", "Duration of a call", self.call_seconds.clone());
        registry.register("provider_tokens", "Tokens used", self.tokens.clone());
        registry.register("provider_cost_usd", "Cost of calls by the configured prices, in US dollars", self.cost_usd.clone());
        registry.register("provider_in_flight", "Calls under way", self.provider_in_flight.clone());
        registry.register("provider_answers", "Answers by verdict: valid, invalid", self.verdicts.clone());
        registry.register("provider_breaker_open", "1 while the breaker before a provider is open", self.breaker_open.clone());
        registry.register("provider_breaker_changes", "Breakers that opened and closed", self.breaker_changes.clone());
        registry.register("provider_disabled", "1 while a provider is asked only when no other can be", self.provider_disabled.clone());
        registry.register("provider_error_ratio", "Share of calls of the last five minutes that failed", self.error_ratio.clone());
        registry.register("provider_p95_seconds", "95th percentile of the latency of answers of the last five minutes, as the upper bound of its class", self.p95_seconds.clone());
        registry.register("routing_decisions", "First choices of the router, by strategy", self.decisions.clone());
        registry.register("ladder_steps", "Steps from questions to answers", self.steps.clone());
        registry.register("suspicious_inputs", "Prompts that look like an injection attempt, by the pattern that they match", self.suspicious.clone());
        registry.register("cost_usd", "Cost of a connector's calls by the configured prices, in US dollars", self.connector_cost_usd.clone());
        registry.register("reference_cost_usd", "What a connector's results would have cost with the reference model and no cache, in US dollars", self.reference_cost_usd.clone());
        registry.register("budget_spent_usd", "What a connector has spent in the present window of its budget", self.budget_spent_usd.clone());
        registry.register("budget_limit_usd", "A connector's budget for one window", self.budget_limit_usd.clone());
        self.fields.register(&mut registry);
        self.agreement.register(&mut registry);
        self.journal.register(&mut registry);
        self.cache.register(&mut registry);
        self.tables.register(&mut registry);
        self.audit.register(&mut registry);
        registry.register("http_requests", "HTTP requests", self.http_requests.clone());
        registry.register("http_request_seconds", "Duration of an HTTP request", self.http_seconds.clone());
    }

    /// The Prometheus (OpenMetrics 1.0) text form.
    ///
    /// # Errors
    /// Never in practice: the text is written to memory.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(16 << 10);
        encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner))?;
        text.write_str("")?;
        Ok(text)
    }

    /// The handles that one connector needs for every record, resolved once.
    pub fn connector(&self, name: &str) -> ConnectorMetrics {
        let connector = name.to_owned();
        let of = OfConnector { connector: connector.clone() };
        let results = |hit: CacheHit| {
            self.results.get_or_create_owned(&Results { connector: connector.clone(), cachehit: hit.as_str() })
        };
        let in_flight = |state| self.in_flight.get_or_create_owned(&InFlight { connector: connector.clone(), state });
        let commits = |status| self.commits.get_or_create_owned(&Commits { connector: connector.clone(), status });
        let rebalances = |kind| self.rebalances.get_or_create_owned(&Rebalances { connector: connector.clone(), kind });
        ConnectorMetrics {
            received: self.received.get_or_create_owned(&of),
            skipped: self.skipped.get_or_create_owned(&of),
            answered: results(CacheHit::None),
            remembered: results(CacheHit::Memory),
            shared: results(CacheHit::Redis),
            recalled: results(CacheHit::Journal),
            for_review: self.for_review.get_or_create_owned(&of),
            repeats: self.repeats.get_or_create_owned(&of),
            deleted: self.deleted.get_or_create_owned(&of),
            dead_letters: self.dead_letters.clone(),
            record_seconds: self.record_seconds.get_or_create_owned(&of),
            confidence: self.confidence.get_or_create_owned(&of),
            waiting: in_flight("waiting"),
            asking: in_flight("asking"),
            unpublished: in_flight("unpublished"),
            lag: self.lag.clone(),
            committed: commits("ok"),
            commit_errors: commits("error"),
            assigned: rebalances("assigned"),
            revoked: rebalances("revoked"),
            lost: rebalances("lost"),
            paused: self.intake_paused.get_or_create_owned(&of),
            restarts: self.restarts.get_or_create_owned(&of),
            reference_cost_usd: self.reference_cost_usd.get_or_create_owned(&of),
            connector,
        }
    }

    /// The handles of one provider.
    pub fn provider(&self, name: &str) -> ProviderMetrics {
        let of = OfProvider { provider: name.to_owned() };
        let tokens = |direction| self.tokens.get_or_create_owned(&Tokens { provider: name.to_owned(), direction });
        let verdict = |verdict| self.verdicts.get_or_create_owned(&Verdicts { provider: name.to_owned(), verdict });
        let change =
            |state| self.breaker_changes.get_or_create_owned(&BreakerChanges { provider: name.to_owned(), state });
        ProviderMetrics {
            calls: self.calls.clone(),
            call_seconds: self.call_seconds.get_or_create_owned(&of),
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

    /// The handles for the values of one connector's answers.
    pub fn fields(&self, connector: &str) -> FieldMetrics {
        self.fields.of(connector)
    }

    /// The handles of the audit log.
    pub fn audit(&self) -> AuditMetrics {
        self.audit.clone()
    }

    /// The handles of what rows are appended to: `request_log`, `audit_log`, `audit_file`, `audit_topic`.
    pub fn table(&self, name: &'static str) -> RowMetrics {
        self.tables.of(name)
    }

    /// The handles of the journal.
    pub fn journal(&self) -> JournalMetrics {
        self.journal.clone()
    }

    /// The handles of the answer cache.
    pub fn cache(&self) -> CacheMetrics {
        self.cache.clone()
    }

    /// Records one HTTP request. `endpoint` is a route's pattern, never a path as sent.
    pub fn http(&self, method: &str, endpoint: &'static str, status: u16, took: Duration) {
        self.http_requests.get_or_create(&Requests { method: method.to_owned(), endpoint, status }).inc();
        self.http_seconds.observe(took.as_secs_f64());
    }
}
