//! What those who look answers up know of the server, without asking it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::domain::health::{Component, Status};

/// The connection while it is good, and what is wrong while it is not.
pub(super) struct Link {
    place: String,
    connection: watch::Sender<Option<MultiplexedConnection>>,
    suspected: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Why the server cannot be asked.
    problem: Option<String>,
    /// Whether the log has said so.
    is_said: bool,
    /// Why it takes no answers though it can be asked.
    refusal: Option<String>,
    /// What to change in its settings.
    advice: Option<String>,
    latency: Option<Duration>,
    answered_at: Option<Instant>,
}

impl Link {
    /// A link to the server at `place`, which nobody has connected to yet.
    pub(super) fn new(place: String) -> Self {
        let problem = Some("not connected yet".to_owned());
        Self {
            place,
            connection: watch::Sender::new(None),
            suspected: Notify::new(),
            state: Mutex::new(State { problem, ..State::default() }),
        }
    }

    /// The connection, unless the server is known to be away or slow.
    pub(super) fn connection(&self) -> Option<MultiplexedConnection> {
        self.connection.borrow().clone()
    }

    /// Why there is none.
    pub(super) fn problem(&self) -> String {
        self.state().problem.clone().unwrap_or_else(|| "it is slow".to_owned())
    }

    /// A request was not answered in time: nobody else waits for the server until it has answered a check.
    pub(super) fn suspect(&self) {
        self.connection.send_replace(None);
        self.suspected.notify_one();
    }

    /// Returns when somebody has suspected the server.
    pub(super) async fn suspected(&self) {
        self.suspected.notified().await;
    }

    /// The server has answered a check on this connection.
    pub(super) fn answered(&self, connection: &MultiplexedConnection, took: Duration) {
        let mut state = self.state();
        state.latency = Some(took);
        state.answered_at = Some(Instant::now());
        if state.problem.take().is_some() {
            tracing::info!(redis = self.place, "the shared answer cache is there");
            state.is_said = false;
        }
        drop(state);
        self.connection.send_if_modified(|current| {
            let was_away = current.is_none();
            current.get_or_insert_with(|| connection.clone());
            was_away
        });
    }

    /// The server cannot be asked.
    pub(super) fn lost(&self, why: String) {
        self.connection.send_replace(None);
        let mut state = self.state();
        if !std::mem::replace(&mut state.is_said, true) {
            tracing::warn!(
                redis = self.place,
                why,
                "the shared answer cache is away: nothing is found in it until it is back"
            );
        }
        state.problem = Some(why);
    }

    /// Whether the server takes answers, or why it does not.
    pub(super) fn wrote(&self, refusal: Option<String>) {
        let mut state = self.state();
        if let (Some(why), None) = (&refusal, &state.refusal) {
            tracing::warn!(redis = self.place, why, "the shared answer cache takes no answers");
        }
        state.refusal = refusal;
    }

    /// What should be changed in the server's settings. Said once.
    pub(super) fn advise(&self, advice: Option<String>) {
        let mut state = self.state();
        if let Some(advice) = advice.as_ref().filter(|_| state.advice != advice) {
            tracing::warn!(redis = self.place, "the shared answer cache: {advice}");
        }
        state.advice = advice;
    }

    /// How the server is doing, as last known.
    pub(super) fn component(&self) -> Component {
        let State { problem, is_said: _, refusal, advice, latency, answered_at } = &*self.state();
        let waited = answered_at.map(|at| i64::try_from(at.elapsed().as_secs()).unwrap_or(i64::MAX));
        let trouble = match (problem, refusal) {
            (Some(why), _) => Some(format!("{}: {why}; every look-up is a miss, and it is tried again", self.place)),
            (None, Some(why)) => Some(format!("{}: it takes no answers: {why}", self.place)),
            (None, None) => None,
        };
        Component {
            kind: "cache",
            name: "redis".to_owned(),
            status: if trouble.is_some() { Status::Degraded } else { Status::Up },
            latency: *latency,
            detail: trouble.or_else(|| advice.as_ref().map(|advice| format!("{}: {advice}", self.place))),
            facts: waited.map(|seconds| ("seconds_since_answer", seconds)).into_iter().collect(),
            is_ready: true,
            is_alive: true,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
