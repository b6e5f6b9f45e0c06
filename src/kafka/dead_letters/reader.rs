//! The letters of topics, one after the other: nothing but the next ones is in memory, however long the topics are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::LettersError;
use crate::codec::dead_letter::DeadLetter;
use crate::domain::record::{Position, Record};
use crate::kafka::client::commit::Partition;
use crate::kafka::client::transient_errors::is_outage;
use crate::kafka::client::{configuration, messages};
use crate::kafka::settings::KafkaSettings;

/// How long the cluster may take to answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// What is still to be read of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The first offset that is to be read.
    pub(super) next: i64,
    /// The offset behind the last one.
    pub(super) end: i64,
}

/// The partitions of all topics.
pub(super) type Spans = BTreeMap<Partition, Span>;

/// A record of a dead-letter topic.
#[derive(Debug)]
pub enum Found {
    /// A letter.
    Letter {
        /// The letter.
        letter: Box<DeadLetter>,
        /// Whether all of its headers could be read. Those that cannot are missing in it.
        is_whole: bool,
    },
    /// A record that no connector wrote.
    Other,
}

/// What the client gives.
enum Polled {
    Nothing,
    /// The end of the partition of this number.
    End(i32),
    /// A record, and whether all of its headers could be read.
    Record(Record, bool),
}

/// Reads topics one after the other: what they have when the reader is made, and nothing that comes later.
pub struct LetterReader {
    consumer: BaseConsumer,
    spans: Spans,
    /// The partitions that are consumed now; all are of one topic, because the client says of the end of a partition
    /// only its number.
    open: BTreeSet<Partition>,
    total: i64,
}

impl LetterReader {
    /// A reader of all committed records of these topics. `group` is what brokers know the client by; it joins none.
    ///
    /// # Errors
    /// [`LettersError`]: a topic cannot be read.
    pub fn new(settings: &KafkaSettings, group: &str, topics: &[Arc<str>]) -> Result<Self, LettersError> {
        let consumer = configuration::dead_letter_consumer(settings, group)?;
        let mut spans = Spans::new();
        for topic in topics {
            for number in partitions(&consumer, topic)? {
                // Ends are those of committed records, as the consumer reads no others.
                let (first, end) = consumer.fetch_watermarks(topic, number, TIMEOUT)?;
                spans.insert(Partition { topic: Arc::clone(topic), number }, Span { next: first, end });
            }
        }
        let mut reader = Self { consumer, spans, open: BTreeSet::new(), total: 0 };
        reader.total = reader.left();
        Ok(reader)
    }

    /// The same, of one place only.
    #[must_use]
    pub fn only(mut self, place: &Position) -> Self {
        self.spans.retain(|partition, _| (&partition.topic, partition.number) == (&place.topic, place.partition));
        for span in self.spans.values_mut() {
            let next = place.offset.clamp(span.next, span.end);
            *span = Span { next, end: place.offset.saturating_add(1).clamp(next, span.end) };
        }
        self.total = self.left();
        self
    }

    /// The next record; `None` at the end of all topics.
    ///
    /// # Errors
    /// [`LettersError`]: the cluster does not give it.
    pub fn next_record(&mut self) -> Result<Option<Found>, LettersError> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if self.open.is_empty() && !self.open_topic()? {
                return Ok(None);
            }
            if Instant::now() > deadline {
                let topic = self.open.first().map(|partition| partition.topic.to_string());
                return Err(LettersError::Silent(topic.unwrap_or_default()));
            }
            match self.poll()? {
                Polled::Nothing => {}
                // Nothing but ends of transactions is left of it.
                Polled::End(number) => self.close(number),
                Polled::Record(record, is_whole) => {
                    if self.note(&record.position) {
                        let letter = DeadLetter::decode(record).map(Box::new);
                        return Ok(Some(letter.map_or(Found::Other, |letter| Found::Letter { letter, is_whole })));
                    }
                }
            }
        }
    }

    fn poll(&self) -> Result<Polled, LettersError> {
        Ok(match self.consumer.poll(Duration::from_millis(100)) {
            Some(Err(KafkaError::PartitionEOF(number))) => Polled::End(number),
            Some(Err(error)) if is_outage(&error) => Polled::Nothing,
            Some(message) => {
                let (record, unreadable_header) = messages::record(&message?, &[]);
                Polled::Record(record, unreadable_header.is_none())
            }
            None => Polled::Nothing,
        })
    }

    /// How many offsets were read, and how many there were.
    pub fn progress(&self) -> (u64, u64) {
        let read = self.total - self.left();
        (u64::try_from(read).unwrap_or_default(), u64::try_from(self.total).unwrap_or_default())
    }

    /// Whether a topic is there.
    ///
    /// # Errors
    /// [`LettersError::Topic`] if it is not, or may not be seen.
    pub(super) fn find_topic(&self, topic: &str) -> Result<(), LettersError> {
        partitions(&self.consumer, topic).map(drop)
    }

    pub(super) fn consumer(&self) -> &BaseConsumer {
        &self.consumer
    }

    /// What is still to be read.
    pub(super) fn spans(&self) -> &Spans {
        &self.spans
    }

    /// Reads this instead; before the first record only.
    pub(super) fn begin_at(&mut self, spans: Spans) {
        self.spans = spans;
        self.total = self.left();
    }

    fn left(&self) -> i64 {
        self.spans.values().map(|span| (span.end - span.next).max(0)).sum()
    }

    /// Consumes the next topic of which something is left. False if there is none.
    fn open_topic(&mut self) -> Result<bool, LettersError> {
        let unread = || self.spans.iter().filter(|(_, span)| span.next < span.end);
        let Some(topic) = unread().next().map(|(partition, _)| Arc::clone(&partition.topic)) else { return Ok(false) };
        let mut assignment = TopicPartitionList::new();
        for (partition, span) in unread().filter(|(partition, _)| partition.topic == topic) {
            assignment.add_partition_offset(&topic, partition.number, Offset::Offset(span.next))?;
            self.open.insert(partition.clone());
        }
        self.consumer.assign(&assignment)?;
        Ok(true)
    }

    /// Notes that a record was read. False if it is not to be read.
    fn note(&mut self, position: &Position) -> bool {
        let partition = Partition { topic: Arc::clone(&position.topic), number: position.partition };
        let Some(span) = self.spans.get_mut(&partition).filter(|_| self.open.contains(&partition)) else {
            return false;
        };
        // A client that has lost its place begins anew, before what was read.
        let is_inside = (span.next..span.end).contains(&position.offset);
        span.next = span.next.max((position.offset + 1).min(span.end));
        if span.next == span.end {
            self.open.remove(&partition);
        }
        is_inside
    }

    /// Notes that a partition of the topic that is consumed has nothing more.
    fn close(&mut self, number: i32) {
        let Some(partition) = self.open.iter().find(|partition| partition.number == number).cloned() else { return };
        if let Some(span) = self.spans.get_mut(&partition) {
            span.next = span.end;
        }
        self.open.remove(&partition);
    }
}

/// The numbers of a topic's partitions.
fn partitions(consumer: &BaseConsumer, name: &str) -> Result<Vec<i32>, LettersError> {
    let metadata = consumer.fetch_metadata(Some(name), TIMEOUT)?;
    let mut numbers = Vec::new();
    for topic in metadata.topics() {
        if let Some(error) = topic.error() {
            return Err(LettersError::Topic(name.to_owned(), error.into()));
        }
        numbers.extend(topic.partitions().iter().map(rdkafka::metadata::MetadataPartition::id));
    }
    Ok(numbers)
}
