//! What is measured: each scenario is a load, a kind of answers, and what the connector is set to.

use std::time::Duration;

/// One load and the settings it is measured with.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub title: &'static str,
    pub records: usize,
    /// Distinct texts among the records; with fewer texts than records all but the first of each are cache hits.
    pub texts: usize,
    /// How long the stub takes to answer.
    pub latency: Duration,
    pub in_flight: usize,
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

const HITS: Scenario = Scenario {
    name: "S1",
    title: "cache hits",
    records: 300_000,
    texts: 500,
    latency: Duration::ZERO,
    in_flight: 256,
    guarantee: Guarantee::AtLeastOnce,
    journal: false,
};

const CALLS: Scenario =
    Scenario { name: "S2", title: "a call for each record, zero latency", records: 60_000, texts: 60_000, ..HITS };

/// Also what an idle connector is set to.
pub const WITH_JOURNAL: Scenario =
    Scenario { name: "S2j", title: "a call for each record, zero latency, SQLite journal", journal: true, ..CALLS };

/// All scenarios, in the order in which they are measured.
pub const ALL: &[Scenario] = &[
    HITS,
    Scenario { name: "S5", title: "cache hits, exactly-once", guarantee: Guarantee::ExactlyOnce, ..HITS },
    CALLS,
    WITH_JOURNAL,
    Scenario {
        name: "S3",
        title: "a call of 1 s for each record, 10,000 in flight",
        latency: Duration::from_secs(1),
        in_flight: 10_000,
        records: 100_000,
        texts: 100_000,
        ..HITS
    },
];

impl Scenario {
    /// The same load with fewer records.
    pub fn quick(self) -> Self {
        let records = self.records / 2;
        Self { records, texts: self.texts.min(records), ..self }
    }

    /// Calls that have to be made: one for each text, whoever has a cache.
    pub fn calls_with_cache(&self) -> usize {
        self.texts.min(self.records)
    }
}
