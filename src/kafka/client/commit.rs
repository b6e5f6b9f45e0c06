//! What is committed for a partition: an offset, and in its metadata what has an outcome beyond it.

use std::fmt;
use std::sync::Arc;

use super::commit_metadata::{Encoded, MAX_CHARS};

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
