//! Sends the records and reads what becomes of them, a part at a time: the embedded broker keeps only the newest
//! megabytes of a partition.

use rdkafka::error::KafkaError;

use super::events::number;
use super::watch::{GaveUp, Watch};
use crate::domain::record::{Outgoing, Record};
use crate::kafka::settings::TopicSettings;
use crate::kafka::topic_io;

/// Far below the five megabytes that the embedded broker keeps of a partition.
const PART_BYTES: usize = 1 << 20;

/// What was found on the topics.
#[derive(Debug, Default)]
pub(super) struct Fed {
    pub(super) results: Vec<Record>,
    pub(super) dead_letters: Vec<Record>,
    /// Why it ended before all records had an outcome.
    pub(super) gave_up: Option<GaveUp>,
}

/// # Errors
/// When the embedded broker does not answer.
pub(super) async fn feed(
    brokers: &str,
    topics: &TopicSettings,
    records: &[Outgoing],
    watch: &mut Watch<'_>,
) -> Result<Fed, KafkaError> {
    let source = topics.source_topics.first().map(|topic| &**topic).unwrap_or_default();
    let mut sink = topic_io::TopicReader::new(brokers, &topics.sink_topic)?;
    let mut dead_letter_queue = topic_io::TopicReader::new(brokers, &topics.dead_letter_topic)?;
    let mut fed = Fed::default();
    let mut sent = 0;
    for part in parts(records) {
        tokio::task::block_in_place(|| topic_io::produce_all(brokers, source, part))?;
        sent += part.len();
        let waited = watch.until(sent).await;
        tokio::task::block_in_place(|| -> Result<(), KafkaError> {
            fed.results.append(&mut sink.catch_up()?);
            fed.dead_letters.append(&mut dead_letter_queue.catch_up()?);
            Ok(())
        })?;
        if let Err(gave_up) = waited {
            fed.gave_up = Some(gave_up);
            break;
        }
    }
    // In the order in which they were sent, not in that of the partitions.
    fed.results.sort_by_key(number);
    fed.dead_letters.sort_by_key(number);
    Ok(fed)
}

/// Parts of at most [`PART_BYTES`], or one record.
fn parts(records: &[Outgoing]) -> impl Iterator<Item = &[Outgoing]> {
    let size = |record: &Outgoing| record.value.as_ref().map_or(0, bytes::Bytes::len) + 512;
    let mut left = records;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = left.iter().take_while(|record| {
            bytes += size(record);
            bytes <= PART_BYTES
        });
        let (part, rest) = left.split_at(fitting.count().max(1).min(left.len()));
        left = rest;
        (!part.is_empty()).then_some(part)
    })
}
