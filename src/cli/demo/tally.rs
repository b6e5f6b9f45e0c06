//! Counts the records that are finished, so that it is known when to look at the topics. What is reported is counted
//! there.

use crate::delivery::outcome::{Observer, RecordOutcome};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    finished: usize,
    began_at: Option<Instant>,
    ended_at: Option<Instant>,
}

impl Tally {
    /// Records that are finished.
    pub(super) fn count(&self) -> usize {
        self.state().finished
    }

    /// From the first receipt to the last acknowledgement.
    pub(super) fn duration(&self) -> Duration {
        let State { began_at, ended_at, .. } = *self.state();
        began_at.zip(ended_at).map_or(Duration::ZERO, |(began_at, ended_at)| ended_at - began_at)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Tally {
    fn closed(&self, _outcome: &RecordOutcome, took: Duration) {
        let now = Instant::now();
        let began_at = now.checked_sub(took).unwrap_or(now);
        let mut state = self.state();
        state.finished += 1;
        state.began_at = Some(state.began_at.map_or(began_at, |first| first.min(began_at)));
        state.ended_at = Some(now);
    }

    fn skipped(&self) {
        self.state().finished += 1;
    }
}
