//! What is logged of a provider beside its breaker: that it is disabled or enabled, and calls that could not be made.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::health::Disabled;
use crate::domain::failure::{Code, Failure};
use crate::telemetry::log_throttle::LogThrottle;

/// Shortest time between two lines that say the same.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What was said of one provider.
#[derive(Debug, Default)]
pub(super) struct ProviderLog(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    disabled: Option<Disabled>,
    /// What the last line said.
    said: Option<Disabled>,
    /// When each state was said last.
    said_at: HashMap<Option<Disabled>, Instant>,
    /// Changes since the last line.
    unsaid: u64,
    codes: LogThrottle<Code>,
}

impl ProviderLog {
    /// Whether others are preferred now: a line when it is not what was said last, and the same was not said just now.
    pub(super) fn disabled(&self, provider: &str, disabled: Option<Disabled>) {
        let mut state = self.state();
        let has_changed = std::mem::replace(&mut state.disabled, disabled) != disabled;
        let now = Instant::now();
        let is_soon = state.said_at.get(&disabled).is_some_and(|said_at| now < *said_at + SAY_AGAIN_AFTER);
        if state.said == disabled || is_soon {
            state.unsaid += u64::from(has_changed);
            return;
        }
        state.said = disabled;
        state.said_at.insert(disabled, now);
        let unsaid = std::mem::take(&mut state.unsaid);
        match disabled {
            Some(why) => {
                let reason = why.reason();
                tracing::warn!(provider, reason, unsaid, "the provider is asked only when no other can be");
            }
            None => tracing::info!(provider, unsaid, "the provider is asked like the others again"),
        }
    }

    /// A call that this process could not make.
    pub(super) fn not_called(&self, provider: &str, failure: &Failure) {
        let Failure { code, detail, .. } = failure;
        if let Some(unsaid) = self.state().codes.due(*code) {
            tracing::error!(provider, %code, detail, unsaid, "a call could not be made");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
