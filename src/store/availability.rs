//! Whether a store can be used now, as health and the log say it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::StoreError;
use crate::open_files;

/// How a store is named to its operator.
#[derive(Debug, Clone)]
pub(super) struct StoreName {
    /// `sqlite`, `postgres` or `redis`.
    pub(super) kind: &'static str,
    /// Where it is, without a password: a path, or host and port.
    pub(super) place: String,
    /// What to look at when it cannot be used.
    pub(super) advice: &'static str,
}

/// What is known of a store.
pub(super) struct Availability {
    name: StoreName,
    seen: Mutex<Seen>,
}

#[derive(Debug, Clone)]
struct Seen {
    standing: Standing,
    latency: Option<Duration>,
}

/// How it stands with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody knows yet.
    Connecting,
    /// It did the last thing that it was asked to.
    Up,
    /// It failed, for this reason.
    Away(String),
}

impl Availability {
    pub(super) fn new(name: StoreName) -> Self {
        Self { name, seen: Mutex::new(Seen { standing: Standing::Connecting, latency: None }) }
    }

    pub(super) fn kind(&self) -> &'static str {
        self.name.kind
    }

    pub(super) fn standing(&self) -> Standing {
        self.seen().standing.clone()
    }

    /// How long the last work took.
    pub(super) fn latency(&self) -> Option<Duration> {
        self.seen().latency
    }

    /// The store did something, which took so long if it was work.
    pub(super) fn up(&self, latency: Option<Duration>) {
        let mut seen = self.seen();
        seen.latency = latency.or(seen.latency);
        let before = std::mem::replace(&mut seen.standing, Standing::Up);
        drop(seen);
        match before {
            Standing::Away(_) => tracing::info!(store = self.name.kind, "the store is back"),
            Standing::Connecting => tracing::info!(store = self.name.kind, "connected to the store"),
            Standing::Up => {}
        }
    }

    /// The store failed. Said once in the log, until it is back.
    pub(super) fn away(&self, StoreError(why): &StoreError) {
        let StoreName { kind, place, advice } = &self.name;
        let advice = match why {
            // Databases do not pass on why they could not open a file.
            _ if open_files::are_exhausted() => open_files::ADVICE,
            // It says itself what to do.
            _ if why.contains("store.url") || why.contains("structured-prompt migrate") => "",
            _ => advice,
        };
        let divider = if advice.is_empty() { "" } else { "; " };
        let why = format!("{place}: {why}{divider}{advice}");
        let before = std::mem::replace(&mut self.seen().standing, Standing::Away(format!("{kind} {why}")));
        if !matches!(before, Standing::Away(_)) {
            tracing::warn!(store = kind, why, "the store is away; what needs it waits");
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
