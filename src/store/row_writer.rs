//! Rows that are written behind the back of those who make them: through a bounded queue to one task, which writes what
//! has collected as one batch. A database that is away is waited for. What the queue has no room for is dropped,
//! counted and said.

mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::worker::Worker;
use crate::ports::clock::Clock;
use crate::ports::repository::RepositoryError;
use crate::tasks::Tasks;
use crate::telemetry::metrics::RowMetrics;

/// Rows that wait at most: five seconds of 4,000 requests a second.
const MAX_ROWS: usize = 20_000;
/// Bytes of rows that wait at most, where they have long texts.
const MAX_BYTES: usize = 64 << 20;

/// A table, or another place, to which rows are appended.
pub(super) trait RowTable: Send + Sync + 'static {
    /// What a row is made from.
    type Row: Send + Sync + 'static;

    /// What the table is called in the log.
    fn title(&self) -> &'static str;

    /// What a row takes of memory.
    fn bytes(row: &Self::Row) -> usize;

    /// Writes all of these rows, or none, each under a number that is its own among the rows of its millisecond.
    /// Writing the same batch again changes nothing: the answer to the first attempt may have been lost.
    fn write<'a>(&'a self, rows: &'a [(i64, Self::Row)]) -> BoxFuture<'a, Result<(), RepositoryError>>;

    /// Removes at most `limit` rows that are kept no longer. True if there may be more.
    fn remove_old(&self, now: Duration, limit: u32) -> BoxFuture<'_, Result<bool, RepositoryError>>;
}

/// What a writer needs beside its table.
pub struct Dependencies {
    /// Decides what is old.
    pub clock: Arc<dyn Clock>,
    /// Where its task runs.
    pub tasks: Tasks,
    /// Its metrics.
    pub metrics: RowMetrics,
    /// Tells its task to write what it has, and to end.
    pub stop: CancellationToken,
}

/// Where rows are handed in.
pub struct RowWriter<R> {
    queue: mpsc::Sender<(i64, R)>,
    /// Bytes of the rows that wait.
    waiting_bytes: Arc<AtomicUsize>,
    bytes: fn(&R) -> usize,
    metrics: RowMetrics,
}

impl<R: Send + Sync + 'static> RowWriter<R> {
    /// A writer to this table, and the task behind it, which ends when it is told to stop.
    pub(super) fn open(table: impl RowTable<Row = R>, deps: Dependencies) -> (Self, JoinHandle<()>) {
        Self::with_room(table, MAX_ROWS, deps)
    }

    fn with_room<T: RowTable<Row = R>>(table: T, rows: usize, deps: Dependencies) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(rows);
        let (waiting_bytes, metrics) = (Arc::new(AtomicUsize::new(0)), deps.metrics.clone());
        let tasks = deps.tasks.clone();
        let task = tasks.service(Worker::new(table, waiting, Arc::clone(&waiting_bytes), deps).run());
        (Self { queue, waiting_bytes, bytes: T::bytes, metrics }, task)
    }

    /// Hands a row in. Never waits: without room the row is dropped.
    pub(super) fn append(&self, row: R) {
        let bytes = (self.bytes)(&row);
        let waiting = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let is_queued = waiting + bytes <= MAX_BYTES && self.queue.try_send((fastrand::i64(0..), row)).is_ok();
        if is_queued {
            self.metrics.waiting.inc();
        } else {
            self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.metrics.dropped.inc();
        }
    }
}

#[cfg(test)]
mod tests;
