//! A journal whose calls share batches.

mod batch;
mod worker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::batch::Request;
use self::worker::Worker;
use super::backend::Store;
use super::postgres::PostgresStore;
use super::redis::RedisStore;
use super::settings::Location;
use super::sqlite::SqliteStore;
use crate::domain::health::{Component, Status};
use crate::open_files;
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
    state: Arc<State>,
    metrics: JournalMetrics,
}

/// What a journal needs beside its store.
pub struct Parts {
    /// Dates entries.
    pub clock: Arc<dyn Clock>,
    /// Where its task runs.
    pub tasks: Tasks,
    /// Its metrics.
    pub metrics: JournalMetrics,
    /// Tells its task to do what it was asked for, and to end.
    pub stop: CancellationToken,
}

/// What is known of the store.
struct State {
    kind: &'static str,
    place: String,
    advice: &'static str,
    seen: Mutex<Seen>,
}

#[derive(Debug, Clone)]
struct Seen {
    standing: Standing,
    latency: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Connecting,
    Up,
    Away(String),
}

impl SharedJournal {
    /// A journal in the store at `location`, which is connected to at once and need not be there; and the task behind it, which ends
    /// when it is told to stop, and with the journal's last handle.
    pub fn open(location: &Location, retention: Duration, parts: Parts) -> (Self, JoinHandle<()>) {
        let store: Box<dyn Store> = match location {
            Location::Sqlite(path) => Box::new(SqliteStore::new(path.clone())),
            Location::Postgres(url) => Box::new(PostgresStore::new(url.clone())),
            Location::Redis(url) => Box::new(RedisStore::new(url.clone())),
        };
        Self::new(store, retention, parts)
    }

    fn new(store: Box<dyn Store>, retention: Duration, parts: Parts) -> (Self, JoinHandle<()>) {
        let Parts { clock, tasks, metrics, stop } = parts;
        let (queue, requests) = mpsc::channel(QUEUE);
        let seen = Mutex::new(Seen { standing: Standing::Connecting, latency: None });
        let state = Arc::new(State { kind: store.kind(), place: store.place(), advice: store.advice(), seen });
        let worker = Worker::new(
            store,
            requests,
            Arc::clone(&state),
            worker::Means { clock, retention, metrics: metrics.clone(), stop },
        );
        let task = tasks.service(worker.run());
        (Self { queue, state, metrics }, task)
    }

    /// Sends a request and waits for its answer, for ever if there is nobody to answer: [`Journal::problem`] tells of it.
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
        match &self.state.seen().standing {
            Standing::Connecting | Standing::Up => None,
            Standing::Away(why) => Some(why.clone()),
        }
    }
}

impl Health for SharedJournal {
    fn components(&self) -> Vec<Component> {
        let Seen { standing, latency } = self.state.seen().clone();
        let (status, detail) = match (self.problem(), standing) {
            (Some(why), _) => (Status::Down, Some(format!("{why}; calls wait, and go on by themselves"))),
            (None, Standing::Connecting) => (Status::Degraded, Some("connecting".to_owned())),
            (None, Standing::Up | Standing::Away(_)) => (Status::Up, None),
        };
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        vec![Component {
            kind: "store",
            name: self.state.kind.to_owned(),
            status,
            latency,
            detail,
            facts: vec![("waiting", i64::try_from(waiting).unwrap_or(i64::MAX))],
            is_ready: status == Status::Up,
            is_alive: !self.queue.is_closed(),
        }]
    }
}

impl State {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store did something; `latency` is the time that a batch took.
    fn up(&self, latency: Option<Duration>) {
        let mut seen = self.seen();
        seen.latency = latency.or(seen.latency);
        let before = std::mem::replace(&mut seen.standing, Standing::Up);
        drop(seen);
        match before {
            Standing::Away(_) => tracing::info!(store = self.kind, "the store is back"),
            Standing::Connecting => tracing::info!(store = self.kind, "connected to the store"),
            Standing::Up => {}
        }
    }

    /// The store failed. Said once in the log, until it is back.
    fn away(&self, why: &str) {
        let advice = match why {
            // Databases do not pass on why they could not open a file.
            _ if open_files::are_exhausted() => open_files::ADVICE,
            // It says itself what to do.
            _ if why.contains("store.url") => "",
            _ => self.advice,
        };
        let divider = if advice.is_empty() { "" } else { "; " };
        let why = format!("{}: {why}{divider}{advice}", self.place);
        let standing = Standing::Away(format!("{} {why}", self.kind));
        let before = std::mem::replace(&mut self.seen().standing, standing);
        if !matches!(before, Standing::Away(_)) {
            tracing::warn!(store = self.kind, why, "the store is away; what needs it waits");
        }
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
