//! Which positions are open, and so what may be committed.
//!
//! A position is opened when its record is received and closed once its outcome is acknowledged. Outcomes come in any
//! order; the offset to commit is the end of the contiguous closed prefix, so a restart repeats what was unfinished and
//! skips nothing.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

/// One partition of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number.
    pub number: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.number)
    }
}

/// The open positions of all partitions that we own.
#[derive(Debug, Default)]
pub struct Ledger {
    partitions: HashMap<Partition, Positions>,
}

/// What became of a request to open a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It is open.
    Opened,
    /// The partition is not ours: the record must be ignored.
    NotOurs,
    /// The offset lies before ones that were opened. The client drops what an earlier assignment left over, so the
    /// partition's log must have begun anew; the partition has to be assigned again before its records can be opened.
    LogRestarted,
}

#[derive(Debug, Default)]
struct Positions {
    /// From the oldest open position to the newest opened one, ascending by offset. Offsets have gaps where records were
    /// compacted away or are transaction markers.
    slots: VecDeque<Slot>,
    /// One past the newest opened offset.
    end: Option<i64>,
    /// What the broker last acknowledged as committed.
    committed: Option<i64>,
}

#[derive(Debug)]
struct Slot {
    offset: i64,
    is_closed: bool,
}

impl Ledger {
    /// Begins to keep a partition that was assigned to us.
    pub fn assign(&mut self, partition: Partition) {
        self.partitions.insert(partition, Positions::default());
    }

    /// Forgets a partition that is no longer ours. Nothing of it can be committed from now on.
    pub fn remove(&mut self, partition: &Partition) {
        self.partitions.remove(partition);
    }

    /// The partitions that are ours.
    pub fn partitions(&self) -> impl Iterator<Item = &Partition> {
        self.partitions.keys()
    }

    /// True if the partition is ours.
    pub fn owns(&self, partition: &Partition) -> bool {
        self.partitions.contains_key(partition)
    }

    /// Opens a position.
    pub fn open(&mut self, partition: &Partition, offset: i64) -> Opening {
        let Some(positions) = self.partitions.get_mut(partition) else { return Opening::NotOurs };
        if positions.end.is_some_and(|end| offset < end) {
            return Opening::LogRestarted;
        }
        positions.slots.push_back(Slot { offset, is_closed: false });
        positions.end = Some(offset + 1);
        Opening::Opened
    }

    /// Positions that are open, or closed behind an open one: what a restart would repeat.
    pub fn len(&self) -> usize {
        self.partitions.values().map(|positions| positions.slots.len()).sum()
    }

    /// True if a restart would repeat nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes a position. Unknown ones (the partition was lost in the meantime) are ignored.
    pub fn close(&mut self, partition: &Partition, offset: i64) {
        let Some(positions) = self.partitions.get_mut(partition) else { return };
        if let Ok(index) = positions.slots.binary_search_by_key(&offset, |slot| slot.offset)
            && let Some(slot) = positions.slots.get_mut(index)
        {
            slot.is_closed = true;
        }
        while positions.slots.front().is_some_and(|slot| slot.is_closed) {
            positions.slots.pop_front();
        }
    }

    /// For each partition that has moved since the last commit: the offset to commit, which is that of the next record to
    /// consume.
    pub fn uncommitted(&self) -> Vec<(Partition, i64)> {
        let moved = self.partitions.iter().filter_map(|(partition, positions)| {
            let next = positions.next()?;
            (positions.committed != Some(next)).then(|| (partition.clone(), next))
        });
        moved.collect()
    }

    /// Notes what the broker acknowledged.
    pub fn committed(&mut self, partition: &Partition, next: i64) {
        if let Some(positions) = self.partitions.get_mut(partition) {
            positions.committed = Some(next);
        }
    }
}

impl Positions {
    /// The offset of the next record to consume if we stopped now; `None` before the first record.
    fn next(&self) -> Option<i64> {
        self.slots.front().map(|oldest_open| oldest_open.offset).or(self.end)
    }
}

#[cfg(test)]
mod tests;
