//! A log line about something that happens often, at most once a minute.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Time between two log lines about the same thing.
const INTERVAL: Duration = Duration::from_secs(60);

/// Lets each kind of event through once a minute, and counts what it held back.
#[derive(Debug)]
pub struct LogThrottle<K> {
    said: HashMap<K, Said>,
}

#[derive(Debug)]
struct Said {
    at: Instant,
    held_back: u64,
}

impl<K> Default for LogThrottle<K> {
    fn default() -> Self {
        Self { said: HashMap::new() }
    }
}

impl<K: Eq + Hash> LogThrottle<K> {
    /// How many were held back since the last time, if it is time to say it again. `kind` must come from a small set.
    pub fn due(&mut self, kind: K) -> Option<u64> {
        let now = Instant::now();
        match self.said.get_mut(&kind) {
            Some(said) if now.duration_since(said.at) < INTERVAL => {
                said.held_back += 1;
                None
            }
            Some(said) => {
                said.at = now;
                Some(std::mem::take(&mut said.held_back))
            }
            None => {
                self.said.insert(kind, Said { at: now, held_back: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_said_once_and_then_counted() {
        let mut throttle = LogThrottle::default();
        assert_eq!(
            [throttle.due("a"), throttle.due("a"), throttle.due("b"), throttle.due("a")],
            [Some(0), None, Some(0), None]
        );
        if let Some(said) = throttle.said.get_mut("a") {
            said.at = said.at.checked_sub(INTERVAL).expect("a minute ago");
        }
        assert_eq!(throttle.due("a"), Some(2));
    }
}
