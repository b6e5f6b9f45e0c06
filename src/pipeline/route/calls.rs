//! The calls to one provider: how many were made, and how long the open ones have lasted.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::failure::Failure;

/// Calls since the start of the process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallCounts {
    /// Calls that were begun.
    pub begun: u64,
    /// Calls that were answered, whatever the answer was worth.
    pub answered: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Why the last one did.
    pub last_failure: Option<Failure>,
    /// For how long the oldest open call has been waited for.
    pub oldest_open: Option<Duration>,
}

#[derive(Debug, Default)]
struct State {
    counts: CallCounts,
    /// Since when each open call has been open, by its number.
    open: BTreeMap<u64, Instant>,
}

/// Counts one provider's calls.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<State>);

/// A call that is under way. Dropped without an outcome it was given up.
pub(super) struct OpenCall<'a> {
    calls: &'a Calls,
    number: u64,
}

impl Calls {
    pub(super) fn begin(&self) -> OpenCall<'_> {
        let mut state = self.state();
        state.counts.begun += 1;
        let number = state.counts.begun;
        state.open.insert(number, Instant::now());
        OpenCall { calls: self, number }
    }

    pub(super) fn counts(&self) -> CallCounts {
        let state = self.state();
        // Numbers rise with time, so the first is the oldest.
        let oldest_open = state.open.first_key_value().map(|(_, began_at)| began_at.elapsed());
        CallCounts { oldest_open, ..state.counts.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenCall<'_> {
    /// The call has ended: with an answer, or with this failure.
    pub(super) fn end(self, failure: Option<&Failure>) {
        let mut state = self.calls.state();
        match failure {
            None => state.counts.answered += 1,
            Some(failure) => {
                state.counts.failed += 1;
                state.counts.last_failure = Some(failure.clone());
            }
        }
    }
}

impl Drop for OpenCall<'_> {
    fn drop(&mut self) {
        self.calls.state().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Code;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_open_call_is_known_and_one_that_is_given_up_is_not_open() {
        let calls = Calls::default();
        assert_eq!(calls.counts(), CallCounts::default());
        let first = calls.begin();
        tokio::time::advance(Duration::from_secs(3)).await;
        let second = calls.begin();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(calls.counts().oldest_open, Some(Duration::from_secs(5)));
        drop(first);
        assert_eq!(calls.counts().oldest_open, Some(Duration::from_secs(2)));
        second.end(None);
        calls.begin().end(Some(&Failure::new(Code::ProviderTimeout, "nothing came")));
        let CallCounts { begun, answered, failed, last_failure, oldest_open } = calls.counts();
        assert_eq!((begun, answered, failed, oldest_open), (3, 1, 1, None));
        assert_eq!(last_failure.map(|failure| failure.code), Some(Code::ProviderTimeout));
    }
}
