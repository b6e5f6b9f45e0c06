//! Who waits, and until when, for health.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;

/// Questions that wait for a ceiling of one provider.
#[derive(Debug, Default)]
pub(super) struct Waiters(AtomicU32);

/// One of them, as long as it lives.
pub(super) struct Waiting<'a>(&'a AtomicU32);

impl Waiters {
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.0)
    }

    pub(super) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// When a provider, or a budget, is asked again, in words.
pub fn asked_again(until: Instant) -> String {
    match until.saturating_duration_since(Instant::now()).as_secs_f64().ceil() {
        0.0 => "it is being tried out".to_owned(),
        seconds => format!("it is asked again in {seconds} s"),
    }
}
