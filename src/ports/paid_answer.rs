//! An answer that was paid for, kept while its record still waits for something else.

use futures_util::future::BoxFuture;

use crate::domain::answer::Answer;

/// The place for the answer to one question of one record, in a durable store. Its calls wait while the store is away,
/// however long.
pub trait PaidAnswer: Send + Sync {
    /// The answer that was kept, also by a process that has ended since.
    fn recall(&self) -> BoxFuture<'_, Option<Answer>>;
    /// Keeps an answer; it is durable when this returns.
    fn keep<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, ()>;
}
