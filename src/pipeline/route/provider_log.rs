//! What is logged of a provider beside its breaker: that it is disabled or enabled, and calls that could not be made.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::health::Disabled;
use crate::domain::failure::{Code, Failure};
use crate::telemetry::seldom::Seldom;

/// What was said of one provider.
#[derive(Debug, Default)]
pub(super) struct ProviderLog(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    disabled: Option<Disabled>,
    changes: Seldom<Option<Disabled>>,
    codes: Seldom<Code>,
}

impl ProviderLog {
    /// Whether others are preferred now: a line when that changes.
    pub(super) fn disabled(&self, provider: &str, disabled: Option<Disabled>) {
        let mut state = self.state();
        if std::mem::replace(&mut state.disabled, disabled) == disabled {
            return;
        }
        let Some(unsaid) = state.changes.due(disabled) else { return };
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
