use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const STAMP: Stamp = Stamp { timestamp_ms: Some(1), bytes: 100 };
const OTHER: Stamp = Stamp { timestamp_ms: Some(2), bytes: 100 };

fn partition(number: i32) -> Partition {
    Partition { topic: "in".into(), number }
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.assign(partition(0), None);
    ledger
}

fn next(ledger: &Ledger) -> Option<i64> {
    ledger.uncommitted().first().map(|commit| commit.next)
}

/// What a broker would have now.
fn commit(ledger: &mut Ledger) -> Option<(i64, Completed)> {
    let commit = ledger.uncommitted().pop()?;
    let read = Completed::decode(&commit.map.text, commit.next).unwrap();
    let next = commit.next;
    ledger.committed(commit);
    Some((next, read))
}

#[test]
fn what_is_closed_beyond_the_prefix_is_not_opened_by_the_next_owner() {
    let mut first = ledger();
    for offset in 10..16 {
        first.open(&partition(0), offset, STAMP);
    }
    for offset in [10, 12, 13, 15] {
        first.close(&partition(0), offset);
    }
    let committed = commit(&mut first);
    assert_eq!(commit(&mut first), None, "nothing has changed");

    let mut second = Ledger::default();
    second.assign(partition(0), committed);
    assert_eq!(second.open(&partition(0), 11, STAMP), Opening::Opened);
    assert_eq!(second.open(&partition(0), 12, STAMP), Opening::Completed);
    second.close(&partition(0), 11);
    let (next, rest) = commit(&mut second).unwrap();
    assert_eq!(next, 13, "13 is closed but was not received again");
    assert_eq!(rest.from(0).collect::<Vec<_>>(), [13..14, 15..16], "what was not received again stays in the map");

    let mut third = Ledger::default();
    third.assign(partition(0), Some((next, rest)));
    let openings: Vec<_> = (13..17).map(|offset| third.open(&partition(0), offset, STAMP)).collect();
    assert_eq!(openings, [Opening::Completed, Opening::Opened, Opening::Completed, Opening::Opened]);
}

#[test]
fn a_map_about_another_log_is_dropped() {
    let mut ledger = Ledger::default();
    let mut completed = Completed::default();
    completed.push(101..200);
    ledger.assign(partition(0), Some((100, completed)));
    assert_eq!(ledger.open(&partition(0), 0, STAMP), Opening::Opened, "the log begins before where we had come");
    assert_eq!(ledger.open(&partition(0), 150, STAMP), Opening::Opened);
}

#[test]
fn the_prefix_stops_at_the_oldest_open_position() {
    let mut ledger = ledger();
    for offset in 10..15 {
        assert_eq!(ledger.open(&partition(0), offset, STAMP), Opening::Opened);
    }
    ledger.close(&partition(0), 12);
    ledger.close(&partition(0), 10);
    assert_eq!(next(&ledger), Some(11));
    ledger.close(&partition(0), 11);
    assert_eq!(next(&ledger), Some(13));
    ledger.close(&partition(0), 14);
    ledger.close(&partition(0), 13);
    assert_eq!(next(&ledger), Some(15), "the offset after the last record");
}

#[test]
fn what_is_closed_on_trial_counts_until_it_is_opened_again() {
    let mut ledger = ledger();
    for offset in 0..4 {
        ledger.open(&partition(0), offset, STAMP);
    }
    ledger.close(&partition(0), 2);
    ledger.close_on_trial(&partition(0), 0);
    ledger.close_on_trial(&partition(0), 3);
    let tried = ledger.uncommitted().pop().unwrap();
    let map = Completed::decode(&tried.map.text, tried.next).unwrap();
    assert_eq!(tried.next, 1);
    assert!(map.contains(2) && map.contains(3) && !map.contains(1));

    ledger.reopen(&partition(0), 0);
    ledger.reopen(&partition(0), 3);
    let (next, map) = commit(&mut ledger).unwrap();
    assert_eq!(next, 0);
    assert!(map.contains(2) && !map.contains(3) && !map.contains(0));
    for offset in [0, 1, 3] {
        ledger.close(&partition(0), offset);
    }
    assert_eq!(commit(&mut ledger).unwrap().0, 4);
    assert_eq!(ledger.len(), 0);
}

#[test]
fn gaps_between_offsets_do_not_hold_the_prefix() {
    let mut ledger = ledger();
    for offset in [3, 9, 40] {
        ledger.open(&partition(0), offset, STAMP);
    }
    ledger.close(&partition(0), 3);
    ledger.close(&partition(0), 9);
    assert_eq!(next(&ledger), Some(40));
}

#[test]
fn what_was_committed_is_not_committed_again() {
    let mut ledger = ledger();
    ledger.open(&partition(0), 0, STAMP);
    ledger.close(&partition(0), 0);
    commit(&mut ledger);
    assert_eq!(ledger.uncommitted(), []);
}

#[test]
fn a_partition_that_is_not_ours_can_neither_open_nor_commit() {
    let mut ledger = ledger();
    assert_eq!(ledger.open(&partition(1), 0, STAMP), Opening::NotOurs);
    ledger.open(&partition(0), 0, STAMP);
    ledger.close(&partition(0), 0);
    ledger.remove(&partition(0));
    ledger.close(&partition(0), 0);
    assert_eq!(ledger.uncommitted(), []);
}

#[test]
fn another_record_at_an_offset_or_one_before_all_that_is_open_means_another_log() {
    let mut ledger = ledger();
    for offset in 5..8 {
        assert_eq!(ledger.open(&partition(0), offset, STAMP), Opening::Opened);
    }
    for offset in [5, 6, 7] {
        assert_eq!(ledger.open(&partition(0), offset, OTHER), Opening::LogRestarted);
    }
    assert_eq!(ledger.open(&partition(0), 0, STAMP), Opening::LogRestarted);
    ledger.assign(partition(0), None);
    assert_eq!(ledger.open(&partition(0), 0, STAMP), Opening::Opened);
}

#[test]
fn a_record_that_is_received_again_changes_nothing() {
    let mut ledger = ledger();
    for offset in [5, 6, 9] {
        ledger.open(&partition(0), offset, STAMP);
    }
    ledger.close(&partition(0), 6);
    for offset in [9, 6, 5, 9] {
        assert_eq!(ledger.open(&partition(0), offset, STAMP), Opening::Repeated, "{offset}");
    }
    assert_eq!((next(&ledger), ledger.len()), (Some(5), 3), "what is open stays open");
    for offset in [5, 9] {
        ledger.close(&partition(0), offset);
    }
    assert_eq!(ledger.open(&partition(0), 9, STAMP), Opening::Repeated, "also when all are closed");
    assert_eq!(ledger.open(&partition(0), 9, OTHER), Opening::LogRestarted);
    assert_eq!(next(&ledger), Some(10));
}

#[test]
fn closed_positions_behind_an_open_one_count() {
    let mut ledger = ledger();
    for offset in 0..3 {
        ledger.open(&partition(0), offset, STAMP);
    }
    ledger.close(&partition(0), 2);
    assert_eq!(ledger.len(), 3);
    ledger.close(&partition(0), 0);
    ledger.close(&partition(0), 1);
    assert_eq!(ledger.len(), 0);
}

proptest! {
    /// Whatever order records finish in, and whenever we look: nothing open lies before the committed offset, and
    /// everything before it is closed.
    #[test]
    fn the_committed_offset_never_passes_an_open_position(
        gaps in prop::collection::vec(1_i64..4, 1..60),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..80),
        commit_every in 1_usize..5,
    ) {
        let offsets: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
        let mut ledger = ledger();
        for offset in &offsets {
            ledger.open(&partition(0), *offset, STAMP);
        }
        let mut open = offsets.clone();
        let mut committed = 0;
        for (step, index) in order.iter().enumerate() {
            if open.is_empty() {
                break;
            }
            let offset = open.remove(index.index(open.len()));
            ledger.close(&partition(0), offset);
            if step % commit_every == 0 && let Some(next) = next(&ledger) {
                prop_assert!(next >= committed, "the committed offset moved back");
                prop_assert!(open.iter().all(|offset| *offset >= next), "an open position lies before {next}");
                prop_assert!(!offsets.contains(&next) || open.contains(&next), "{next} is closed but not passed");
                commit(&mut ledger);
                committed = next;
            }
        }
    }

    /// Whenever an owner dies and whatever it had finished by its last commit: the next one opens what was unfinished
    /// then, and nothing else.
    #[test]
    fn an_owner_repeats_what_was_unfinished_at_the_last_commit_and_nothing_else(
        gaps in prop::collection::vec(1_i64..4, 1..60),
        lives in prop::collection::vec((0_usize..60, prop::collection::vec(any::<prop::sample::Index>(), 0..40), any::<bool>()), 1..8),
    ) {
        let log: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
        let (mut committed, mut done_at_commit) = (None, HashSet::new());
        for (receives, closes, ends_with_commit) in lives {
            let mut ledger = Ledger::default();
            ledger.assign(partition(0), committed.clone());
            let from = committed.as_ref().map_or(0, |(next, _)| *next);
            let (mut open, mut done) = (Vec::new(), done_at_commit.clone());
            for offset in log.iter().copied().filter(|offset| *offset >= from).take(receives) {
                let opening = ledger.open(&partition(0), offset, STAMP);
                let wanted = if done_at_commit.contains(&offset) { Opening::Completed } else { Opening::Opened };
                prop_assert_eq!(opening, wanted, "offset {}", offset);
                if opening == Opening::Opened {
                    open.push(offset);
                }
            }
            for (step, index) in closes.iter().enumerate() {
                if open.is_empty() {
                    break;
                }
                let offset = open.remove(index.index(open.len()));
                ledger.close(&partition(0), offset);
                done.insert(offset);
                let is_last = step + 1 == closes.len() || open.is_empty();
                if (step % 3 == 0 || (is_last && ends_with_commit)) && let Some(new) = commit(&mut ledger) {
                    (committed, done_at_commit) = (Some(new), done.clone());
                }
            }
            let from = committed.as_ref().map_or(0, |(next, _)| *next);
            prop_assert!(log.iter().all(|offset| *offset >= from || done_at_commit.contains(offset)), "a record is skipped");
        }
    }
}
