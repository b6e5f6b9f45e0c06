//! Prompts of a batch that are asked as one.

use std::sync::{Arc, Weak};

use crate::domain::attempt::Attempt;
use crate::http::request_log::record::PromptRecord;
use crate::ports::request_observer::RequestObserver;

/// Follows them until nobody works on them any more.
#[derive(Debug)]
pub(super) struct EqualPrompts {
    /// The one that is asked, and paid for.
    first: Arc<PromptRecord>,
    /// The others, for as long as their client waits.
    others: Vec<Weak<PromptRecord>>,
}

impl EqualPrompts {
    /// The observer of the prompt `first`, and of all that have it as their leader.
    pub(super) fn observer(
        records: &[Arc<PromptRecord>],
        leaders: &[usize],
        first: usize,
    ) -> Option<Arc<dyn RequestObserver>> {
        let equal = records.iter().zip(leaders).enumerate();
        let others = equal.filter(|(index, (_, leader))| **leader == first && *index != first);
        let others: Vec<_> = others.map(|(_, (record, _))| Arc::downgrade(record)).collect();
        Some(Arc::new(Self { first: Arc::clone(records.get(first)?), others }))
    }
}

impl RequestObserver for EqualPrompts {
    /// Each of them is as suspicious as the first.
    fn suspicious(&self, reason: &str, is_refused: bool) {
        self.first.suspicious(reason, is_refused);
        for other in self.others.iter().filter_map(Weak::upgrade) {
            other.suspicious(reason, is_refused);
        }
    }

    fn attempted(&self, attempt: &Attempt) {
        self.first.attempted(attempt);
    }
}
