//! What is measured: a load, and what the program that takes it is set to.

use std::time::Duration;

/// Records of a source topic, and a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    pub name: &'static str,
    pub records: usize,
    /// Distinct texts among the records. With fewer texts than records all but the first of each are cache hits.
    pub texts: usize,
    /// How long the provider takes to answer.
    pub latency: Duration,
    /// Records that are worked on at the same time.
    pub in_flight: usize,
}

/// A load and settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    pub name: &'static str,
    pub title: &'static str,
    pub load: Load,
    pub guarantee: Guarantee,
    /// Whether outcomes are remembered in SQLite before they are published.
    pub journal: bool,
}

/// What a result topic may look like after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    AtLeastOnce,
    ExactlyOnce,
}

impl Guarantee {
    /// As in a connector file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtLeastOnce => "at-least-once",
            Self::ExactlyOnce => "exactly-once",
        }
    }
}

const HITS: Load = Load { name: "hits", records: 300_000, texts: 500, latency: Duration::ZERO, in_flight: 256 };
const CALLS: Load = Load { name: "calls", records: 60_000, texts: 60_000, ..HITS };
const SLOW_CALLS: Load =
    Load { name: "slow-calls", records: 100_000, texts: 100_000, latency: Duration::from_secs(1), in_flight: 10_000 };

pub const CACHE_HITS: Scenario = Scenario {
    name: "S1",
    title: "cache hits: 500 distinct texts, no journal",
    load: HITS,
    guarantee: Guarantee::AtLeastOnce,
    journal: false,
};
pub const EXACTLY_ONCE: Scenario =
    Scenario { name: "S5", title: "the same in Kafka transactions", guarantee: Guarantee::ExactlyOnce, ..CACHE_HITS };
pub const ZERO_LATENCY: Scenario =
    Scenario { name: "S2", title: "a call for each record, zero latency, 256 in flight", load: CALLS, ..CACHE_HITS };
pub const JOURNAL: Scenario =
    Scenario { name: "S2j", title: "the same with the SQLite journal", journal: true, ..ZERO_LATENCY };
pub const ONE_SECOND: Scenario =
    Scenario { name: "S3", title: "a call of 1 s for each record, 10,000 in flight", load: SLOW_CALLS, ..CACHE_HITS };

/// All scenarios. Neighbours with the same load are measured in turns.
pub const ALL: &[Scenario] = &[CACHE_HITS, EXACTLY_ONCE, ZERO_LATENCY, JOURNAL, ONE_SECOND];

impl Load {
    /// The same with a part of the records.
    pub fn part(self, of: usize) -> Self {
        let records = self.records / of;
        Self { records, texts: self.texts.min(records), ..self }
    }
}
