//! Remembered answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::answer::Answer;
use crate::domain::fingerprint::Fingerprint;

/// A store of answers by question. Losing an entry costs a call, never correctness, so nothing here fails.
pub trait Answers: Send + Sync {
    /// The answer, if one is remembered and has not expired. Called on the hot path: must not block.
    fn get(&self, question: &Fingerprint) -> Option<Arc<Answer>>;
    /// Remembers an answer for `ttl`.
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
