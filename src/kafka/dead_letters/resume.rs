//! How far a replay has come: what its group has committed.
//!
//! Beside each offset stands where the partition ended when the replay began. One that was interrupted goes on to that
//! end and no further; when it has come there, the next one with the same name goes on with what has come since.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use super::reader::{Span, Spans};
use crate::kafka::client::transient_errors::is_beginning;

/// How long brokers may take to give a group's offsets: they wait until a transaction has ended that a killed command
/// left open, which they abort after 20 s, and look for every 10 s.
const TIMEOUT: Duration = Duration::from_secs(40);
/// When a coordinator that has just begun is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// What stands before the end in the metadata of a commit.
const END: &str = "until ";

/// What is left to be read of partitions that are whole in `spans`.
pub(super) fn rest(consumer: &BaseConsumer, spans: &Spans) -> KafkaResult<Spans> {
    let mut list = TopicPartitionList::new();
    for partition in spans.keys() {
        list.add_partition(&partition.topic, partition.number);
    }
    let committed = committed(consumer, &list)?;
    let mut rest = spans.clone();
    for (partition, span) in &mut rest {
        let Some(element) = committed.find_partition(&partition.topic, partition.number) else { continue };
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            *span = resumed(*span, offset, end(&element));
        }
    }
    Ok(rest)
}

/// What the group commits when this is left to be read.
pub(super) fn commit(spans: &Spans) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (partition, Span { next, end }) in spans {
        let mut element = list.add_partition(&partition.topic, partition.number);
        element.set_offset(Offset::Offset(*next))?;
        element.set_metadata(format!("{END}{end}"));
    }
    Ok(list)
}

/// What is left of a partition after a commit.
fn resumed(whole: Span, committed: i64, end: Option<i64>) -> Span {
    // What is behind the end is of a topic that had this name before.
    if committed.max(end.unwrap_or_default()) > whole.end {
        return whole;
    }
    let is_unfinished = |end: &i64| committed < *end;
    Span { next: committed.max(whole.next), end: end.filter(is_unfinished).unwrap_or(whole.end) }
}

/// The end beside a committed offset.
fn end(element: &TopicPartitionListElem<'_>) -> Option<i64> {
    // The library panics on metadata that is not UTF-8 (rdkafka 0.39), which any client of the group can have written.
    catch_unwind(AssertUnwindSafe(|| element.metadata())).ok()?.strip_prefix(END)?.parse().ok()
}

fn committed(consumer: &BaseConsumer, list: &TopicPartitionList) -> KafkaResult<TopicPartitionList> {
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
    fn a_replay_that_was_interrupted_goes_on_to_its_own_end() {
        let whole = Span { next: 10, end: 100 };
        for (committed, end, next, until) in [
            (40, Some(60), 40, 60),
            // It has ended: what has come since is next.
            (60, Some(60), 60, 100),
            // Retention has deleted what was next.
            (5, Some(60), 10, 60),
            // Another program has committed.
            (40, None, 40, 100),
            (100, Some(100), 100, 100),
        ] {
            assert_eq!(resumed(whole, committed, end), Span { next, end: until }, "{committed} {end:?}");
        }
    }

    #[test]
    fn a_commit_of_a_topic_that_had_the_name_before_counts_for_nothing() {
        let whole = Span { next: 0, end: 100 };
        assert_eq!(resumed(whole, 101, Some(200)), whole);
        assert_eq!(resumed(whole, 40, Some(200)), whole);
    }
}
