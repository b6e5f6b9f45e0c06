//! What must outlive the process: outcomes that cost a provider call, and which events had one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

/// A SHA-256 that identifies an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(pub [u8; 32]);

/// A record's claim to be the one that its event is answered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The event: connector, `source` and `id`.
    pub event: Key,
    /// What the event says; the same event never says two things.
    pub input: Key,
    /// The record, for good: where it stands and when it was written. A record that is read again claims what it had.
    pub origin: String,
    /// How long the claim holds.
    pub window: Duration,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// The event is this record's to answer: nobody claimed it within the window, or this record did.
    Granted,
    /// Another record with the same input claimed it before.
    Repeat,
    /// Another record with another input claimed it before.
    Conflict,
}

/// A durable store that several processes share. Its calls wait while the store is away, however long; dropping a call
/// gives it up.
pub trait Journal: Send + Sync {
    /// The outcome remembered under `key`.
    fn recall(&self, key: Key) -> BoxFuture<'_, Option<Bytes>>;
    /// Remembers an outcome; it is durable when this returns. One that is there already stays.
    fn record(&self, key: Key, outcome: Bytes) -> BoxFuture<'_, ()>;
    /// Decides about claims, in their order and each atomically.
    fn claim(&self, claims: Vec<Claim>) -> BoxFuture<'_, Vec<Claimed>>;
    /// Why the store is away. Answers from memory, at once.
    fn problem(&self) -> Option<String>;
}

/// A journal that ends with the process and forgets nothing before.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    outcomes: Mutex<HashMap<Key, Bytes>>,
    claims: Mutex<HashMap<Key, (Key, String)>>,
}

impl MemoryJournal {
    fn decide(&self, claim: Claim) -> Claimed {
        let Claim { event, input, origin, window: _ } = claim;
        let mut claims = locked(&self.claims);
        let (first_input, first_origin) = claims.entry(event).or_insert_with(|| (input, origin.clone()));
        match (*first_origin == origin, *first_input == input) {
            (true, _) => Claimed::Granted,
            (false, true) => Claimed::Repeat,
            (false, false) => Claimed::Conflict,
        }
    }
}

impl Journal for MemoryJournal {
    fn recall(&self, key: Key) -> BoxFuture<'_, Option<Bytes>> {
        ready(locked(&self.outcomes).get(&key).cloned()).boxed()
    }

    fn record(&self, key: Key, outcome: Bytes) -> BoxFuture<'_, ()> {
        locked(&self.outcomes).entry(key).or_insert(outcome);
        ready(()).boxed()
    }

    fn claim(&self, claims: Vec<Claim>) -> BoxFuture<'_, Vec<Claimed>> {
        ready(claims.into_iter().map(|claim| self.decide(claim)).collect()).boxed()
    }

    fn problem(&self) -> Option<String> {
        None
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_record_of_an_event_keeps_its_claim() {
        let journal = MemoryJournal::default();
        let claim = |input: u8, origin: &str| Claim {
            event: Key([1; 32]),
            input: Key([input; 32]),
            origin: origin.to_owned(),
            window: Duration::from_secs(1),
        };
        let claims = vec![claim(1, "a/0/1"), claim(1, "a/0/1"), claim(1, "a/0/2"), claim(2, "a/0/3")];
        let expected = [Claimed::Granted, Claimed::Granted, Claimed::Repeat, Claimed::Conflict];
        assert_eq!(journal.claim(claims).await, expected);
    }

    #[tokio::test]
    async fn an_outcome_that_is_there_stays() {
        let journal = MemoryJournal::default();
        assert_eq!(journal.recall(Key([1; 32])).await, None);
        journal.record(Key([1; 32]), Bytes::from_static(b"first")).await;
        journal.record(Key([1; 32]), Bytes::from_static(b"second")).await;
        assert_eq!(journal.recall(Key([1; 32])).await, Some(Bytes::from_static(b"first")));
    }
}
