//! When rows that are kept no longer are removed: once a minute, in parts, so that others have their turn between them.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Rows of a part: milliseconds, in which others wait.
pub(super) const ROWS_AT_ONCE: u32 = 500;
/// Time between two looks for such rows.
const EVERY: Duration = Duration::from_secs(60);
/// Time between two parts.
const PAUSE: Duration = Duration::from_millis(500);

/// The time of the next part.
pub(super) struct RemovalSchedule {
    next_at: Instant,
}

impl RemovalSchedule {
    pub(super) fn new() -> Self {
        Self { next_at: Instant::now() + EVERY }
    }

    /// Returns when a part is due.
    pub(super) async fn due(&self) {
        sleep_until(self.next_at).await;
    }

    /// A part is done, or has failed. The next one comes soon if there is more.
    pub(super) fn done(&mut self, is_more: bool) {
        self.next_at = Instant::now() + if is_more { PAUSE } else { EVERY };
    }
}
