//! The results of one connector that wait for a person.
//!
//! What was decided is kept in a consumer group of its own: the committed offset is the first result that waits, and
//! the map in the commit's metadata names those behind it that do not (`partition`). A decision is one Kafka
//! transaction: what becomes of the result, and the group's new offsets and maps. All who decide for a connector have
//! one `transactional.id`, so that whoever begins ends what another left open, and of two at the same time the former
//! one fails.

mod partition;

use std::collections::BTreeMap;
use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use self::partition::ReviewPartition;
use super::client::callbacks::Producer;
use super::client::cluster::Ticket;
use super::client::commit::{self, Commit, Partition};
use super::client::commit_metadata::{Completed, MetadataError};
use super::client::transaction_calls::{self, insist};
use super::client::{configuration, messages};
use super::process::instance_slot;
use super::settings::{KafkaSettings, TopicSettings};
use crate::domain::record::{Outgoing, Position, Record};

/// How long the cluster may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// When a coordinator that has just begun is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// Behind the prefix that a connector's transactional ids have.
const ID_SUFFIX: &str = "review-decisions";
/// Behind the name of the connector's group.
const GROUP_SUFFIX: &str = "-review";

/// The partitions of the topic, by their numbers.
type Partitions = BTreeMap<i32, ReviewPartition>;
/// Their ends, by their numbers.
type Ends = BTreeMap<i32, i64>;

/// The consumer group in which decisions are kept about the results of a connector that reads in `group`.
pub fn group_of(group: &str) -> String {
    format!("{group}{GROUP_SUFFIX}")
}

/// The results that wait.
pub struct ReviewQueue<'a> {
    settings: &'a KafkaSettings,
    topic: &'a str,
    group: String,
    transactional_id: String,
    consumer: BaseConsumer,
}

/// Where a result waits: a partition of the review topic, and an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewPlace {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

impl ReviewPlace {
    /// The place of a record of the review topic.
    pub fn of(position: &Position) -> Self {
        Self { partition: position.partition, offset: position.offset }
    }
}

impl fmt::Display for ReviewPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.partition, self.offset)
    }
}

/// Why nothing could be read or decided.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The cluster does not answer, or refuses.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// The topic cannot be used.
    #[error("topic {0}: {1}")]
    Topic(String, RDKafkaErrorCode),
    /// It was read, and nothing came in time.
    #[error("topic {0} could not be read to its end: nothing came in time; try again when the cluster answers")]
    Silent(String),
    /// What the group has committed does not say what was decided.
    #[error(
        "group {0} has a commit for partition {1} that {2}; decide with the version that wrote it, or delete the \
         group's offsets, and everything in the topic waits again"
    )]
    UnreadableCommit(String, i32, MetadataError),
    /// It was decided before, or never was there.
    #[error("{0} does not wait: it was decided before, or there is no such result; `review list` shows what waits")]
    NotWaiting(ReviewPlace),
    /// The decision cannot be what was asked for.
    #[error("{0}")]
    Impossible(String),
    /// The topic that the decision leads to does not take it.
    #[error("topic {0} does not take it: {1}; the result waits as before")]
    Refused(String, RDKafkaErrorCode),
    /// It is decided, or waits as before.
    #[error("the cluster has not confirmed the decision: {0}; `review list` shows whether the result still waits")]
    Unconfirmed(KafkaError),
    /// Another process decides for the same connector.
    #[error("somebody else decided for this connector at the same time; look at `review list`, and try again")]
    Overtaken,
    /// The map in the commit's metadata has no room.
    #[error("what was decided out of turn does not fit into a commit; decide about the oldest results first")]
    TooScattered,
}

impl<'a> ReviewQueue<'a> {
    /// The queue of a connector whose results for review go to `topic`.
    ///
    /// # Errors
    /// When the client does not take its options.
    pub fn new(
        settings: &'a KafkaSettings,
        connector: &str,
        topics: &TopicSettings,
        topic: &'a str,
    ) -> Result<Self, ReviewError> {
        let transactional_id = format!("{}{ID_SUFFIX}", instance_slot::id_prefix(&topics.group, connector));
        let group = group_of(&topics.group);
        let consumer = configuration::review_consumer(settings, &group)?;
        Ok(Self { settings, topic, group, transactional_id, consumer })
    }

    /// Everything that waits, by partition and offset.
    ///
    /// # Errors
    /// [`ReviewError`]: the topic could not be read.
    pub fn waiting(&self) -> Result<Vec<Record>, ReviewError> {
        let partitions = self.read(|_| true)?;
        Ok(partitions.into_values().flat_map(ReviewPartition::into_waiting).collect())
    }

    /// The result that waits at a place.
    ///
    /// # Errors
    /// [`ReviewError`]: none does, or the topic could not be read.
    pub fn find(&self, place: ReviewPlace) -> Result<Record, ReviewError> {
        self.take(place).map(|(record, _partitions)| record)
    }

    /// Decides about one result, once whoever tries: `decision` says what is published in its place, and where.
    ///
    /// # Errors
    /// [`ReviewError`]: it waits as before; after [`ReviewError::Unconfirmed`] nobody knows.
    pub fn decide(
        &self,
        place: ReviewPlace,
        decision: impl FnOnce(Record) -> Result<(&'a str, Outgoing), String>,
    ) -> Result<(), ReviewError> {
        let producer = configuration::review_producer(self.settings, &self.transactional_id)?;
        // Before the group's offsets are read: it ends whatever somebody else has begun.
        in_time(&producer, TIMEOUT, |limit| producer.init_transactions(limit))?;
        let (record, partitions) = self.take(place)?;
        let commits = self.commits(&partitions, place)?;
        let (topic, outgoing) = decision(record).map_err(ReviewError::Impossible)?;
        producer.begin_transaction()?;
        let sent = publish(&producer, topic, &outgoing).and_then(|()| self.send_offsets(&producer, &commits));
        if let Err(error) = sent {
            // If this fails, too, the next decision or the broker ends it.
            drop(producer.abort_transaction(transaction_calls::REQUEST));
            return Err(error);
        }
        let committed = in_time(&producer, transaction_calls::REQUEST, |limit| producer.commit_transaction(limit));
        committed.map_err(
            |error| if let ReviewError::Kafka(error) = error { ReviewError::Unconfirmed(error) } else { error },
        )
    }

    /// The result at a place, and all partitions as they were read.
    fn take(&self, place: ReviewPlace) -> Result<(Record, Partitions), ReviewError> {
        let mut partitions = self.read(|position| ReviewPlace::of(position) == place)?;
        let record = partitions.get_mut(&place.partition).and_then(ReviewPartition::take_waiting);
        Ok((record.ok_or(ReviewError::NotWaiting(place))?, partitions))
    }

    /// What is committed when this result does not wait any more. Partitions in which nothing changes are committed
    /// again, since a broker forgets each commit that grows old.
    fn commits(&self, partitions: &Partitions, place: ReviewPlace) -> Result<Vec<Commit>, ReviewError> {
        let mut commits = Vec::new();
        for (number, partition) in partitions {
            let decided = (*number == place.partition).then_some(place.offset);
            let (next, map) = partition.after(decided);
            if !map.is_whole {
                return Err(ReviewError::TooScattered);
            }
            let partition = Partition { topic: self.topic.into(), number: *number };
            commits.push(Commit { partition, next, map });
        }
        Ok(commits)
    }

    fn send_offsets(&self, producer: &Producer, commits: &[Commit]) -> Result<(), ReviewError> {
        let list = commit::list(commits, true)?;
        let membership = self.consumer.group_metadata();
        let membership = membership.ok_or(KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownMemberId))?;
        in_time(producer, transaction_calls::REQUEST, |limit| {
            producer.send_offsets_to_transaction(&list, &membership, limit)
        })
    }

    /// Reads all partitions from the first result that waits to the ends that they have now: what comes meanwhile would
    /// let this go on for ever. Only the waiting results that are asked for are kept.
    fn read(&self, is_asked: impl Fn(&Position) -> bool) -> Result<Partitions, ReviewError> {
        let (mut partitions, mut unread) = self.assign()?;
        let mut deadline = Instant::now() + TIMEOUT;
        while !unread.is_empty() {
            if Instant::now() > deadline {
                return Err(ReviewError::Silent(self.topic.to_owned()));
            }
            match self.consumer.poll(Duration::from_millis(100)) {
                Some(Err(KafkaError::PartitionEOF(number))) => {
                    unread.remove(&number);
                }
                // The client goes on by itself, with another broker or when this one is back.
                Some(Err(error)) if is_outage(&error) => {}
                Some(message) => {
                    let (record, _unreadable_header) = messages::record(&message?, &[]);
                    let Position { partition: number, offset, .. } = record.position;
                    let Some(end) = unread.get(&number).copied() else { continue };
                    if offset < end
                        && let Some(partition) = partitions.get_mut(&number)
                    {
                        partition.add(record, &is_asked);
                    }
                    if offset + 1 >= end {
                        unread.remove(&number);
                    }
                    deadline = Instant::now() + TIMEOUT;
                }
                None => {}
            }
        }
        Ok(partitions)
    }

    /// Takes all partitions, each from the first result that waits on. The second map has the ends of those in which
    /// there is something to read.
    fn assign(&self) -> Result<(Partitions, Ends), ReviewError> {
        let (mut partitions, mut ends) = (Partitions::new(), Ends::new());
        let mut assignment = TopicPartitionList::new();
        for element in self.committed()?.elements() {
            element.error()?;
            let number = element.partition();
            let (first, end) = self.consumer.fetch_watermarks(self.topic, number, TIMEOUT)?;
            let unreadable = |why| ReviewError::UnreadableCommit(self.group.clone(), number, why);
            let (mut from, mut decided) = (first, Completed::default());
            // An offset behind the end is of a topic that had this name before.
            if let Offset::Offset(base) = element.offset()
                && base <= end
            {
                from = base.max(first);
                decided = commit::map(&element, base).map_err(unreadable)?;
            }
            assignment.add_partition_offset(self.topic, number, Offset::Offset(from))?;
            partitions.insert(number, ReviewPartition::new(from, decided));
            if from < end {
                ends.insert(number, end);
            }
        }
        self.consumer.assign(&assignment)?;
        Ok((partitions, ends))
    }

    /// What the group has committed for each partition.
    fn committed(&self) -> Result<TopicPartitionList, ReviewError> {
        let metadata = self.consumer.fetch_metadata(Some(self.topic), TIMEOUT)?;
        let mut list = TopicPartitionList::new();
        for topic in metadata.topics() {
            if let Some(error) = topic.error() {
                return Err(ReviewError::Topic(self.topic.to_owned(), error.into()));
            }
            for partition in topic.partitions() {
                list.add_partition(self.topic, partition.id());
            }
        }
        let deadline = Instant::now() + TIMEOUT;
        loop {
            match self.consumer.committed_offsets(list.clone(), TIMEOUT) {
                Err(error) if is_beginning(&error) && Instant::now() < deadline => sleep(ASK_AGAIN),
                committed => return Ok(committed?),
            }
        }
    }
}

/// Sends one record, and waits until the broker has it.
fn publish(producer: &Producer, topic: &str, outgoing: &Outgoing) -> Result<(), ReviewError> {
    let sent = producer.send(messages::base_record(topic, outgoing, Ticket(0)));
    sent.map_err(|(error, _record)| failed(producer, error))?;
    let deadline = Instant::now() + TIMEOUT;
    let mut outcome = Err(RDKafkaErrorCode::MessageTimedOut);
    while Instant::now() < deadline {
        producer.poll(Duration::from_millis(50));
        if let Some((_ticket, delivered)) = producer.context().take().into_iter().next() {
            outcome = delivered;
            break;
        }
    }
    let Err(code) = outcome else { return Ok(()) };
    let error = failed(producer, KafkaError::MessageProduction(code));
    let is_overtaken = matches!(error, ReviewError::Overtaken);
    Err(if is_overtaken { error } else { ReviewError::Refused(topic.to_owned(), code) })
}

/// Makes a call of the transaction API.
fn in_time(
    producer: &Producer,
    limit: Duration,
    call: impl Fn(Duration) -> KafkaResult<()>,
) -> Result<(), ReviewError> {
    insist(Instant::now() + limit, call).map_err(|error| failed(producer, error))
}

/// What an error of the producer means. After one that is fatal the client repeats only that there was one.
fn failed(producer: &Producer, error: KafkaError) -> ReviewError {
    let fatal = producer.client().fatal_error().map(|(code, _words)| code);
    let is_overtaken = [error.rdkafka_error_code(), fatal].into_iter().any(transaction_calls::is_fenced);
    if is_overtaken { ReviewError::Overtaken } else { ReviewError::Kafka(error) }
}

/// Whether a broker is away, which may be one of several.
fn is_outage(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as E;
    matches!(error.rdkafka_error_code(), Some(E::AllBrokersDown | E::BrokerTransportFailure | E::Resolve))
}

/// Whether the group's coordinator is about to begin its work.
fn is_beginning(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as E;
    let code = error.rdkafka_error_code();
    matches!(code, Some(E::NotCoordinator | E::CoordinatorNotAvailable | E::CoordinatorLoadInProgress))
}
