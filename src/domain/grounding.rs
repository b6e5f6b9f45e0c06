//! What one answer has to do with the text of one record.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;

use crate::domain::evidence::Evidence;
use crate::domain::flag::Flag;

/// Where an answer's values stand in the texts of one record, and what follows from it.
#[derive(Debug, PartialEq)]
pub struct Grounding {
    /// Each value with its places.
    pub evidence: Evidence,
    /// Share of the values to be found that were found; `None` where there are none.
    pub grounded: Option<f64>,
    /// The data to publish, where null replaces values that were not found.
    pub data: Option<Bytes>,
    /// What to note about it.
    pub flags: Vec<Flag>,
    /// Whether a person should see the result first, for a value that was not found.
    pub is_for_review: bool,
    /// The JSON Pointers of values that were not found and without which there is to be no result.
    pub refused: Vec<Arc<str>>,
    /// The evidence as results carry it, written when the first of them needs it.
    pub written: OnceLock<Bytes>,
}

/// The texts of a record, and what to do about values that they do not have, as a hash that is good within this process
/// only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextsHash(pub u64);

/// What is remembered: a grounding, and the texts that it is for.
type Newest = Option<(TextsHash, Arc<Grounding>)>;

/// The newest grounding of a remembered answer. Records share an answer when their prompts differ in white space only
/// (and letter case, where that is configured), and then the places differ; most of them have the very same texts.
#[derive(Debug, Default)]
pub struct RememberedGrounding(Mutex<Newest>);

impl RememberedGrounding {
    /// The grounding for these texts: the one that is remembered, or what `find` finds out.
    pub fn get_or_find(&self, texts: TextsHash, find: impl FnOnce() -> Grounding) -> Arc<Grounding> {
        if let Some((_, grounding)) = self.newest().as_ref().filter(|(remembered, _)| *remembered == texts) {
            return Arc::clone(grounding);
        }
        let grounding = Arc::new(find());
        *self.newest() = Some((texts, Arc::clone(&grounding)));
        grounding
    }

    /// What is remembered.
    pub fn get(&self) -> Option<Arc<Grounding>> {
        self.newest().as_ref().map(|(_, grounding)| Arc::clone(grounding))
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for RememberedGrounding {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.newest().clone()))
    }
}

/// It says nothing about the answer: two processes that were given the same have the same answer.
impl PartialEq for RememberedGrounding {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}
