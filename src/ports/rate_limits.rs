//! How many requests a key may still make.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::time::Instant;

use crate::domain::api_key::KeyId;

/// The time that limits are for.
pub const WINDOW: Duration = Duration::from_secs(3600);

/// Keys whose buckets are looked through for full ones: they say nothing.
const MANY: usize = 10_000;
/// How often they are looked through at most: each time takes as long as there are keys.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// What a key's limit says to some requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// Requests an hour.
    pub limit: u32,
    /// How many are left.
    pub remaining: u32,
    /// When all are there again, if none is made.
    pub full_in: Duration,
    /// When there will be enough, if there are not.
    pub refused_for: Option<Duration>,
}

impl Quota {
    /// What the bucket of a key that may make `limit` requests an hour says to some of them. It has so many `left` after
    /// they were taken, or all that it had if those were too few.
    pub fn of(limit: u32, wanted: u32, left: f64, is_taken: bool) -> Self {
        let size = f64::from(limit);
        let a_second = size / WINDOW.as_secs_f64();
        // A limit of none never refills, and more than the limit never fits: both wait an hour and are refused again.
        let wait = |requests: f64| Duration::try_from_secs_f64(requests / a_second).unwrap_or(WINDOW).min(WINDOW);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the limit")]
        let remaining = left as u32;
        let refused_for = (!is_taken).then(|| wait(f64::from(wanted) - left));
        Self { limit, remaining, full_in: wait(size - left), refused_for }
    }
}

/// Limits of requests by key, as token buckets: a key may use its whole limit at once, and gets it back evenly over an
/// hour.
pub trait RateLimits: Send + Sync {
    /// Takes so many requests out of the bucket of a key that may make `limit` an hour; all of them or none.
    fn take(&self, key: &KeyId, limit: u32, requests: u32) -> BoxFuture<'_, Quota>;

    /// What is left in that bucket as far as this process knows, without asking anybody.
    fn last_known(&self, key: &KeyId, limit: u32) -> Quota;

    /// Puts back requests that were taken and are not made.
    fn give_back(&self, key: &KeyId, requests: u32) -> BoxFuture<'_, ()>;
}

/// The buckets of this process.
#[derive(Debug, Default)]
pub struct MemoryRateLimits(Mutex<Buckets>);

#[derive(Debug, Default)]
struct Buckets {
    by_key: HashMap<KeyId, Bucket>,
    swept_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    requests: f64,
    at: Instant,
}

impl MemoryRateLimits {
    /// Notes how many requests are left in a bucket that is kept elsewhere: this one goes on from there.
    pub fn note(&self, key: &KeyId, requests: f64) {
        let now = Instant::now();
        self.buckets(now).by_key.insert(key.clone(), Bucket { requests, at: now });
    }

    fn take_now(&self, key: &KeyId, limit: u32, requests: u32) -> Quota {
        let now = Instant::now();
        let mut buckets = self.buckets(now);
        let bucket = buckets.by_key.entry(key.clone()).or_insert(Bucket { requests: f64::from(limit), at: now });
        bucket.take(limit, requests, now)
    }

    fn buckets(&self, now: Instant) -> MutexGuard<'_, Buckets> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.sweep(now);
        buckets
    }
}

impl RateLimits for MemoryRateLimits {
    fn take(&self, key: &KeyId, limit: u32, requests: u32) -> BoxFuture<'_, Quota> {
        ready(self.take_now(key, limit, requests)).boxed()
    }

    fn last_known(&self, key: &KeyId, limit: u32) -> Quota {
        self.take_now(key, limit, 0)
    }

    fn give_back(&self, key: &KeyId, requests: u32) -> BoxFuture<'_, ()> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.by_key.get_mut(key) {
            // What does not fit is left out when the next requests are taken.
            bucket.requests += f64::from(requests);
        }
        ready(()).boxed()
    }
}

impl Buckets {
    /// Forgets full buckets if there are many.
    fn sweep(&mut self, now: Instant) {
        let is_due = self.swept_at.is_none_or(|at| now.duration_since(at) >= SWEEP_EVERY);
        if self.by_key.len() >= MANY && is_due {
            // After an hour a bucket is full whatever its limit is.
            self.by_key.retain(|_, bucket| now.duration_since(bucket.at) < WINDOW);
            self.swept_at = Some(now);
        }
    }
}

impl Bucket {
    fn take(&mut self, limit: u32, requests: u32, now: Instant) -> Quota {
        let (size, wanted) = (f64::from(limit), f64::from(requests));
        let a_second = size / WINDOW.as_secs_f64();
        let refilled = self.requests + now.duration_since(self.at).as_secs_f64() * a_second;
        (self.requests, self.at) = (refilled.min(size), now);
        let is_taken = wanted <= self.requests;
        if is_taken {
            self.requests -= wanted;
        }
        Quota::of(limit, requests, self.requests, is_taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn take(limits: &MemoryRateLimits, key: &str, limit: u32, requests: u32) -> Quota {
        limits.take(&KeyId::parse(key).unwrap(), limit, requests).await
    }

    const A: &str = "aaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbb";

    #[tokio::test(start_paused = true)]
    async fn a_key_may_use_its_limit_at_once_and_gets_it_back_evenly() {
        let limits = MemoryRateLimits::default();
        for left in (0..60).rev() {
            let quota = take(&limits, A, 60, 1).await;
            assert_eq!((quota.remaining, quota.refused_for), (left, None));
        }
        let refused = take(&limits, A, 60, 1).await;
        assert_eq!((refused.remaining, refused.refused_for), (0, Some(Duration::from_secs(60))));
        assert_eq!(refused.full_in, WINDOW);
        assert_eq!(take(&limits, B, 60, 1).await.remaining, 59, "another key has a bucket of its own");
        tokio::time::advance(Duration::from_secs(119)).await;
        assert_eq!(take(&limits, A, 60, 1).await.refused_for, None);
        assert_eq!(take(&limits, A, 60, 1).await.refused_for, Some(Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn several_requests_are_taken_together_or_not_at_all() {
        let limits = MemoryRateLimits::default();
        assert_eq!(take(&limits, A, 10, 8).await.remaining, 2);
        assert_eq!(take(&limits, A, 10, 3).await.refused_for, Some(Duration::from_secs(360)));
        assert_eq!(take(&limits, A, 10, 2).await.refused_for, None);
        limits.give_back(&KeyId::parse(A).unwrap(), 20).await;
        assert_eq!(limits.last_known(&KeyId::parse(A).unwrap(), 10).remaining, 10, "never more than the limit");
        assert_eq!(take(&limits, A, 0, 1).await.refused_for, Some(WINDOW));
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_goes_on_from_what_was_noted_of_one_that_is_kept_elsewhere() {
        let (limits, key) = (MemoryRateLimits::default(), KeyId::parse(A).unwrap());
        limits.note(&key, 2.5);
        assert_eq!(limits.last_known(&key, 60).remaining, 2);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(take(&limits, A, 60, 3).await.refused_for, None);
        assert_eq!(take(&limits, A, 60, 1).await.refused_for, Some(Duration::from_secs(60)));
    }

    #[tokio::test(start_paused = true)]
    async fn many_buckets_are_looked_through_once_a_minute() {
        let limits = MemoryRateLimits::default();
        for n in 0..MANY {
            take(&limits, &format!("{n:011}"), 10, 1).await;
        }
        tokio::time::advance(WINDOW - SWEEP_EVERY / 2).await;
        take(&limits, A, 10, 1).await;
        tokio::time::advance(SWEEP_EVERY / 2).await;
        take(&limits, A, 10, 1).await;
        assert_eq!(limits.0.lock().unwrap().by_key.len(), MANY + 1, "looked through half a minute ago");
        tokio::time::advance(SWEEP_EVERY / 2).await;
        take(&limits, A, 10, 1).await;
        assert_eq!(limits.0.lock().unwrap().by_key.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn full_buckets_are_forgotten_when_there_are_many() {
        let limits = MemoryRateLimits::default();
        for n in 0..MANY {
            take(&limits, &format!("{n:011}"), 10, 1).await;
        }
        tokio::time::advance(WINDOW).await;
        take(&limits, A, 10, 1).await;
        assert_eq!(limits.0.lock().unwrap().by_key.len(), 1);
    }
}
