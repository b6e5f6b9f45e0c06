//! When an administrator was last noticed: who comes again soon is no news.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long an administrator who comes again is no news.
const NOTICED: Duration = Duration::from_secs(300);

/// When the admin key was last noticed.
#[derive(Debug, Default)]
pub struct AdminSeen(Mutex<Option<Duration>>);

impl AdminSeen {
    /// Whether its use now is to be noted.
    pub fn is_news(&self, now: Duration) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = last.is_none_or(|last| now.saturating_sub(last) >= NOTICED);
        if is_news {
            *last = Some(now);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_is_news_every_five_minutes() {
        let seen = AdminSeen::default();
        let is_news = |second| seen.is_news(Duration::from_secs(second));
        assert_eq!([0, 1, 299, 300, 301, 601].map(is_news), [true, false, false, true, false, true]);
    }
}
