//! What became of a record, in the bytes that are published.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::answer::CacheHit;
use crate::domain::failure::Code;
use crate::domain::record::Outgoing;
use crate::telemetry::traces::trace::Trace;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RecordOutcome {
    /// It has a result.
    Result {
        /// A person is to see it before it is published.
        is_for_review: bool,
        /// Where the answer came from.
        cache_hit: CacheHit,
        /// Its confidence.
        confidence: f64,
        /// What the call would have cost at the reference's prices, in US dollars; hits count as if they had asked.
        reference_usd: f64,
    },
    /// It is a dead letter.
    DeadLetter {
        /// Why.
        code: Code,
    },
}

/// Why a record has no outcome of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoOutcome {
    /// Its event had one.
    Repeated,
    /// The connector's filter leaves it out.
    Filtered,
    /// It has no value, and the connector passes over such records.
    Tombstone,
}

/// Told of every record that is finished. Called on the connector's thread: must be quick.
pub trait Observer: Send + Sync {
    /// The broker has acknowledged a record's outcome, `took` after its receipt.
    fn closed(&self, outcome: &RecordOutcome, took: Duration);
    /// A record has no outcome of its own.
    fn skipped(&self);
}

/// A record's outcome, ready to be published.
#[derive(Debug)]
pub struct Settled {
    /// What to publish. Where follows from the outcome, unless a topic was chosen.
    pub outgoing: Outgoing,
    /// The topic that was chosen for this result, among those of its connector.
    pub topic: Option<Arc<str>>,
    /// What it is.
    pub outcome: RecordOutcome,
    /// True for a dead letter that only points to its original.
    pub is_pointer: bool,
    /// Why it is a dead letter, in a sentence.
    pub detail: Option<String>,
    /// What is recorded of the record.
    pub trace: Trace,
}
