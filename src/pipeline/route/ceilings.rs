//! Our own ceilings: calls at once, calls a minute, tokens a minute.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::settings::Ceilings;

const MINUTE: f64 = 60.0;

/// A bucket that holds at most a tenth of a minute's supply, so that a minute never sees much more than its ceiling,
/// and is refilled evenly.
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    capacity: f64,
    level: f64,
    filled_at: Instant,
}

impl Bucket {
    fn new(per_minute: u32) -> Self {
        let capacity = (f64::from(per_minute) / 10.0).max(1.0);
        Self { per_second: f64::from(per_minute) / MINUTE, capacity, level: capacity, filled_at: Instant::now() }
    }

    /// When `amount` may be taken; `None` is now. What is larger than the bucket waits for a full one, and is owed
    /// after.
    fn ready_at(&mut self, amount: f64) -> Option<Instant> {
        let now = Instant::now();
        self.level = (self.level + (now - self.filled_at).as_secs_f64() * self.per_second).min(self.capacity);
        self.filled_at = now;
        let missing = amount.min(self.capacity) - self.level;
        (missing > 1e-9).then(|| now + Duration::from_secs_f64(missing / self.per_second))
    }
}

#[derive(Debug)]
struct State {
    in_flight: u32,
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
}

/// Keeps one provider's ceilings.
#[derive(Debug)]
pub(super) struct Limiter {
    concurrency: Option<u32>,
    state: Mutex<State>,
}

/// Why there is no room now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// Until a call under way ends.
    Calls,
    /// Until this time.
    Until(Instant),
}

impl Limiter {
    pub(super) fn new(ceilings: Ceilings) -> Self {
        let state = State {
            in_flight: 0,
            requests: ceilings.requests_per_minute.map(Bucket::new),
            tokens: ceilings.tokens_per_minute.map(Bucket::new),
        };
        Self { concurrency: ceilings.concurrency, state: Mutex::new(state) }
    }

    /// Takes room for one call of some `tokens`.
    pub(super) fn enter(&self, tokens: u64) -> Result<(), Full> {
        let mut state = self.state();
        if self.concurrency.is_some_and(|ceiling| state.in_flight >= ceiling) {
            return Err(Full::Calls);
        }
        let tokens = as_f64(tokens);
        let State { requests, tokens: token_bucket, .. } = &mut *state;
        let requests_at = requests.as_mut().and_then(|bucket| bucket.ready_at(1.0));
        let tokens_at = token_bucket.as_mut().and_then(|bucket| bucket.ready_at(tokens));
        if let Some(at) = requests_at.max(tokens_at) {
            return Err(Full::Until(at));
        }
        requests.iter_mut().for_each(|bucket| bucket.level -= 1.0);
        token_bucket.iter_mut().for_each(|bucket| bucket.level -= tokens);
        state.in_flight += 1;
        Ok(())
    }

    /// Gives the room back. `used` replaces the tokens that were `taken` by estimate, where they are known.
    pub(super) fn leave(&self, taken: u64, used: Option<u64>) {
        let mut state = self.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        if let (Some(used), Some(bucket)) = (used, &mut state.tokens) {
            bucket.level = (bucket.level + as_f64(taken) - as_f64(used)).min(bucket.capacity);
        }
    }

    /// Calls under way.
    pub(super) fn in_flight(&self) -> u32 {
        self.state().in_flight
    }

    /// How busy it is: calls under way, by the ceiling if there is one.
    pub(super) fn load(&self) -> f64 {
        let in_flight = f64::from(self.in_flight());
        self.concurrency.map_or(in_flight, |ceiling| in_flight / f64::from(ceiling.max(1)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
fn as_f64(tokens: u64) -> f64 {
    tokens as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_at_once_than_the_ceiling() {
        let limiter = Limiter::new(Ceilings { concurrency: Some(2), ..Ceilings::default() });
        assert_eq!((limiter.enter(1), limiter.enter(1), limiter.enter(1)), (Ok(()), Ok(()), Err(Full::Calls)));
        limiter.leave(1, None);
        assert_eq!(limiter.enter(1), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_minute_sees_its_ceiling_of_calls_and_little_more() {
        let limiter = Limiter::new(Ceilings { requests_per_minute: Some(60), ..Ceilings::default() });
        let began_at = Instant::now();
        let mut calls = 0;
        while began_at.elapsed() < Duration::from_secs(60) {
            match limiter.enter(1) {
                Ok(()) => calls += 1,
                Err(Full::Until(at)) => tokio::time::sleep_until(at).await,
                Err(Full::Calls) => unreachable!("there is no such ceiling"),
            }
        }
        assert!((60..=66).contains(&calls), "{calls}");
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_are_taken_by_estimate_and_settled_by_use() {
        let limiter = Limiter::new(Ceilings { tokens_per_minute: Some(6000), ..Ceilings::default() });
        assert_eq!(limiter.enter(500), Ok(()));
        assert!(matches!(limiter.enter(500), Err(Full::Until(_))));
        limiter.leave(500, Some(100));
        assert_eq!(limiter.enter(500), Ok(()), "400 came back");
        limiter.leave(500, Some(2500));
        let Err(Full::Until(at)) = limiter.enter(100) else { panic!("what was used beyond the estimate is owed") };
        assert!(at - Instant::now() > Duration::from_secs(15), "{:?}", at - Instant::now());
    }
}
