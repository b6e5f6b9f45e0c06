//! Whether the database answers. It is asked in the background, so that health says what is known without asking.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::api_keys;
use super::database::Database;
use super::revisions;
use crate::domain::health::{Component, Status};
use crate::ports::health::Health;
use crate::ports::repository::RepositoryError;

/// Pause between two questions.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long an answer is waited for. Requests wait as long for a connection.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// A database that is asked again and again.
#[derive(Debug)]
pub struct DatabaseHealth {
    database: Database,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When it last answered, and how long that took.
    answered: Option<(Instant, Duration)>,
    /// Why it did not answer since.
    problem: Option<String>,
}

impl DatabaseHealth {
    /// Of a database that nobody has asked yet.
    pub fn new(database: Database) -> Self {
        Self { database, state: Mutex::default() }
    }

    /// Asks until `stop`.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        while let Some(problem) = stop.run_until_cancelled(Box::pin(self.ask())).await {
            self.note(problem);
            if stop.run_until_cancelled(sleep(ASK_EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// Reads a row, and says why that was not possible.
    async fn ask(&self) -> Option<String> {
        let began_at = Instant::now();
        match timeout(ANSWER_LIMIT, revisions::current(&self.database, api_keys::SUBJECT)).await {
            Ok(Ok(_)) => {
                self.state().answered = Some((Instant::now(), began_at.elapsed()));
                None
            }
            Ok(Err(RepositoryError::Unavailable(why))) => Some(why),
            Ok(Err(error)) => Some(format!("{}: {error}", self.database.title())),
            Err(_) => Some(format!("{}: no answer within {} s", self.database.title(), ANSWER_LIMIT.as_secs())),
        }
    }

    fn note(&self, problem: Option<String>) {
        let (store, mut state) = (self.database.name().kind, self.state());
        match (&problem, &state.problem) {
            (Some(why), None) => {
                tracing::warn!(store, why, "the database does not answer; requests that need it are refused")
            }
            (None, Some(_)) => tracing::info!(store, "the database answers again"),
            (Some(_), Some(_)) | (None, None) => {}
        }
        state.problem = problem;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Health for DatabaseHealth {
    fn components(&self) -> Vec<Component> {
        let State { answered, problem } = &*self.state();
        let waited = answered.map(|(at, _)| i64::try_from(at.elapsed().as_secs()).unwrap_or(i64::MAX));
        // Keys that are remembered are good for five minutes, so the process is of use without it.
        let status = if problem.is_some() || answered.is_none() { Status::Degraded } else { Status::Up };
        vec![Component {
            kind: "database",
            name: self.database.name().kind.to_owned(),
            status,
            latency: answered.map(|(_, took)| took),
            detail: problem.clone().or_else(|| answered.is_none().then(|| "not asked yet".to_owned())),
            facts: waited.map(|seconds| ("seconds_since_answer", seconds)).into_iter().collect(),
            is_ready: true,
            is_alive: true,
        }]
    }
}
