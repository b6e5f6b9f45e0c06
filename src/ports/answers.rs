//! Remembered answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use crate::domain::answer::Answer;
use crate::domain::fingerprint::Fingerprint;

/// A store of answers by question. Losing an entry costs a call, never correctness, so nothing here fails.
pub trait Answers: Send + Sync {
    /// The answer, if one is remembered and has not expired. Called on the hot path: must not block.
    fn get(&self, question: &Fingerprint) -> Option<Arc<Answer>>;
    /// Remembers an answer for `ttl`.
    fn put(&self, question: Fingerprint, answer: Arc<Answer>, ttl: Duration);
}

/// Answers that processes share. Losing one costs a call, never correctness, so nothing here fails.
pub trait SharedAnswers: Send + Sync {
    /// The answer, if one is remembered, and for how long it will be. Only asked on the way to a provider; who asks
    /// does not wait long.
    fn get(&self, question: &Fingerprint) -> BoxFuture<'_, Option<(Arc<Answer>, Duration)>>;
    /// Remembers an answer for `ttl`. Must not block: what there is no room for is dropped.
    fn put(&self, question: Fingerprint, answer: Arc<Answer>, ttl: Duration);
}

/// An unbounded map without expiry.
#[derive(Debug, Default)]
pub struct FakeAnswers(Mutex<HashMap<Fingerprint, Arc<Answer>>>);

impl Answers for FakeAnswers {
    fn get(&self, question: &Fingerprint) -> Option<Arc<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(question).cloned()
    }

    fn put(&self, question: Fingerprint, answer: Arc<Answer>, _ttl: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(question, answer);
    }
}

impl SharedAnswers for FakeAnswers {
    fn get(&self, question: &Fingerprint) -> BoxFuture<'_, Option<(Arc<Answer>, Duration)>> {
        let answer = Answers::get(self, question);
        ready(answer.map(|answer| (answer, Duration::from_secs(60)))).boxed()
    }

    fn put(&self, question: Fingerprint, answer: Arc<Answer>, ttl: Duration) {
        Answers::put(self, question, answer, ttl);
    }
}
