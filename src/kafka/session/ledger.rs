//! Which positions are open, and so what may be committed.
//!
//! A position is opened when its record is received and closed once its outcome is acknowledged. Outcomes come in any
//! order; the offset to commit is the end of the contiguous closed prefix, and what is closed beyond it goes into the
//! commit as a [map](crate::kafka::client::commit_metadata). So the next owner repeats what was unfinished, skips what
//! has an outcome, and misses nothing.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;

use crate::domain::record::Record;
use crate::kafka::client::commit::{Commit, Partition};
use crate::kafka::client::commit_metadata::Completed;

/// The open positions of all partitions that we own.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    partitions: HashMap<Partition, Positions, RandomState>,
}

/// What became of a request to open a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// It is open.
    Opened,
    /// The record has an outcome from before it was assigned to us.
    Completed,
    /// The partition is not ours: the record must be ignored.
    NotOurs,
    /// The record was received before: it must be ignored. A client that pauses its partitions for a rebalance in the
    /// moment in which it hands out a record begins with that record again (librdkafka 2.12.1:
    /// `rd_kafka_toppar_pause_resume` reads the position that `rd_kafka_fetch_op_app_prepare` is about to move).
    Repeated,
    /// Another record was at this offset, or one before all that is open: the partition's log has begun anew. The
    /// partition has to be assigned again before its records can be opened.
    LogRestarted,
}

/// What tells a record that is received again from another log's record at the same offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stamp {
    timestamp_ms: Option<i64>,
    bytes: usize,
}

impl From<&Record> for Stamp {
    fn from(record: &Record) -> Self {
        Self { timestamp_ms: record.timestamp_ms, bytes: record.weight() }
    }
}

#[derive(Debug, Default)]
struct Positions {
    /// From the oldest open position to the newest opened one, ascending by offset. Offsets have gaps where records
    /// were compacted away or are transaction markers.
    slots: VecDeque<Slot>,
    /// One past the newest opened offset.
    end: Option<i64>,
    /// The record at that offset, which has no slot when all are closed.
    newest: Stamp,
    /// What earlier owners completed beyond `base`, where they committed.
    completed: Completed,
    base: Option<i64>,
    /// What the broker last acknowledged as committed.
    committed: Option<(i64, String)>,
}

#[derive(Debug)]
struct Slot {
    offset: i64,
    stamp: Stamp,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Closed if the commit that is under way succeeds.
    Closing,
    Closed,
}

impl Ledger {
    /// Begins to keep a partition that was assigned to us. `committed` is the offset from which it is consumed, where
    /// there is one, and what has an outcome beyond it.
    pub(super) fn assign(&mut self, partition: Partition, committed: Option<(i64, Completed)>) {
        let (base, completed) = committed.map_or_else(Default::default, |(base, map)| (Some(base), map));
        self.partitions.insert(partition, Positions { base, completed, ..Positions::default() });
    }

    /// Forgets a partition that is no longer ours. Nothing of it can be committed from now on.
    pub(super) fn remove(&mut self, partition: &Partition) {
        self.partitions.remove(partition);
    }

    /// The partitions that are ours.
    pub(super) fn partitions(&self) -> impl Iterator<Item = &Partition> {
        self.partitions.keys()
    }

    /// How many partitions are ours.
    pub(super) fn partition_count(&self) -> usize {
        self.partitions.len()
    }

    /// Opens a position, that of the record with this stamp.
    pub(super) fn open(&mut self, partition: &Partition, offset: i64, stamp: Stamp) -> Opening {
        let Some(positions) = self.partitions.get_mut(partition) else { return Opening::NotOurs };
        if positions.end.is_some_and(|end| offset < end) {
            let is_same = positions.stamp(offset) == Some(stamp);
            return if is_same { Opening::Repeated } else { Opening::LogRestarted };
        }
        if positions.end.is_none() && positions.base.is_some_and(|base| offset < base) {
            // The log was cut or begins anew while nobody consumed it: the map is about another log.
            positions.completed = Completed::default();
        }
        let is_closed = positions.completed.contains(offset);
        let state = if is_closed { State::Closed } else { State::Open };
        positions.slots.push_back(Slot { offset, stamp, state });
        (positions.end, positions.newest) = (Some(offset + 1), stamp);
        positions.settle();
        if is_closed { Opening::Completed } else { Opening::Opened }
    }

    /// Positions that are open, or closed behind an open one: what a restart would repeat.
    pub(super) fn len(&self) -> usize {
        self.partitions.values().map(|positions| positions.slots.len()).sum()
    }

    /// Closes a position. Unknown ones (the partition was lost in the meantime) are ignored.
    pub(super) fn close(&mut self, partition: &Partition, offset: i64) {
        self.mark(partition, offset, State::Closed);
        if let Some(positions) = self.partitions.get_mut(partition) {
            positions.settle();
        }
    }

    /// Counts a position as closed in what there is to commit, on trial: the outcome becomes visible with that commit,
    /// or not at all. Then it is to be closed, or [opened again](Self::reopen).
    pub(super) fn close_on_trial(&mut self, partition: &Partition, offset: i64) {
        self.mark(partition, offset, State::Closing);
    }

    /// Opens a position again that was closed on trial.
    pub(super) fn reopen(&mut self, partition: &Partition, offset: i64) {
        self.mark(partition, offset, State::Open);
    }

    fn mark(&mut self, partition: &Partition, offset: i64, state: State) {
        let Some(positions) = self.partitions.get_mut(partition) else { return };
        if let Ok(index) = positions.slots.binary_search_by_key(&offset, |slot| slot.offset)
            && let Some(slot) = positions.slots.get_mut(index)
        {
            slot.state = state;
        }
    }

    /// What to commit for each partition where something has changed since the last commit.
    pub(super) fn uncommitted(&self) -> Vec<Commit> {
        let moved = self.partitions.iter().filter_map(|(partition, positions)| {
            let next = positions.next()?;
            let map = positions.beyond(next).encode(next);
            let is_new = positions.committed.as_ref().is_none_or(|(offset, text)| *offset != next || *text != map.text);
            is_new.then(|| Commit { partition: partition.clone(), next, map })
        });
        moved.collect()
    }

    /// What the broker has may not be what it acknowledged last: all of it is to be committed again.
    pub(super) fn doubt_committed(&mut self) {
        self.partitions.values_mut().for_each(|positions| positions.committed = None);
    }

    /// Notes what the broker acknowledged.
    pub(super) fn committed(&mut self, commit: Commit) {
        if let Some(positions) = self.partitions.get_mut(&commit.partition) {
            positions.committed = Some((commit.next, commit.map.text));
        }
    }
}

impl Positions {
    /// Which record was opened at an offset, where that is still known.
    fn stamp(&self, offset: i64) -> Option<Stamp> {
        if self.end == Some(offset + 1) {
            return Some(self.newest);
        }
        let index = self.slots.binary_search_by_key(&offset, |slot| slot.offset).ok()?;
        self.slots.get(index).map(|slot| slot.stamp)
    }

    /// The offset of the next record to consume if we stopped now; `None` before the first record.
    fn next(&self) -> Option<i64> {
        let oldest_open = self.slots.iter().find(|slot| slot.state == State::Open);
        oldest_open.map(|slot| slot.offset).or(self.end)
    }

    fn settle(&mut self) {
        while self.slots.front().is_some_and(|slot| slot.state == State::Closed) {
            self.slots.pop_front();
        }
    }

    /// What has an outcome beyond `next`. Offsets that are missing between two closed positions count as closed: no
    /// record will ever have them.
    fn beyond(&self, next: i64) -> Completed {
        let mut beyond = Completed::default();
        let mut run: Option<i64> = None;
        for slot in self.slots.iter().skip_while(|slot| slot.offset < next) {
            let is_closed = slot.state != State::Open;
            let start = run.filter(|_| is_closed).unwrap_or(slot.offset);
            run = is_closed.then_some(start);
            if is_closed {
                beyond.push(start..slot.offset + 1);
            }
        }
        // What has not been received again yet.
        for range in self.completed.from(self.end.unwrap_or(next)) {
            beyond.push(range);
        }
        beyond
    }
}

#[cfg(test)]
mod tests;
