//! A partition of the review topic: what was decided, and what waits.

use crate::kafka::client::commit_metadata::{Completed, Encoded};

/// One partition, from the first result that waits on. `R` is a result as it is kept.
#[derive(Debug)]
pub(super) struct ReviewPartition<R> {
    /// The offset that it was read from.
    from: i64,
    decided: Completed,
    /// Where its results stand, in order. Offsets between them belong to the ends of transactions, and to records that
    /// are no results.
    offsets: Vec<i64>,
    /// Those that wait and were asked for.
    waiting: Vec<R>,
}

impl<R> ReviewPartition<R> {
    pub(super) fn new(from: i64, decided: Completed) -> Self {
        Self { from, decided, offsets: Vec::new(), waiting: Vec::new() }
    }

    /// Adds the next result; itself if it is one that was asked for.
    pub(super) fn add(&mut self, offset: i64, asked: Option<R>) {
        self.offsets.push(offset);
        if !self.decided.contains(offset) {
            self.waiting.extend(asked);
        }
    }

    /// The last result that waits and was asked for.
    pub(super) fn take_waiting(&mut self) -> Option<R> {
        self.waiting.pop()
    }

    /// All results that wait and were asked for, in order.
    pub(super) fn into_waiting(self) -> Vec<R> {
        self.waiting
    }

    /// The first offset that waits, and the map of those behind it that do not, once this one is decided.
    pub(super) fn after(&self, decided: Option<i64>) -> (i64, Encoded) {
        let is_decided = |offset: i64| decided == Some(offset) || self.decided.contains(offset);
        let end = self.offsets.last().map_or(self.from, |last| last + 1);
        let next = self.offsets.iter().copied().find(|offset| !is_decided(*offset)).unwrap_or(end);
        let mut map = Completed::default();
        // What stands between two decided results is none, and runs that touch are shorter.
        let ends = self.offsets.iter().copied().skip(1).chain([end]);
        for (offset, end) in self.offsets.iter().copied().zip(ends).filter(|(offset, _)| *offset > next) {
            if is_decided(offset) {
                map.push(offset..end);
            }
        }
        (next, map.encode(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A partition with records at these offsets, of which those of the map are decided.
    fn partition(offsets: &[i64], decided: Completed) -> ReviewPartition<i64> {
        let mut partition = ReviewPartition::new(offsets.first().copied().unwrap_or(7), decided);
        for offset in offsets {
            partition.add(*offset, Some(*offset));
        }
        partition
    }

    fn map(decided: &[i64]) -> Completed {
        let mut map = Completed::default();
        decided.iter().for_each(|offset| map.push(*offset..offset + 1));
        map
    }

    /// The offset that is committed after a decision, and what waits for whoever reads from there.
    fn waiting_after(offsets: &[i64], decided: &[i64], offset: i64) -> (i64, Vec<i64>) {
        let (next, map) = partition(offsets, map(decided)).after(Some(offset));
        let rest: Vec<i64> = offsets.iter().copied().filter(|offset| *offset >= next).collect();
        let read = partition(&rest, Completed::decode(&map.text, next).unwrap());
        (next, read.into_waiting())
    }

    #[test]
    fn a_decided_result_does_not_wait_whatever_was_decided_before() {
        // Offsets that are missing are the ends of transactions.
        assert_eq!(waiting_after(&[4, 5, 8, 9], &[], 8), (4, vec![4, 5, 9]));
        assert_eq!(waiting_after(&[4, 5, 8, 9], &[8], 4), (5, vec![5, 9]));
        assert_eq!(waiting_after(&[4, 5, 8, 9], &[5, 8], 4), (9, vec![9]));
        assert_eq!(waiting_after(&[4, 5, 8, 9], &[5, 8, 9], 4), (10, vec![]));
        assert_eq!(waiting_after(&[4, 5, 8, 9], &[5, 8], 9), (4, vec![4]));
    }

    #[test]
    fn a_partition_in_which_nothing_is_decided_stays_as_it_is() {
        assert_eq!(
            partition(&[], Completed::default()).after(None),
            (7, Encoded { text: String::new(), is_whole: true })
        );
        let (next, text) = partition(&[4, 5, 8], map(&[5])).after(None);
        assert_eq!((next, Completed::decode(&text.text, 4).unwrap().contains(5)), (4, true));
    }

    #[test]
    fn only_what_waits_and_is_asked_for_is_kept() {
        let mut partition = ReviewPartition::new(4, map(&[5]));
        for offset in [4, 5, 8] {
            partition.add(offset, (offset >= 5).then_some(offset));
        }
        // What nobody asked for is not kept, and waits.
        assert_eq!((partition.after(Some(8)).0, partition.into_waiting()), (4, vec![8]));
    }

    #[test]
    fn a_map_without_room_for_what_is_decided_says_so() {
        let offsets: Vec<i64> = (0..20_000).map(|n| n * 1000).collect();
        let decided: Vec<i64> = offsets.iter().copied().filter(|offset| offset % 2000 == 1000).collect();
        assert!(!partition(&offsets, map(&decided)).after(Some(2000)).1.is_whole);
        let every_other: Vec<i64> = (1..5000).map(|n| n * 2).collect();
        let dense: Vec<i64> = (0..10_000).collect();
        assert!(partition(&dense, map(&every_other)).after(Some(1)).1.is_whole);
    }
}
