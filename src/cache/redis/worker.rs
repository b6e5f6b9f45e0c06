//! The task that keeps the connection, writes answers and hears of invalidations. What is invalidated leaves memory,
//! and is not written either.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::connection::{Received, Server, Session, advice, is_refusal, why};
use super::invalidation::Invalidation;
use super::keys;
use super::link::Link;
use crate::cache::memory::MemoryAnswers;
use crate::codec::stored_answer;
use crate::domain::answer::Answer;
use crate::domain::answer_key::{AnswerKey, AnswerNames};
use crate::telemetry::metrics::CacheMetrics;

/// First pause before a failed connection is tried again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often the server is checked while nothing is wrong: health shows how long it took.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// Answers that are written at once.
const BATCH: usize = 64;

/// What is asked of the task, in order.
pub(super) enum Job {
    /// To write an answer that is good until then.
    Write { key: AnswerKey, answer: Arc<Answer>, until: Instant },
    /// To say when all that was asked before has been written.
    Flush(oneshot::Sender<()>),
}

pub(super) struct Worker {
    pub(super) server: Server,
    pub(super) link: Arc<Link>,
    pub(super) jobs: mpsc::Receiver<Job>,
    pub(super) memory: Arc<MemoryAnswers>,
    pub(super) metrics: CacheMetrics,
    pub(super) stop: CancellationToken,
    /// Whether there has been a connection. What waits for the first one is written: the process has just begun, and its
    /// answers are new.
    pub(super) was_connected: bool,
}

impl Worker {
    /// Runs until it is told to stop: one connection after the other.
    pub(super) async fn run(mut self) {
        let stop = self.stop.clone();
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(connected) = stop.run_until_cancelled(self.server.connect()).await else { return };
            let served = match connected {
                Ok(session) => {
                    pause = FIRST_PAUSE;
                    self.serve(session).await
                }
                Err(error) => Err(error),
            };
            match served {
                Ok(()) => return,
                Err(error) => self.link.lost(why(&error)),
            }
            if stop.run_until_cancelled(sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0))).await.is_none() {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Serves one connection until it fails, or the process stops.
    async fn serve(&mut self, mut session: Session) -> RedisResult<()> {
        // Nobody has heard what was invalidated before the subscription.
        self.memory.clear();
        if std::mem::replace(&mut self.was_connected, true) {
            self.drop_queued(|_| true, &mut session.connection).await?;
        }
        self.check(&session).await?;
        self.link.advise(advice(&mut session.connection.clone()).await);
        let mut checks = interval(CHECK_EVERY);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                // What has been invalidated is known before anything is written.
                biased;
                Some(received) = session.received.recv() => self.receive(received, &mut session).await?,
                () = self.stop.cancelled() => {
                    self.jobs.close();
                    while self.jobs.recv_many(&mut batch, BATCH).await > 0 {
                        self.work_off(&mut batch, &mut session.connection).await?;
                    }
                    return Ok(());
                }
                () = self.link.suspected() => self.check(&session).await?,
                _ = checks.tick() => self.check(&session).await?,
                1.. = self.jobs.recv_many(&mut batch, BATCH) => {
                    self.work_off(&mut batch, &mut session.connection).await?;
                }
            }
        }
    }

    async fn check(&self, session: &Session) -> RedisResult<()> {
        let began_at = Instant::now();
        redis::cmd("PING").exec_async(&mut session.connection.clone()).await?;
        self.link.answered(&session.connection, began_at.elapsed());
        Ok(())
    }

    async fn receive(&mut self, received: Received, session: &mut Session) -> RedisResult<()> {
        match received {
            Received::Invalidation(Invalidation { tenant, pattern }) => {
                self.memory.invalidate(&tenant, &pattern);
                self.drop_queued(|names| names.matches(&tenant, &pattern), &mut session.connection).await?;
            }
            Received::Unreadable => self.forget_all(session).await?,
            Received::Closed => self.check(session).await?,
        }
        if session.has_missed() {
            self.forget_all(session).await?;
        }
        Ok(())
    }

    async fn forget_all(&mut self, session: &mut Session) -> RedisResult<()> {
        self.memory.clear();
        self.drop_queued(|_| true, &mut session.connection).await
    }

    /// Drops queued answers that are to be forgotten, and writes those before and after them.
    async fn drop_queued(
        &mut self,
        is_forgotten: impl Fn(&AnswerNames) -> bool,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<()> {
        let mut queued = Vec::new();
        // Not until the queue is empty: others go on filling it.
        for _ in 0..self.jobs.len() {
            match self.jobs.try_recv() {
                Ok(Job::Write { key, .. }) if is_forgotten(&key.names) => {
                    self.metrics.dropped.inc();
                }
                Ok(job) => queued.push(job),
                Err(_) => break,
            }
        }
        self.work_off(&mut queued, connection).await
    }

    /// Writes a batch in one pipeline. What the server refuses is lost; a connection that fails ends the session.
    async fn work_off(&mut self, batch: &mut Vec<Job>, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let mut pipeline = redis::pipe();
        let mut flushed = Vec::new();
        let now = Instant::now();
        for job in batch.drain(..) {
            match job {
                Job::Flush(done) => flushed.push(done),
                Job::Write { key, answer, until } => {
                    let left = until.saturating_duration_since(now).as_millis();
                    let left = u64::try_from(left).unwrap_or(u64::MAX);
                    match stored_answer::encode(&answer).filter(|_| left > 0) {
                        Some(value) => {
                            pipeline.cmd("SET").arg(keys::key(&key)).arg(value).arg("PX").arg(left);
                        }
                        None => {
                            self.metrics.dropped.inc();
                        }
                    }
                }
            }
        }
        let count = pipeline.len() as u64;
        if count > 0 {
            let written: RedisResult<()> = pipeline.exec_async(connection).await;
            if written.is_ok() { &self.metrics.written } else { &self.metrics.failed }.inc_by(count);
            let refusal = match written {
                Ok(()) => None,
                Err(error) if is_refusal(&error) => Some(why(&error)),
                Err(error) => return Err(error),
            };
            self.link.wrote(refusal);
        }
        for done in flushed {
            // Whoever waited may have gone.
            done.send(()).ok();
        }
        Ok(())
    }
}
