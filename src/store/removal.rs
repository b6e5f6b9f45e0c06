//! When rows that are kept no longer are removed: once a minute, in parts, so that others have their turn between them.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::database::Database;
use super::database::columns::millis;
use crate::ports::repository::RepositoryError;

/// Rows of a part: milliseconds, in which others wait.
pub(super) const ROWS_AT_ONCE: u32 = 500;
/// Time between two looks for such rows.
const EVERY: Duration = Duration::from_secs(60);
/// Time between two parts. Short enough for thousands of rows a second, so that what expires never collects.
const PAUSE: Duration = Duration::from_millis(100);

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

/// Executes a statement that deletes at most `$2` rows from before `$1`. True if there may be more.
pub(super) async fn delete_part(
    database: &Database,
    statement: &'static str,
    before: Duration,
    limit: u32,
) -> Result<bool, RepositoryError> {
    let deleted = with_connection!(database, |connection| sqlx::query(statement)
        .bind(millis(before))
        .bind(i64::from(limit))
        .execute(connection)
        .await?
        .rows_affected());
    Ok(deleted >= u64::from(limit))
}
