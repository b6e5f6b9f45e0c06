//! How many exchanges with a provider were recorded before, and how many were made.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts exchanges for all who share it.
#[derive(Debug, Clone, Default)]
pub struct ExchangeCounts(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    replayed: AtomicUsize,
    sent: AtomicUsize,
    recorded: AtomicUsize,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exchanges {
    /// Requests whose response was recorded before.
    pub replayed: usize,
    /// Requests that were sent.
    pub sent: usize,
    /// Those of them whose response is recorded now.
    pub recorded: usize,
}

impl ExchangeCounts {
    /// What was counted so far.
    pub fn get(&self) -> Exchanges {
        let Counters { replayed, sent, recorded } = &*self.0;
        let [replayed, sent, recorded] = [replayed, sent, recorded].map(|count| count.load(Ordering::Relaxed));
        Exchanges { replayed, sent, recorded }
    }

    /// A response was recorded before.
    pub(super) fn add_replayed(&self) {
        self.0.replayed.fetch_add(1, Ordering::Relaxed);
    }

    /// A request is sent.
    pub(super) fn add_sent(&self) {
        self.0.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// A response is recorded now.
    pub(super) fn add_recorded(&self) {
        self.0.recorded.fetch_add(1, Ordering::Relaxed);
    }
}

/// Two are equal that have counted the same.
impl PartialEq for ExchangeCounts {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for ExchangeCounts {}
