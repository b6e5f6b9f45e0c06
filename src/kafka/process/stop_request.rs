//! A connector is asked to stop.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A request to stop, and the time that records under way are given to finish.
#[derive(Debug, Default)]
pub(crate) struct StopRequest {
    deadline: Mutex<Option<Instant>>,
    changed: Condvar,
}

impl StopRequest {
    /// Once the stop is requested: until when records under way may finish.
    pub(crate) fn requested(&self) -> Option<Instant> {
        *self.deadline()
    }

    pub(crate) fn request(&self, deadline: Instant) {
        *self.deadline() = Some(deadline);
        self.changed.notify_all();
    }

    /// Sleeps, unless or until the stop is requested. True if it is.
    pub(crate) fn wait(&self, pause: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.deadline(), pause, |deadline| deadline.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }

    fn deadline(&self) -> MutexGuard<'_, Option<Instant>> {
        self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
