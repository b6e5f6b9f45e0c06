//! Records that wait for a connector, read without joining its group and without committing anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::transient_errors::{is_beginning, is_outage};
use super::client::{configuration, messages};
use super::settings::{KafkaSettings, TopicSettings};
use crate::domain::record::Record;

/// How long the cluster may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// When a coordinator that has just begun is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// Some of the records that a connector will receive.
#[derive(Debug)]
pub struct Sample {
    /// The records: the first that wait in each partition, or the last ones of the topics where none waits.
    pub records: Vec<Record>,
    /// How many wait for the group.
    pub waiting: u64,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The cluster does not answer, or refuses.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// A topic cannot be used.
    #[error("topic {0}: {1}; create it, or permit this user to read it")]
    Topic(Arc<str>, RDKafkaErrorCode),
    /// It was read, and nothing came in time.
    #[error("topic {0} could not be read: nothing came in time; try again when the cluster answers")]
    Silent(Arc<str>),
}

/// The records between two offsets of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: i64,
    /// The offset behind the last one.
    end: i64,
}

impl Span {
    fn len(self) -> u64 {
        u64::try_from(self.end - self.from).unwrap_or_default()
    }
}

/// A partition of one of the topics.
type Partition = (Arc<str>, i32);

/// Reads at most `limit` records of the topics that the connector consumes.
///
/// # Errors
/// [`SampleError`].
pub fn read(settings: &KafkaSettings, topics: &TopicSettings, limit: u64) -> Result<Sample, SampleError> {
    let consumer = configuration::sample_consumer(settings, &topics.group)?;
    let mut all = BTreeMap::new();
    for topic in &topics.source_topics {
        all.extend(spans(&consumer, topic)?);
    }
    let waiting = all.values().map(|(_, waiting)| waiting.len()).sum();
    let wanted: Vec<(Partition, Span)> = all
        .into_iter()
        .map(|(partition, (whole, of_group))| (partition, if waiting > 0 { of_group } else { last(whole, limit) }))
        .collect();
    let shares = shares(wanted.iter().map(|(_, span)| span.len()), limit);
    let mut records = Vec::new();
    for topic in &topics.source_topics {
        let of_topic = wanted.iter().zip(&shares).filter(|(((name, _), _), share)| name == topic && **share > 0);
        let left = of_topic.map(|(((_, number), span), share)| (*number, (*span, *share))).collect();
        read_topic(&consumer, topic, left, &mut records)?;
    }
    Ok(Sample { records, waiting })
}

/// The last records of a partition, at most so many.
fn last(whole: Span, limit: u64) -> Span {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Span { from: whole.from.max(whole.end.saturating_sub(limit)), ..whole }
}

/// How many of `limit` records are taken of each partition, in proportion to what it has.
fn shares(lengths: impl Iterator<Item = u64> + Clone, limit: u64) -> Vec<u64> {
    let total: u64 = lengths.clone().sum();
    if total <= limit {
        return lengths.collect();
    }
    // What is taken up to each partition is rounded, so that the sum is exact.
    let taken =
        |before: u64| u64::try_from(u128::from(limit) * u128::from(before) / u128::from(total)).unwrap_or(limit);
    let up_to = lengths.scan(0, |before, length| {
        let first = *before;
        *before += length;
        Some(taken(*before) - taken(first))
    });
    up_to.collect()
}

/// Each partition of a topic: all that it has, and what waits for the group.
fn spans(consumer: &BaseConsumer, topic: &Arc<str>) -> Result<BTreeMap<Partition, (Span, Span)>, SampleError> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let mut list = TopicPartitionList::new();
    for found in metadata.topics() {
        if let Some(error) = found.error() {
            return Err(SampleError::Topic(Arc::clone(topic), error.into()));
        }
        for partition in found.partitions() {
            list.add_partition(topic, partition.id());
        }
    }
    let committed = committed(consumer, &list)?;
    let mut spans = BTreeMap::new();
    for element in committed.elements() {
        element.error()?;
        let number = element.partition();
        let (first, end) = consumer.fetch_watermarks(topic, number, TIMEOUT)?;
        let mut from = first;
        // An offset behind the end is of a topic that had this name before.
        if let Offset::Offset(committed) = element.offset()
            && committed <= end
        {
            from = committed.max(first);
        }
        spans.insert((Arc::clone(topic), number), (Span { from: first, end }, Span { from, end }));
    }
    Ok(spans)
}

/// Reads so many records of each of these spans. The ends of transactions stand between records, and count as none.
fn read_topic(
    consumer: &BaseConsumer,
    topic: &Arc<str>,
    mut left: BTreeMap<i32, (Span, u64)>,
    records: &mut Vec<Record>,
) -> Result<(), SampleError> {
    let mut assignment = TopicPartitionList::new();
    for (number, (span, _)) in &left {
        assignment.add_partition_offset(topic, *number, Offset::Offset(span.from))?;
    }
    consumer.assign(&assignment)?;
    let mut deadline = Instant::now() + TIMEOUT;
    while !left.is_empty() {
        if Instant::now() > deadline {
            return Err(SampleError::Silent(Arc::clone(topic)));
        }
        match consumer.poll(Duration::from_millis(100)) {
            Some(Err(KafkaError::PartitionEOF(number))) => drop(left.remove(&number)),
            // The client goes on by itself, with another broker or when this one is back.
            Some(Err(error)) if is_outage(&error) => {}
            Some(message) => {
                let (record, _unreadable_header) = messages::record(&message?, &[]);
                let (number, offset) = (record.position.partition, record.position.offset);
                let Some((span, share)) = left.get_mut(&number) else { continue };
                let is_wanted = offset < span.end;
                *share -= u64::from(is_wanted);
                if *share == 0 || offset + 1 >= span.end {
                    left.remove(&number);
                }
                records.extend(is_wanted.then_some(record));
                deadline = Instant::now() + TIMEOUT;
            }
            None => {}
        }
    }
    Ok(())
}

/// What the group has committed, once its coordinator answers.
fn committed(consumer: &BaseConsumer, list: &TopicPartitionList) -> Result<TopicPartitionList, KafkaError> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match consumer.committed_offsets(list.clone(), TIMEOUT) {
            Err(error) if is_beginning(&error) && Instant::now() < deadline => sleep(ASK_AGAIN),
            committed => return committed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_share_and_all_together_are_what_was_asked_for() {
        let of = |lengths: &[u64], limit| shares(lengths.iter().copied(), limit);
        assert_eq!(of(&[3, 0, 2], 10), [3, 0, 2]);
        assert_eq!(of(&[100, 300, 0], 40), [10, 30, 0]);
        for limit in [1, 2, 7, 99] {
            let lengths = [13, 1, 0, 70, 29];
            let taken = of(&lengths, limit);
            assert_eq!(taken.iter().sum::<u64>(), limit);
            assert!(taken.iter().zip(lengths).all(|(taken, length)| *taken <= length), "{taken:?}");
        }
    }

    #[test]
    fn where_nothing_waits_the_last_records_are_taken() {
        assert_eq!(last(Span { from: 5, end: 100 }, 10), Span { from: 90, end: 100 });
        assert_eq!(last(Span { from: 95, end: 100 }, 10), Span { from: 95, end: 100 });
    }
}
