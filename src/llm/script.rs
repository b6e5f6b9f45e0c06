//! Answers that are written beforehand, and given in place of a model's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Texts that models say, one a call, whichever provider is asked. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Script(Arc<Mutex<Calls>>);

#[derive(Debug, Default)]
struct Calls {
    left: VecDeque<String>,
    made: usize,
}

impl Script {
    /// These texts, in this order.
    pub fn new(texts: impl IntoIterator<Item = String>) -> Self {
        Self(Arc::new(Mutex::new(Calls { left: texts.into_iter().collect(), made: 0 })))
    }

    /// Calls that were made, those without an answer among them.
    pub fn calls(&self) -> usize {
        self.lock().made
    }

    /// The text of the next call; `None` at the end.
    pub(super) fn next(&self) -> Option<String> {
        let mut calls = self.lock();
        calls.made += 1;
        calls.left.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two are equal that are the same.
impl PartialEq for Script {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Script {}
