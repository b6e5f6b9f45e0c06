//! A journal whose calls share batches.
//!
//! - `worker`: the task that hands batches to the store, and waits while it is away; `batch`: calls that are answered
//!   together;
//! - `backend`: what a store has to do for it;
//! - `sqlite`, `postgres`, `rows`: the journal's tables in a database; `redis`: the same in a Redis server.

mod backend;
mod batch;
mod postgres;
mod redis;
mod rows;
mod sqlite;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::backend::Backend;
use self::batch::Request;
use self::postgres::PostgresJournal;
use self::redis::RedisJournal;
use self::sqlite::SqliteJournal;
use self::worker::Worker;
use super::availability::{Availability, Standing};
use super::database::Database;
use super::selected::SelectedStore;
use crate::domain::health::{Component, Status};
use crate::ports::clock::Clock;
use crate::ports::health::Health;
use crate::ports::journal::{Claim, Claimed, Journal, Key};
use crate::tasks::Tasks;
use crate::telemetry::metrics::JournalMetrics;

/// Calls that wait in the queue; more wait before it.
const QUEUE: usize = 1024;

/// A [`Journal`] in a store. Everything that is asked for while a batch is under way is the next batch.
pub struct SharedJournal {
    queue: mpsc::Sender<Request>,
    availability: Arc<Availability>,
    metrics: JournalMetrics,
}

/// What a journal needs beside its store.
pub struct Dependencies {
    /// Dates entries.
    pub clock: Arc<dyn Clock>,
    /// Where its task runs.
    pub tasks: Tasks,
    /// Its metrics.
    pub metrics: JournalMetrics,
    /// Tells its task to do what it was asked for, and to end.
    pub stop: CancellationToken,
}

impl SharedJournal {
    /// A journal in this store, which is connected to at once and need not be there; and the task behind it, which ends
    /// when it is told to stop, and with the journal's last handle.
    pub fn open(store: &SelectedStore, retention: Duration, deps: Dependencies) -> (Self, JoinHandle<()>) {
        let backend: Box<dyn Backend> = match store {
            SelectedStore::Database(Database::Sqlite(database)) => Box::new(SqliteJournal(database.clone())),
            SelectedStore::Database(Database::Postgres(database)) => Box::new(PostgresJournal(database.clone())),
            SelectedStore::Redis(url) => Box::new(RedisJournal::new(url.clone())),
        };
        Self::new(backend, retention, deps)
    }

    fn new(backend: Box<dyn Backend>, retention: Duration, deps: Dependencies) -> (Self, JoinHandle<()>) {
        let Dependencies { clock, tasks, metrics, stop } = deps;
        let (queue, requests) = mpsc::channel(QUEUE);
        let availability = Arc::new(Availability::new(backend.name()));
        let deps = worker::Dependencies { clock, retention, metrics: metrics.clone(), stop };
        let task = tasks.service(Worker::new(backend, requests, Arc::clone(&availability), deps).run());
        (Self { queue, availability, metrics }, task)
    }

    /// Sends a request and waits for its answer, for ever if there is nobody to answer: [`Journal::problem`] tells of
    /// it.
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> T {
        let (reply, answer) = oneshot::channel();
        if self.queue.send(request(reply)).await.is_ok()
            && let Ok(answer) = answer.await
        {
            return answer;
        }
        std::future::pending().await
    }
}

impl Journal for SharedJournal {
    fn recall(&self, key: Key) -> BoxFuture<'_, Option<Bytes>> {
        self.metrics.recalls.inc();
        self.ask(move |reply| Request::Recall { key: key.0, reply }).boxed()
    }

    fn record(&self, key: Key, outcome: Bytes) -> BoxFuture<'_, ()> {
        self.metrics.records.inc();
        self.ask(move |reply| Request::Record { key: key.0, outcome, reply }).boxed()
    }

    fn claim(&self, claims: Vec<Claim>) -> BoxFuture<'_, Vec<Claimed>> {
        self.metrics.claims.inc();
        self.ask(move |reply| Request::Claim { claims, reply }).boxed()
    }

    fn problem(&self) -> Option<String> {
        if self.queue.is_closed() {
            return Some("the task that writes to the store has ended; restart the process and report this".to_owned());
        }
        match self.availability.standing() {
            Standing::Connecting | Standing::Up => None,
            Standing::Away(why) => Some(why),
        }
    }
}

impl Health for SharedJournal {
    fn components(&self) -> Vec<Component> {
        let (status, detail) = match (self.problem(), self.availability.standing()) {
            (Some(why), _) => (Status::Down, Some(format!("{why}; calls wait, and go on by themselves"))),
            (None, Standing::Connecting) => (Status::Degraded, Some("connecting".to_owned())),
            (None, Standing::Up | Standing::Away(_)) => (Status::Up, None),
        };
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        vec![Component {
            kind: "store",
            name: self.availability.kind().to_owned(),
            status,
            latency: self.availability.latency(),
            detail,
            facts: vec![("waiting", i64::try_from(waiting).unwrap_or(i64::MAX))],
            is_ready: status == Status::Up,
            is_alive: !self.queue.is_closed(),
        }]
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
