use proptest::prelude::*;

use super::*;

fn partition(number: i32) -> Partition {
    Partition { topic: "in".into(), number }
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.assign(partition(0));
    ledger
}

fn next(ledger: &Ledger) -> Option<i64> {
    ledger.uncommitted().first().map(|(_, next)| *next)
}

#[test]
fn the_prefix_stops_at_the_oldest_open_position() {
    let mut ledger = ledger();
    for offset in 10..15 {
        assert_eq!(ledger.open(&partition(0), offset), Opening::Opened);
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
fn gaps_between_offsets_do_not_hold_the_prefix() {
    let mut ledger = ledger();
    for offset in [3, 9, 40] {
        ledger.open(&partition(0), offset);
    }
    ledger.close(&partition(0), 3);
    ledger.close(&partition(0), 9);
    assert_eq!(next(&ledger), Some(40));
}

#[test]
fn what_was_committed_is_not_committed_again() {
    let mut ledger = ledger();
    ledger.open(&partition(0), 0);
    ledger.close(&partition(0), 0);
    ledger.committed(&partition(0), 1);
    assert_eq!(ledger.uncommitted(), []);
}

#[test]
fn a_partition_that_is_not_ours_can_neither_open_nor_commit() {
    let mut ledger = ledger();
    assert_eq!(ledger.open(&partition(1), 0), Opening::NotOurs);
    ledger.open(&partition(0), 0);
    ledger.close(&partition(0), 0);
    ledger.remove(&partition(0));
    ledger.close(&partition(0), 0);
    assert_eq!(ledger.uncommitted(), []);
}

#[test]
fn an_offset_from_before_the_newest_one_means_another_log() {
    let mut ledger = ledger();
    assert_eq!(ledger.open(&partition(0), 5), Opening::Opened);
    assert_eq!(ledger.open(&partition(0), 5), Opening::LogRestarted);
    assert_eq!(ledger.open(&partition(0), 0), Opening::LogRestarted);
    ledger.assign(partition(0));
    assert_eq!(ledger.open(&partition(0), 0), Opening::Opened);
}

#[test]
fn closed_positions_behind_an_open_one_count() {
    let mut ledger = ledger();
    for offset in 0..3 {
        ledger.open(&partition(0), offset);
    }
    ledger.close(&partition(0), 2);
    assert_eq!(ledger.len(), 3);
    ledger.close(&partition(0), 0);
    ledger.close(&partition(0), 1);
    assert!(ledger.is_empty());
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
            ledger.open(&partition(0), *offset);
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
                ledger.committed(&partition(0), next);
                committed = next;
            }
        }
    }
}
