//! What a user chooses about Kafka.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use crate::codec::result_format::ResultFormat;
use crate::delivery::outcome::{RecordOutcome, Settled};
use crate::domain::secret::Secret;
use crate::file_watch::current_secret::CurrentSecret;
use crate::prompt::template::expression::{Condition, ResultText};

/// The option that makes a static member of the group, by a name that no other member has.
pub(super) const GROUP_INSTANCE_ID: &str = "group.instance.id";

/// The cluster (`kafka` in the runtime configuration).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KafkaSettings {
    /// `host:port` of the bootstrap brokers.
    pub brokers: Vec<String>,
    /// librdkafka options by their own names, set on consumers and producers alike. May hold passwords.
    pub client: BTreeMap<String, String>,
    /// Further options, whose values stand in files.
    pub secrets: BTreeMap<String, CurrentSecret>,
}

/// Whether a secret was replaced since clients were built with it.
pub(super) struct SecretChanges(Vec<watch::Receiver<Secret>>);

impl SecretChanges {
    /// True from the first replacement on.
    pub(super) fn are_there(&self) -> bool {
        // An error says that nobody is left who could replace it.
        self.0.iter().any(|secret| secret.has_changed().unwrap_or(false))
    }
}

impl KafkaSettings {
    /// Begins to look for secrets that are replaced. Before the clients are built, so that none is missed.
    pub(super) fn secret_changes(&self) -> SecretChanges {
        SecretChanges(self.secrets.values().map(CurrentSecret::subscribe).collect())
    }

    /// The settings of one of a connector's consumers: a static member needs a name of its own.
    pub(super) fn of_consumer(&self, number: usize) -> Self {
        let mut settings = self.clone();
        if number > 0
            && let Some(name) = settings.client.get_mut(GROUP_INSTANCE_ID)
        {
            name.push_str(&format!("-{number}"));
        }
        settings
    }
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { brokers, client, secrets } = self;
        let options: Vec<&String> = client.keys().chain(secrets.keys()).collect();
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

/// How keys of the source topics are read, for templates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyFormat {
    /// Text, where they are UTF-8.
    #[default]
    Text,
    /// JSON documents.
    Json,
}

/// What becomes of a record without a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tombstones {
    /// A dead letter.
    #[default]
    DeadLetter,
    /// Nothing: it is passed over.
    Skip,
}

/// How records of the source topics are read, beyond their format, and which of them are asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceReading {
    /// How keys are read.
    pub key_format: KeyFormat,
    /// What becomes of records without a value.
    pub tombstones: Tombstones,
    /// The records that are asked about; `None` is all of them.
    pub filter: Option<Arc<Condition>>,
}

/// How results are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultWriting {
    /// Their form.
    pub format: ResultFormat,
    /// Their key; `None` keeps that of the record.
    pub key: Option<Arc<ResultText>>,
    /// How their topic is chosen; `None` where there is only one.
    pub topic: Option<Arc<TopicChoice>>,
}

/// How the topic of a result is chosen.
#[derive(Debug, PartialEq, Eq)]
pub struct TopicChoice {
    /// Comes to the topic's name.
    pub text: ResultText,
    /// The topics that it may come to.
    pub topics: Vec<Arc<str>>,
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
    /// Members of the group in this process.
    pub consumers: usize,
    /// How to read the records.
    pub format: RecordFormat,
    /// How to read them beyond that.
    pub reading: SourceReading,
    /// Topic for results; where each result's is chosen, the first that it may be.
    pub sink_topic: Arc<str>,
    /// How results are written.
    pub results: ResultWriting,
    /// Topic for dead letters.
    pub dead_letter_topic: Arc<str>,
    /// Topic for results that a person should see first, where there are any.
    pub review_topic: Option<Arc<str>>,
    /// What is promised about outcomes.
    pub guarantee: Guarantee,
    /// For how long an event has one outcome, however often it is sent; `None` is no limit.
    pub deduplicate: Option<Duration>,
    /// Order of publication.
    pub ordering: Ordering,
    /// Records with a provider call under way at the same time, over all partitions and consumers.
    pub max_in_flight: usize,
}

impl TopicSettings {
    /// The topics that outcomes go to.
    pub fn outputs(&self) -> impl Iterator<Item = &Arc<str>> {
        self.result_topics().iter().chain([&self.dead_letter_topic]).chain(&self.review_topic)
    }

    /// The topics that results go to.
    pub fn result_topics(&self) -> &[Arc<str>] {
        self.results.topic.as_ref().map_or(std::slice::from_ref(&self.sink_topic), |choice| &choice.topics)
    }

    /// The topic that this outcome goes to.
    pub fn output<'a>(&'a self, settled: &'a Settled) -> &'a Arc<str> {
        match settled.outcome {
            // Only the handler of a connector with such a topic sends results there.
            RecordOutcome::Result { is_for_review: true, .. } => self.review_topic.as_ref().unwrap_or(&self.sink_topic),
            RecordOutcome::Result { is_for_review: false, .. } => settled.topic.as_ref().unwrap_or(&self.sink_topic),
            RecordOutcome::DeadLetter { .. } => &self.dead_letter_topic,
        }
    }

    /// The settings of one of the consumers: it has a share of what may be in flight, and never none.
    pub(super) fn of_consumer(&self, number: usize) -> Self {
        let (share, rest) = (self.max_in_flight / self.consumers, self.max_in_flight % self.consumers);
        let max_in_flight = (share + usize::from(number < rest)).max(1);
        Self { max_in_flight, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(consumers: usize, max_in_flight: usize) -> TopicSettings {
        TopicSettings {
            source_topics: vec!["in".into()],
            group: "g".to_owned(),
            consumers,
            format: RecordFormat::CloudEvents,
            reading: SourceReading::default(),
            sink_topic: "out".into(),
            results: ResultWriting::default(),
            dead_letter_topic: "letters".into(),
            review_topic: None,
            guarantee: Guarantee::ExactlyOnce,
            deduplicate: None,
            ordering: Ordering::Key,
            max_in_flight,
        }
    }

    #[test]
    fn consumers_divide_what_may_be_in_flight() {
        for (consumers, max_in_flight, shares) in
            [(1, 256, vec![256]), (3, 256, vec![86, 85, 85]), (3, 3, vec![1, 1, 1]), (3, 2, vec![1, 1, 1])]
        {
            let all = topics(consumers, max_in_flight);
            let divided: Vec<_> = (0..consumers).map(|number| all.of_consumer(number).max_in_flight).collect();
            assert_eq!(divided, shares, "{max_in_flight} over {consumers}");
        }
    }

    #[test]
    fn static_members_have_names_of_their_own() {
        let client = |name: &str| BTreeMap::from([(GROUP_INSTANCE_ID.to_owned(), name.to_owned())]);
        let settings = KafkaSettings { client: client("worker-7"), ..KafkaSettings::default() };
        let names: Vec<_> = (0..3).map(|number| settings.of_consumer(number).client).collect();
        assert_eq!(names, [client("worker-7"), client("worker-7-1"), client("worker-7-2")]);
        let unnamed = KafkaSettings::default();
        assert_eq!(unnamed.of_consumer(1), unnamed);
    }
}
