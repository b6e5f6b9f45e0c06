//! The writer, against a table that fails as told. Time stands still unless everybody waits.

use std::collections::VecDeque;
use std::sync::Mutex;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::*;
use crate::ports::clock::ManualClock;
use crate::telemetry::metrics::Metrics;

const SECOND: Duration = Duration::from_secs(1);

/// What an attempt to write does.
#[derive(Clone, Copy)]
enum Step {
    Fail,
    Hang,
    /// Writes, and then does not say so.
    Forget,
    /// Writes, and then says nothing at all.
    HangAfter,
}

#[derive(Clone, Default)]
struct Table(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    on_write: VecDeque<Step>,
    batches: Vec<Vec<u32>>,
    attempts: Vec<Vec<i64>>,
    on_remove: VecDeque<bool>,
    removals: usize,
}

impl Table {
    fn failing(steps: impl IntoIterator<Item = Step>) -> Self {
        let table = Self::default();
        table.0.lock().unwrap().on_write = steps.into_iter().collect();
        table
    }

    fn sizes(&self) -> Vec<usize> {
        self.0.lock().unwrap().batches.iter().map(Vec::len).collect()
    }
}

impl RowTable for Table {
    type Row = u32;

    fn title(&self) -> &'static str {
        "table"
    }

    fn bytes(row: &u32) -> usize {
        if *row == u32::MAX { 30 << 20 } else { 4 }
    }

    fn write<'a>(&'a self, rows: &'a [(i64, u32)]) -> BoxFuture<'a, Result<(), RepositoryError>> {
        async {
            let step = {
                let mut state = self.0.lock().unwrap();
                state.attempts.push(rows.iter().map(|(number, _)| *number).collect());
                state.on_write.pop_front()
            };
            match step {
                Some(Step::Hang) => std::future::pending().await,
                Some(Step::Fail) => return Err(RepositoryError::Unavailable("away".to_owned())),
                Some(Step::Forget | Step::HangAfter) | None => {}
            }
            self.0.lock().unwrap().batches.push(rows.iter().map(|(_, row)| *row).collect());
            match step {
                None => Ok(()),
                Some(Step::HangAfter) => std::future::pending().await,
                Some(_) => Err(RepositoryError::Unavailable("connection reset".to_owned())),
            }
        }
        .boxed()
    }

    fn remove_old(&self, _now: Duration, _limit: u32) -> BoxFuture<'_, Result<bool, RepositoryError>> {
        let mut state = self.0.lock().unwrap();
        state.removals += 1;
        std::future::ready(Ok(state.on_remove.pop_front().unwrap_or_default())).boxed()
    }
}

/// A writer with room for so many rows, its metrics, and how it is stopped.
fn writer(table: &Table, rows: usize) -> (RowWriter<u32>, JoinHandle<()>, CancellationToken) {
    let stop = CancellationToken::new();
    let deps = Dependencies {
        clock: Arc::new(ManualClock::default()),
        tasks: Tasks::new(Handle::current()),
        metrics: Metrics::default().table("table"),
        stop: stop.clone(),
    };
    let (writer, task) = RowWriter::with_room(table.clone(), rows, deps);
    (writer, task, stop)
}

fn counts(writer: &RowWriter<u32>) -> (u64, u64, i64) {
    let RowMetrics { written, dropped, waiting, .. } = &writer.metrics;
    (written.get(), dropped.get(), waiting.get())
}

#[tokio::test(start_paused = true)]
async fn rows_that_come_within_a_moment_are_one_batch_of_bounded_size() {
    let table = Table::default();
    let (writer, _task, _stop) = writer(&table, 2000);
    (0..1200).for_each(|row| writer.append(row));
    sleep(SECOND).await;
    writer.append(1200);
    sleep(SECOND).await;
    assert_eq!(table.sizes(), [500, 500, 200, 1]);
    assert_eq!(counts(&writer), (1201, 0, 0));
    assert_eq!(table.0.lock().unwrap().batches.concat(), (0..=1200).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_away_loses_no_row_until_there_is_no_room() {
    let table = Table::failing([Step::Fail; 10]);
    let (writer, _task, _stop) = writer(&table, 100);
    writer.append(0);
    sleep(SECOND).await;
    (1..=100).for_each(|row| writer.append(row));
    assert_eq!(counts(&writer), (0, 0, 101), "one is in the batch, a hundred wait behind it");
    (101..104).for_each(|row| writer.append(row));
    assert_eq!(counts(&writer), (0, 3, 101));
    sleep(60 * SECOND).await;
    assert_eq!(counts(&writer), (101, 3, 0));
    assert_eq!(table.0.lock().unwrap().batches.concat(), (0..=100).collect::<Vec<_>>());
    assert_eq!(writer.metrics.errors.get(), 10);
    assert_eq!(writer.waiting_bytes.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn long_rows_have_room_for_so_many_bytes() {
    let table = Table::failing([Step::Hang]);
    let (writer, _task, _stop) = writer(&table, 100);
    (0..3).for_each(|_| writer.append(u32::MAX));
    assert_eq!(counts(&writer), (0, 1, 2));
    writer.append(1);
    assert_eq!(counts(&writer), (0, 1, 3), "a short one has room");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_tried_again_as_it_was() {
    let table = Table::failing([Step::Forget, Step::Hang]);
    let (writer, _task, _stop) = writer(&table, 100);
    (0..3).for_each(|row| writer.append(row));
    sleep(20 * SECOND).await;
    let state = table.0.lock().unwrap();
    assert_eq!(state.attempts.len(), 3);
    assert!(state.attempts.iter().all(|numbers| *numbers == state.attempts[0]), "the same numbers");
    let mut numbers = state.attempts[0].clone();
    numbers.dedup();
    assert_eq!(numbers.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_a_batch_whose_answer_is_lost_is_tried_again_as_it_was() {
    let table = Table::failing([Step::HangAfter]);
    let (writer, task, stop) = writer(&table, 100);
    (0..3).for_each(|row| writer.append(row));
    sleep(SECOND).await;
    (3..5).for_each(|row| writer.append(row));
    stop.cancel();
    task.await.unwrap();
    let state = table.0.lock().unwrap();
    assert_eq!(state.attempts[0], state.attempts[1], "the rows that came later would make it another batch");
    assert_eq!(state.batches, [vec![0, 1, 2], vec![0, 1, 2], vec![3, 4]]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_the_end_is_written_and_nobody_waits_for_a_database_that_is_away() {
    let table = Table::default();
    let (writer, task, stop) = writer(&table, 2000);
    (0..700).for_each(|row| writer.append(row));
    stop.cancel();
    task.await.unwrap();
    assert_eq!(table.sizes(), [500, 200]);
    writer.append(1);
    assert_eq!(counts(&writer), (700, 1, 0), "afterwards nobody writes");

    let table = Table::failing([Step::Hang; 100]);
    let (writer, task, stop) = self::writer(&table, 2000);
    writer.append(1);
    sleep(SECOND).await;
    stop.cancel();
    tokio::time::timeout(SECOND, task).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn rows_of_the_last_handle_are_written_and_old_ones_removed_without_it() {
    let table = Table::default();
    let (writer, task, stop) = writer(&table, 10);
    writer.append(1);
    drop(writer);
    sleep(62 * SECOND).await;
    assert_eq!((table.sizes(), table.0.lock().unwrap().removals), (vec![1], 1));
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn old_rows_are_removed_in_parts_with_pauses() {
    let table = Table::default();
    table.0.lock().unwrap().on_remove = [true, true, false].into();
    let (_writer, _task, _stop) = writer(&table, 10);
    let removals = || table.0.lock().unwrap().removals;
    sleep(62 * SECOND).await;
    assert_eq!(removals(), 3);
    sleep(58 * SECOND).await;
    assert_eq!(removals(), 3);
    sleep(3 * SECOND).await;
    assert_eq!(removals(), 4);
}
