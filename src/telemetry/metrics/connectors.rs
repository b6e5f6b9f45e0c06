//! The handles of connectors.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::labels::{Commits, DeadLetters, Filtered, InFlight, OfConnector, OfPartition, Paused, Rebalances, Results};
use super::{FloatCounter, Latency, Metrics};
use crate::domain::answer::CacheHit;
use crate::domain::failure::Code;

/// One connector's metrics. Fields are plain handles; see [`super::Metrics`] for what each means.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each field is one metric, documented where it is registered")]
pub struct ConnectorMetrics {
    pub(super) connector: String,
    pub received: Counter,
    pub skipped: Counter,
    pub answered: Counter,
    pub remembered: Counter,
    /// Results from the answers that processes share.
    pub shared: Counter,
    pub recalled: Counter,
    pub for_review: Counter,
    pub repeats: Counter,
    pub filtered: Counter,
    pub tombstones: Counter,
    pub deleted: Counter,
    pub(super) dead_letters: Family<DeadLetters, Counter>,
    pub record_seconds: Latency,
    pub confidence: Histogram,
    pub waiting: Gauge,
    pub asking: Gauge,
    pub unpublished: Gauge,
    pub(super) lag: Family<OfPartition, Gauge>,
    pub committed: Counter,
    pub commit_errors: Counter,
    pub assigned: Counter,
    pub revoked: Counter,
    pub lost: Counter,
    pub paused: [(PauseReason, Gauge); 6],
    pub restarts: Counter,
    pub reference_cost_usd: FloatCounter,
}

impl Metrics {
    /// The handles that one connector needs for every record, resolved once.
    pub fn connector(&self, name: &str) -> ConnectorMetrics {
        let connector = name.to_owned();
        let of = OfConnector { connector: connector.clone() };
        let results = |hit: CacheHit| {
            self.results.get_or_create_owned(&Results { connector: connector.clone(), cachehit: hit.as_str() })
        };
        let filtered = |reason| self.filtered.get_or_create_owned(&Filtered { connector: connector.clone(), reason });
        let in_flight = |state| self.in_flight.get_or_create_owned(&InFlight { connector: connector.clone(), state });
        let commits = |status| self.commits.get_or_create_owned(&Commits { connector: connector.clone(), status });
        let rebalances = |kind| self.rebalances.get_or_create_owned(&Rebalances { connector: connector.clone(), kind });
        let paused = |reason| self.intake_paused.get_or_create_owned(&Paused { connector: connector.clone(), reason });
        ConnectorMetrics {
            received: self.received.get_or_create_owned(&of),
            skipped: self.skipped.get_or_create_owned(&of),
            answered: results(CacheHit::None),
            remembered: results(CacheHit::Memory),
            shared: results(CacheHit::Redis),
            recalled: results(CacheHit::Journal),
            for_review: self.for_review.get_or_create_owned(&of),
            repeats: self.repeats.get_or_create_owned(&of),
            filtered: filtered("filter"),
            tombstones: filtered("tombstone"),
            deleted: self.deleted.get_or_create_owned(&of),
            dead_letters: self.dead_letters.clone(),
            record_seconds: Latency::of(&self.record_seconds, &of),
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
            paused: PauseReason::ALL.map(|reason| (reason, paused(reason.as_str()))),
            restarts: self.restarts.get_or_create_owned(&of),
            reference_cost_usd: self.reference_cost_usd.get_or_create_owned(&of),
            connector,
        }
    }
}

/// Why a consumer takes no records in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseReason {
    /// The connector's budget is spent.
    Budget,
    /// As many records are under way as memory is planned for.
    Full,
    /// Kafka is away, or refuses something.
    Kafka,
    /// No provider can be asked.
    Providers,
    /// The process is stopping.
    Stopping,
    /// The store is away.
    Store,
}

impl PauseReason {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Budget, Self::Full, Self::Kafka, Self::Providers, Self::Stopping, Self::Store];

    /// The label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Full => "full",
            Self::Kafka => "kafka",
            Self::Providers => "providers",
            Self::Stopping => "stopping",
            Self::Store => "store",
        }
    }
}

/// What one consumer adds to a gauge that shows the sum over all of a connector's. Taken off again when it is dropped.
#[derive(Debug)]
pub struct GaugeShare {
    gauge: Gauge,
    value: i64,
}

impl GaugeShare {
    /// Nothing yet.
    pub fn of(gauge: &Gauge) -> Self {
        Self { gauge: gauge.clone(), value: 0 }
    }

    /// What it adds from now on.
    pub fn set(&mut self, value: i64) {
        self.gauge.inc_by(value - self.value);
        self.value = value;
    }
}

impl Drop for GaugeShare {
    fn drop(&mut self) {
        self.gauge.dec_by(self.value);
    }
}

impl ConnectorMetrics {
    /// Counts a dead letter.
    pub fn dead_letter(&self, code: Code) {
        let labels =
            DeadLetters { connector: self.connector.clone(), stage: code.stage().as_str(), code: code.as_str() };
        self.dead_letters.get_or_create(&labels).inc();
    }

    /// Sets the lag of a partition.
    pub fn set_lag(&self, topic: &str, partition: i32, records: i64) {
        self.lag.get_or_create(&self.of_partition(topic, partition)).set(records);
    }

    /// Forgets a partition that is no longer ours.
    pub fn remove_lag(&self, topic: &str, partition: i32) {
        self.lag.remove(&self.of_partition(topic, partition));
    }

    fn of_partition(&self, topic: &str, partition: i32) -> OfPartition {
        OfPartition { connector: self.connector.clone(), topic: topic.to_owned(), partition }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_the_sum_of_its_shares() {
        let gauge = Gauge::default();
        let (mut one, mut other) = (GaugeShare::of(&gauge), GaugeShare::of(&gauge));
        one.set(5);
        other.set(3);
        assert_eq!(gauge.get(), 8);
        one.set(2);
        assert_eq!(gauge.get(), 5);
        drop(other);
        assert_eq!(gauge.get(), 2, "who has ended has nothing in flight");
    }
}
