//! What is committed for a partition: an offset, and in its metadata what has an outcome beyond it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use super::commit_metadata::{Completed, Encoded, MAX_CHARS, MetadataError};

/// Length of a map from which intake should wait, so that the map cannot outgrow what a broker takes.
const LONG_MAP_CHARS: usize = MAX_CHARS / 4 * 3;

/// One partition of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Partition {
    /// Topic name.
    pub(crate) topic: Arc<str>,
    /// Partition number.
    pub(crate) number: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.number)
    }
}

/// What to commit for one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    /// The partition.
    pub(crate) partition: Partition,
    /// The offset of the next record to consume.
    pub(crate) next: i64,
    /// Which records from there on need not be consumed.
    pub(crate) map: Encoded,
}

impl Commit {
    /// True if intake should wait until the map is shorter.
    pub(crate) fn is_long(&self) -> bool {
        self.map.text.len() > LONG_MAP_CHARS
    }
}

/// What the client takes to commit.
pub(crate) fn list(commits: &[Commit], has_maps: bool) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for Commit { partition, next, map } in commits {
        let mut element = list.add_partition(&partition.topic, partition.number);
        element.set_offset(Offset::Offset(*next))?;
        if has_maps && !map.text.is_empty() {
            element.set_metadata(&map.text);
        }
    }
    Ok(list)
}

/// The map beside a committed offset.
pub(crate) fn map(element: &TopicPartitionListElem<'_>, base: i64) -> Result<Completed, MetadataError> {
    // The library panics on metadata that is not UTF-8 (rdkafka 0.39), which any client of the group can have written.
    let text = catch_unwind(AssertUnwindSafe(|| element.metadata())).map_err(|_panic| MetadataError::Foreign)?;
    Completed::decode(text, base)
}
