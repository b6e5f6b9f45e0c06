//! The results of one connector that wait for a person.
//!
//! What was decided is kept in a consumer group of its own: the committed offset is the first result that waits, and
//! the map in the commit's metadata names those behind it that do not (`partition`). A decision is one Kafka
//! transaction: what becomes of the result, and the group's new offsets and maps. All who decide for a connector have
//! one `transactional.id`, so that whoever begins ends what another left open, and of two at the same time the former
//! one fails.

mod error;
mod partition;
mod transaction;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

pub use self::error::ReviewError;
use self::partition::ReviewPartition;
use self::transaction::DecisionTransaction;
use super::client::commit::{self, Commit, Partition};
use super::client::commit_metadata::Completed;
use super::client::transient_errors::{is_beginning, is_outage};
use super::client::{configuration, messages};
use super::settings::KafkaSettings;
use crate::codec::review_record::{NotForReview, WaitingResult};
use crate::domain::record::{Outgoing, Position, Record};

/// How long the cluster may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The same for the group's offsets, for which brokers wait until a transaction has ended that a killed command left
/// open: they abort it after 20 s, and look every 10 s.
const OFFSETS_TIMEOUT: Duration = Duration::from_secs(40);
/// When a coordinator that has just begun is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// Behind the name of the connector's group.
const GROUP_SUFFIX: &str = "-review";

/// The partitions of the topic, by their numbers.
type Partitions = BTreeMap<i32, ReviewPartition<WaitingResult>>;
/// Their ends, by their numbers.
type Ends = BTreeMap<i32, i64>;

/// The consumer group in which decisions are kept about the results of a connector that reads in `group`.
pub fn group_of(group: &str) -> String {
    format!("{group}{GROUP_SUFFIX}")
}

/// Whoever decides about the same results has the same `transactional.id`.
fn transactional_id(group: &str, topic: &str) -> String {
    format!("structured-prompt-{}-{topic}", group_of(group))
}

/// The results that wait.
pub struct ReviewQueue<'a> {
    settings: &'a KafkaSettings,
    connector: &'a str,
    topic: &'a str,
    group: String,
    transactional_id: String,
    consumer: BaseConsumer,
}

/// What a review topic has.
#[derive(Debug)]
pub struct Waiting {
    /// The results that wait, by partition and offset.
    pub results: Vec<WaitingResult>,
    /// What else is there.
    pub passed_over: PassedOver,
    /// Whether it is known what was decided. If not, everything in the topic waits.
    pub has_decisions: bool,
}

/// Records that were asked for and are no results of the connector.
#[derive(Debug, Default)]
pub struct PassedOver {
    /// How many.
    pub count: usize,
    /// The first one that was read.
    pub first: Option<NotForReview>,
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

/// What was read of the topic.
#[derive(Default)]
struct Reading {
    partitions: Partitions,
    passed_over: PassedOver,
    has_decisions: bool,
}

impl<'a> ReviewQueue<'a> {
    /// The queue of a connector that reads in `group` and whose results for review go to `topic`.
    ///
    /// # Errors
    /// When the client does not take its options.
    pub fn new(
        settings: &'a KafkaSettings,
        connector: &'a str,
        group: &str,
        topic: &'a str,
    ) -> Result<Self, ReviewError> {
        let transactional_id = transactional_id(group, topic);
        let group = group_of(group);
        let consumer = configuration::review_consumer(settings, &group)?;
        Ok(Self { settings, connector, topic, group, transactional_id, consumer })
    }

    /// The group in which decisions are kept.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Everything that waits.
    ///
    /// # Errors
    /// [`ReviewError`]: the topic could not be read.
    pub fn waiting(&self) -> Result<Waiting, ReviewError> {
        let Reading { partitions, passed_over, has_decisions } = self.read(|_| true)?;
        let results = partitions.into_values().flat_map(ReviewPartition::into_waiting).collect();
        Ok(Waiting { results, passed_over, has_decisions })
    }

    /// The result that waits at a place.
    ///
    /// # Errors
    /// [`ReviewError`]: none does, or the topic could not be read.
    pub fn find(&self, place: ReviewPlace) -> Result<WaitingResult, ReviewError> {
        self.take(place).map(|(result, _reading)| result)
    }

    /// Decides about one result, once whoever tries: `decision` says what is published in its place, and where. With
    /// `is_first` also where no decision is known.
    ///
    /// # Errors
    /// [`ReviewError`]: it waits as before; after [`ReviewError::Unconfirmed`] nobody knows.
    pub fn decide(
        &self,
        place: ReviewPlace,
        is_first: bool,
        decision: impl FnOnce(WaitingResult) -> Result<(Arc<str>, Outgoing), String>,
    ) -> Result<(), ReviewError> {
        // Before the group's offsets are read: it ends whatever somebody else has begun.
        let transaction = DecisionTransaction::init(self.settings, &self.transactional_id, TIMEOUT)?;
        let (result, reading) = self.take(place)?;
        if !reading.has_decisions && !is_first {
            return Err(ReviewError::NothingDecided(self.group.clone()));
        }
        let offsets = commit::list(&self.commits(&reading.partitions, place)?, true)?;
        let membership = self.consumer.group_metadata();
        let membership = membership.ok_or(KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownMemberId))?;
        let (topic, outgoing) = decision(result).map_err(ReviewError::Unpublishable)?;
        transaction.publish_and_commit((&*topic, &outgoing), &offsets, &membership)
    }

    /// The result at a place, and all partitions as they were read.
    fn take(&self, place: ReviewPlace) -> Result<(WaitingResult, Reading), ReviewError> {
        let mut reading = self.read(|position| ReviewPlace::of(position) == place)?;
        let partition = reading.partitions.get_mut(&place.partition);
        if let Some(result) = partition.and_then(ReviewPartition::take_waiting) {
            return Ok((result, reading));
        }
        Err(reading.passed_over.first.map_or(ReviewError::NotWaiting(place), ReviewError::NotForReview))
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

    /// Reads all partitions from the first result that waits to the ends that they have now: what comes meanwhile would
    /// let this go on for ever. Only the waiting results that are asked for are kept.
    fn read(&self, is_asked: impl Fn(&Position) -> bool) -> Result<Reading, ReviewError> {
        let (mut reading, mut unread) = self.assign()?;
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
                    if offset < end {
                        self.add(record, &mut reading, &is_asked);
                    }
                    if offset + 1 >= end {
                        unread.remove(&number);
                    }
                    deadline = Instant::now() + TIMEOUT;
                }
                None => {}
            }
        }
        Ok(reading)
    }

    /// Adds the next record of a partition.
    fn add(&self, record: Record, reading: &mut Reading, is_asked: impl Fn(&Position) -> bool) {
        let Some(partition) = reading.partitions.get_mut(&record.position.partition) else { return };
        let (offset, is_asked) = (record.position.offset, is_asked(&record.position));
        match WaitingResult::decode(record, self.connector) {
            Ok(result) => partition.add(offset, is_asked.then_some(result)),
            Err(other) => {
                // Nobody ever decides about what is no result at all. One of another connector is kept: that may be
                // this one, before it was renamed.
                if matches!(other, NotForReview::OfOther(..)) {
                    partition.add(offset, None);
                }
                if is_asked {
                    reading.passed_over.count += 1;
                    reading.passed_over.first.get_or_insert(other);
                }
            }
        }
    }

    /// Takes all partitions, each from the first result that waits on. The second map has the ends of those in which
    /// there is something to read.
    fn assign(&self) -> Result<(Reading, Ends), ReviewError> {
        let (mut reading, mut ends) = (Reading::default(), Ends::new());
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
                reading.has_decisions = true;
            }
            assignment.add_partition_offset(self.topic, number, Offset::Offset(from))?;
            reading.partitions.insert(number, ReviewPartition::new(from, decided));
            if from < end {
                ends.insert(number, end);
            }
        }
        self.consumer.assign(&assignment)?;
        Ok((reading, ends))
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
        let deadline = Instant::now() + OFFSETS_TIMEOUT;
        loop {
            match self.consumer.committed_offsets(list.clone(), OFFSETS_TIMEOUT) {
                Err(error) if is_beginning(&error) && Instant::now() < deadline => sleep(ASK_AGAIN),
                committed => return Ok(committed?),
            }
        }
    }
}
