//! The task that hands batches to the store, and waits while it is away.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backend::{Backend, Connection, Work};
use super::batch::{Batch, Request};
use crate::ports::clock::Clock;
use crate::store::availability::Availability;
use crate::store::error::StoreError;
use crate::store::removal::{ROWS_AT_ONCE, RemovalSchedule};
use crate::telemetry::metrics::JournalMetrics;

/// First pause before a failed batch is tried again; it doubles up to [`LONGEST_PAUSE`]. A restarted database is back
/// within seconds, and nobody wants to wait much longer than it takes.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Limit for connecting, migrations included.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// Limit for a batch. Above the stores' own limits for locks and statements, which say more about what they waited for.
const BATCH_LIMIT: Duration = Duration::from_secs(10);

/// What the task needs to know.
pub(super) struct Dependencies {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) retention: Duration,
    pub(super) metrics: JournalMetrics,
    pub(super) stop: CancellationToken,
}

pub(super) struct Worker {
    store: Box<dyn Backend>,
    queue: mpsc::Receiver<Request>,
    availability: Arc<Availability>,
    deps: Dependencies,
    /// What was taken from the queue and has no answer yet. It outlives the connection that failed on it.
    pending: Option<Batch>,
    pause: Duration,
    removal: RemovalSchedule,
}

/// What to do next.
enum Next {
    Execute(Batch),
    Purge,
    End,
}

impl Worker {
    pub(super) fn new(
        store: Box<dyn Backend>,
        queue: mpsc::Receiver<Request>,
        availability: Arc<Availability>,
        deps: Dependencies,
    ) -> Self {
        let removal = RemovalSchedule::new();
        Self { store, queue, availability, deps, pending: None, pause: FIRST_PAUSE, removal }
    }

    /// Runs until it is told to stop or the journal's last handle is gone: one connection after the other. What was
    /// asked for before is done first, unless the store is away.
    pub(super) async fn run(mut self) {
        while let Err(error) = self.serve().await {
            self.deps.metrics.errors.inc();
            self.availability.away(&error);
            let pause = sleep(self.pause.mul_f64(0.5 + fastrand::f64() / 2.0));
            if self.queue.is_closed() || self.deps.stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Connects and serves until something fails.
    async fn serve(&mut self) -> Result<(), StoreError> {
        let mut connection = within(CONNECT_LIMIT, self.store.connect()).await?;
        if self.pending.is_none() {
            self.succeeded(None);
        }
        loop {
            let next = match self.pending.take() {
                Some(batch) => Next::Execute(batch),
                None => self.next().await,
            };
            match next {
                Next::Execute(batch) => self.execute(&mut *connection, batch).await?,
                Next::Purge => self.purge(&mut *connection).await?,
                Next::End => return Ok(()),
            }
        }
    }

    async fn next(&mut self) -> Next {
        loop {
            tokio::select! {
                // Nothing is taken any more, and what was is handed out to the last.
                () = self.deps.stop.cancelled(), if !self.queue.is_closed() => self.queue.close(),
                request = self.queue.recv() => return match request {
                    Some(first) => Next::Execute(Batch::collect(first, &mut self.queue)),
                    None => Next::End,
                },
                () = self.removal.due() => return Next::Purge,
            }
        }
    }

    async fn execute(&mut self, connection: &mut dyn Connection, mut batch: Batch) -> Result<(), StoreError> {
        let mut work = Work { now: self.deps.clock.now(), retention: self.deps.retention, ..Work::default() };
        batch.prepare(&mut work);
        if work.is_empty() {
            batch.answer(&Default::default());
            return Ok(());
        }
        let pending = self.pending.insert(batch);
        let began_at = Instant::now();
        let done = within(BATCH_LIMIT, connection.execute(&work)).await?;
        std::mem::take(pending).answer(&done);
        self.pending = None;
        let took = began_at.elapsed();
        self.deps.metrics.batches.inc();
        self.deps.metrics.batch_seconds.observe(took.as_secs_f64());
        self.succeeded(Some(took));
        Ok(())
    }

    async fn purge(&mut self, connection: &mut dyn Connection) -> Result<(), StoreError> {
        let is_more = within(BATCH_LIMIT, connection.purge(self.deps.clock.now(), ROWS_AT_ONCE)).await?;
        self.removal.done(is_more);
        Ok(())
    }

    fn succeeded(&mut self, latency: Option<Duration>) {
        self.pause = FIRST_PAUSE;
        self.availability.up(latency);
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = |_| StoreError(format!("no answer within {} s", limit.as_secs()));
    timeout(limit, work).await.map_err(late)?
}
