//! Remembered answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use crate::domain::answer::Answer;
use crate::domain::answer_key::{AnswerKey, AnswerNames};
use crate::domain::fingerprint::Fingerprint;

/// A store of answers by question. Losing an entry costs a call, never correctness, so nothing here fails.
pub trait Answers: Send + Sync {
    /// The answer, if one is remembered and has not expired. Called on the hot path: must not block.
    fn get(&self, question: &Fingerprint) -> Option<Arc<Answer>>;
    /// The same for a question that has been looked up just now: the look-up is not counted once more.
    fn get_again(&self, question: &Fingerprint) -> Option<Arc<Answer>> {
        self.get(question)
    }
    /// Remembers an answer for `ttl`.
    fn put(&self, key: &AnswerKey, answer: Arc<Answer>, ttl: Duration);
    /// How often answers have been invalidated here.
    fn invalidations(&self) -> u64 {
        0
    }
    /// Remembers an answer that was looked for elsewhere, unless answers have been invalidated since the look-up began,
    /// when there had been `invalidations`: it may be one of them.
    fn put_unless_invalidated(&self, key: &AnswerKey, answer: Arc<Answer>, ttl: Duration, invalidations: u64) {
        if self.invalidations() == invalidations {
            self.put(key, answer, ttl);
        }
    }
}

/// Answers that processes share. Losing one costs a call, never correctness, so nothing here fails.
pub trait SharedAnswers: Send + Sync {
    /// The answer, if one is remembered, and for how long it will be. Only asked on the way to a provider; who asks
    /// does not wait long.
    fn get<'a>(&'a self, key: &'a AnswerKey) -> BoxFuture<'a, Option<(Arc<Answer>, Duration)>>;
    /// Remembers an answer for `ttl`. Must not block: what there is no room for is dropped.
    fn put(&self, key: &AnswerKey, answer: Arc<Answer>, ttl: Duration);
}

/// An unbounded map without expiry.
#[derive(Debug, Default)]
pub struct FakeAnswers(Mutex<HashMap<Fingerprint, (AnswerNames, Arc<Answer>)>>);

impl FakeAnswers {
    pub(super) fn entries(&self) -> MutexGuard<'_, HashMap<Fingerprint, (AnswerNames, Arc<Answer>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for FakeAnswers {
    fn get(&self, question: &Fingerprint) -> Option<Arc<Answer>> {
        self.entries().get(question).map(|(_, answer)| Arc::clone(answer))
    }

    fn put(&self, key: &AnswerKey, answer: Arc<Answer>, _ttl: Duration) {
        self.entries().insert(key.question, (key.names.clone(), answer));
    }
}

impl SharedAnswers for FakeAnswers {
    fn get<'a>(&'a self, key: &'a AnswerKey) -> BoxFuture<'a, Option<(Arc<Answer>, Duration)>> {
        let answer = Answers::get(self, &key.question);
        ready(answer.map(|answer| (answer, Duration::from_secs(60)))).boxed()
    }

    fn put(&self, key: &AnswerKey, answer: Arc<Answer>, ttl: Duration) {
        Answers::put(self, key, answer, ttl);
    }
}
