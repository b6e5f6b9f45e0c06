//! The task that writes rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Dependencies, RowTable};
use crate::ports::repository::RepositoryError;
use crate::store::removal::{ROWS_AT_ONCE, RemovalSchedule};

/// Rows of a batch. More would not be written faster, and SQLite takes 32,766 values in a statement.
const BATCH: usize = 500;
/// How long rows collect: a batch costs a wait for the disk, however few there are.
const COLLECT: Duration = Duration::from_millis(200);
/// Pause before a failed batch is tried again; it doubles up to the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Limit for a batch.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// What the last rows have when the process ends.
const LAST_LIMIT: Duration = Duration::from_millis(900);
/// How often the log tells of dropped rows.
const REPORT_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Worker<T: RowTable> {
    table: T,
    queue: mpsc::Receiver<(i64, T::Row)>,
    waiting_bytes: Arc<AtomicUsize>,
    deps: Dependencies,
    /// What was taken from the queue and is not known to be written.
    batch: Vec<(i64, T::Row)>,
    pause: Duration,
    is_away: bool,
    removal: RemovalSchedule,
    report_at: Instant,
    /// Dropped rows of which the log has told.
    told: u64,
}

impl<T: RowTable> Worker<T> {
    pub(super) fn new(
        table: T,
        queue: mpsc::Receiver<(i64, T::Row)>,
        waiting_bytes: Arc<AtomicUsize>,
        deps: Dependencies,
    ) -> Self {
        let (removal, report_at) = (RemovalSchedule::new(), Instant::now() + REPORT_EVERY);
        let (batch, pause, told) = (Vec::new(), FIRST_PAUSE, deps.metrics.dropped.get());
        Self { table, queue, waiting_bytes, deps, batch, pause, is_away: false, removal, report_at, told }
    }

    /// Runs until it is told to stop.
    pub(super) async fn run(mut self) {
        let stop = self.deps.stop.clone();
        // Whatever is waited for, the end does not wait for it.
        stop.run_until_cancelled(self.serve()).await;
        self.queue.close();
        self.finish().await;
    }

    /// Writes, removes and reports. Old rows are removed also when nobody can hand in new ones any more.
    async fn serve(&mut self) {
        let mut is_open = true;
        loop {
            tokio::select! {
                biased;
                () = sleep_until(self.report_at) => self.report_dropped(),
                () = self.removal.due() => self.remove().await,
                has_rows = collect(&mut self.queue, &mut self.batch), if is_open => {
                    is_open = has_rows;
                    self.write().await;
                }
            }
        }
    }

    /// Writes the batch, trying again until it is written.
    async fn write(&mut self) {
        while let Err(error) = self.try_write(WRITE_LIMIT).await {
            self.failed(&error);
            sleep(self.pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            if Instant::now() >= self.report_at {
                self.report_dropped();
            }
        }
    }

    async fn try_write(&mut self, limit: Duration) -> Result<(), RepositoryError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        within(limit, self.table.write(&self.batch)).await?;
        let bytes = self.batch.iter().map(|(_, row)| T::bytes(row)).sum();
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        let rows = self.batch.len();
        self.deps.metrics.waiting.dec_by(i64::try_from(rows).unwrap_or(i64::MAX));
        self.deps.metrics.written.inc_by(rows as u64);
        self.batch.clear();
        self.pause = FIRST_PAUSE;
        if std::mem::take(&mut self.is_away) {
            tracing::info!(table = self.table.title(), "rows can be written again");
            self.report_dropped();
        }
        Ok(())
    }

    fn failed(&mut self, error: &RepositoryError) {
        self.deps.metrics.errors.inc();
        if !std::mem::replace(&mut self.is_away, true) {
            let (table, waiting) = (self.table.title(), self.deps.metrics.waiting.get());
            tracing::warn!(table, waiting, %error, "rows cannot be written; they are kept until there is no room for more");
        }
    }

    fn report_dropped(&mut self) {
        self.report_at = Instant::now() + REPORT_EVERY;
        let dropped = self.deps.metrics.dropped.get();
        let rows = dropped - std::mem::replace(&mut self.told, dropped);
        if rows > 0 {
            let table = self.table.title();
            tracing::warn!(table, rows, "rows were dropped: they came faster than they could be written");
        }
    }

    async fn remove(&mut self) {
        let removal = within(WRITE_LIMIT, self.table.remove_old(self.deps.clock.now(), ROWS_AT_ONCE)).await;
        if let Err(error) = &removal {
            tracing::debug!(table = self.table.title(), %error, "old rows cannot be removed now");
        }
        self.removal.done(removal.unwrap_or(false));
    }

    /// Writes what is left, as far as it can be written at once.
    async fn finish(mut self) {
        let deadline = Instant::now() + LAST_LIMIT;
        loop {
            // A batch whose writing was interrupted may be there already, which only the same batch finds out.
            if self.batch.is_empty() {
                self.batch.extend(std::iter::from_fn(|| self.queue.try_recv().ok()).take(BATCH));
            }
            if self.batch.is_empty() {
                break;
            }
            if let Err(error) = self.try_write(deadline.saturating_duration_since(Instant::now())).await {
                let (table, rows) = (self.table.title(), self.batch.len() + self.queue.len());
                tracing::warn!(table, rows, %error, "rows are lost: they could not be written before the end");
                return;
            }
        }
        self.report_dropped();
    }
}

/// Waits for a row, and then a little for others. False if there will be none any more. What was collected stays in the
/// batch when waiting is given up.
async fn collect<R>(queue: &mut mpsc::Receiver<R>, batch: &mut Vec<R>) -> bool {
    if batch.is_empty() && queue.recv_many(batch, BATCH).await == 0 {
        return false;
    }
    let more = async { while batch.len() < BATCH && queue.recv_many(batch, BATCH - batch.len()).await > 0 {} };
    drop(timeout(COLLECT, more).await);
    true
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, RepositoryError>>,
) -> Result<T, RepositoryError> {
    let late = |_| RepositoryError::Unavailable(format!("no answer within {} s", limit.as_secs_f64()));
    timeout(limit, work).await.map_err(late)?
}
