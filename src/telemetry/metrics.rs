//! Every metric of the process, as fields: a name cannot drift, and no label takes a value that an event could choose.
//!
//! `docs/metrics.md` documents each one; a test compares the two lists.

use std::fmt;
use std::sync::{Mutex, PoisonError};

mod agreement;
mod at_scrape;
mod audit;
mod cache;
mod connectors;
mod fields;
mod health;
mod http;
mod journal;
mod labels;
mod latency;
mod process;
mod providers;
mod rows;
mod text_format;
mod traces;

pub use agreement::AgreementMetrics;
pub use audit::AuditMetrics;
pub use cache::CacheMetrics;
pub use connectors::{ConnectorMetrics, GaugeShare, PauseReason};
pub use fields::FieldMetrics;
pub use health::HealthMetrics;
pub use http::{EndedRequest, HttpMetrics};
pub use journal::JournalMetrics;
pub use latency::{Exemplar, Latency};
pub use providers::{CallerMetrics, ProviderMetrics};
pub use rows::RowMetrics;
pub use text_format::TextFormat;
pub use traces::TraceMetrics;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

use self::labels::*;
use self::latency::{Latencies, SECONDS, latencies};
use super::log_output;

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
    at_scrape: at_scrape::AtScrape,
    health: HealthMetrics,
    received: Family<OfConnector, Counter>,
    skipped: Family<OfConnector, Counter>,
    repeats: Family<OfConnector, Counter>,
    filtered: Family<Filtered, Counter>,
    deleted: Family<OfConnector, Counter>,
    results: Family<Results, Counter>,
    for_review: Family<OfConnector, Counter>,
    dead_letters: Family<DeadLetters, Counter>,
    record_seconds: Latencies<OfConnector>,
    confidence: Histograms<OfConnector>,
    fields: fields::AllFieldMetrics,
    agreement: agreement::AllAgreementMetrics,
    in_flight: Family<InFlight, Gauge>,
    lag: Family<OfPartition, Gauge>,
    commits: Family<Commits, Counter>,
    rebalances: Family<Rebalances, Counter>,
    intake_paused: Family<Paused, Gauge>,
    restarts: Family<OfConnector, Counter>,
    calls: Family<Calls, Counter>,
    call_seconds: Latencies<OfProvider>,
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
    traces: TraceMetrics,
    http: HttpMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::default()),
            at_scrape: at_scrape::AtScrape::default(),
            health: HealthMetrics::default(),
            received: Family::default(),
            skipped: Family::default(),
            repeats: Family::default(),
            filtered: Family::default(),
            deleted: Family::default(),
            results: Family::default(),
            for_review: Family::default(),
            dead_letters: Family::default(),
            record_seconds: latencies(),
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
            call_seconds: latencies(),
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
            traces: TraceMetrics::default(),
            http: HttpMetrics::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    #[rustfmt::skip]
    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(Box::new(process::ProcessCollector));
        let registry = registry.sub_registry_with_prefix("sp");
        self.health.register(registry);
        let build: Family<Build, Gauge> = Family::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("build_info", "Version of the running program; always 1", build);
        registry.register("records_received", "Records taken from source topics", self.received.clone());
        let help = "Records received again that had an outcome, by the map in the commit's metadata";
        registry.register("records_skipped", help, self.skipped.clone());
        let help = "Records of events that had an outcome within the window of delivery.deduplicate";
        registry.register("records_repeated", help, self.repeats.clone());
        let help = "Records that the connector leaves out, by reason: filter, tombstone";
        registry.register("records_filtered", help, self.filtered.clone());
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
        registry.register("intake_paused", "Consumers that take no records in, by why", self.intake_paused.clone());
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
        self.fields.register(registry);
        self.agreement.register(registry);
        self.journal.register(registry);
        self.cache.register(registry);
        self.tables.register(registry);
        self.audit.register(registry);
        self.traces.register(registry);
        self.http.register(registry);
        let help = "Log lines that could not be written: the disk is full, or nobody reads the pipe any more";
        registry.register("log_lines_dropped", help, log_output::dropped().clone());
    }

    /// All metrics as text, with those that are looked up for it.
    ///
    /// # Errors
    /// Never in practice: the text is written to memory.
    pub fn encode(&self, format: TextFormat) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(64 << 10);
        {
            // Held meanwhile, so that no scrape writes what another one is looking up.
            let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
            self.at_scrape.look_up();
            encode_registry(&mut text, &registry)?;
        }
        match format {
            TextFormat::OpenMetrics => encode_eof(&mut text).map(|()| text),
            TextFormat::Classic => text_format::classic(&text),
        }
    }

    /// Calls this before metrics are written, to set gauges that show what is looked up. It must be quick.
    pub fn at_scrape(&self, look_up: impl Fn() + Send + Sync + 'static) {
        self.at_scrape.add(look_up);
    }

    /// The handles of health and readiness.
    pub fn health(&self) -> HealthMetrics {
        self.health.clone()
    }

    /// The handles for the values of one connector's answers.
    pub fn fields(&self, connector: &str) -> FieldMetrics {
        self.fields.of(connector)
    }

    /// The handles of the audit log.
    pub fn audit(&self) -> AuditMetrics {
        self.audit.clone()
    }

    /// The handles of the export of traces.
    pub fn traces(&self) -> TraceMetrics {
        self.traces.clone()
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

    /// The handles of HTTP requests.
    pub fn http(&self) -> &HttpMetrics {
        &self.http
    }
}

#[cfg(test)]
mod tests;
