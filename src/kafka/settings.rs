//! What a user chooses about Kafka.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The cluster (`kafka` in the runtime configuration).
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaSettings {
    /// `host:port` of the bootstrap brokers.
    pub brokers: Vec<String>,
    /// librdkafka options by their own names, set on consumers and producers alike. May hold passwords.
    pub client: BTreeMap<String, String>,
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<&String> = self.client.keys().collect();
        let Self { brokers, client: _ } = self;
        let mut shown = f.debug_struct("KafkaSettings");
        shown.field("brokers", brokers).field("client", &options).finish()
    }
}

/// How records of the source topics are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFormat {
    /// CloudEvents 1.0, binary or structured mode.
    CloudEvents,
    /// The value is a JSON document; the event's identity is the record's position.
    Json,
    /// The value is UTF-8 text; the event's identity is the record's position.
    Text,
}

/// The order in which outcomes are published. Work is concurrent in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordering {
    /// As the records stood in their partition.
    Partition,
    /// As the records of the same key stood in their partition.
    Key,
    /// As they become ready.
    None,
}

/// What is promised about each record's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// It is published at least once.
    AtLeastOnce,
    /// Readers of committed records see it once.
    ExactlyOnce,
}

/// One connector's topics, and what is promised about the records between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSettings {
    /// Topics to consume.
    pub source_topics: Vec<Arc<str>>,
    /// Consumer group.
    pub group: String,
    /// How to read the records.
    pub format: RecordFormat,
    /// Topic for results.
    pub sink_topic: Arc<str>,
    /// Topic for dead letters.
    pub dead_letter_topic: Arc<str>,
    /// What is promised about outcomes.
    pub guarantee: Guarantee,
    /// For how long an event has one outcome, however often it is sent; `None` is no limit.
    pub deduplicate: Option<Duration>,
    /// Order of publication.
    pub ordering: Ordering,
    /// Records with a provider call under way at the same time, over all partitions.
    pub max_in_flight: usize,
}
