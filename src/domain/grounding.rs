//! What one answer has to do with the text of one record.

use std::sync::{Arc, OnceLock};

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
    /// The JSON Pointers of values that were not found and without which there is to be no result.
    pub refused: Vec<Arc<str>>,
    /// The evidence as results carry it, written when the first of them needs it.
    pub written: OnceLock<Bytes>,
}

/// The texts of a record, and what to do about values that they do not have, as a hash that is good within this process
/// only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextsHash(pub u64);

/// The grounding of a remembered answer for the texts that it was first given for. Records share an answer when their
/// prompts differ in white space only (and letter case, where that is configured), and then the places differ; most of
/// them have the very same texts.
#[derive(Debug, Clone, Default)]
pub struct RememberedGrounding(OnceLock<(TextsHash, Arc<Grounding>)>);

impl RememberedGrounding {
    /// The grounding for these texts: the one that is remembered, or what `find` finds out.
    pub fn get_or_find(&self, texts: TextsHash, find: impl FnOnce() -> Grounding) -> Arc<Grounding> {
        match self.0.get() {
            Some((remembered, grounding)) if *remembered == texts => Arc::clone(grounding),
            Some(_) => Arc::new(find()),
            None => {
                let grounding = Arc::new(find());
                // Whoever was faster is remembered.
                drop(self.0.set((texts, Arc::clone(&grounding))));
                grounding
            }
        }
    }

    /// What is remembered.
    pub fn get(&self) -> Option<&Grounding> {
        self.0.get().map(|(_, grounding)| &**grounding)
    }
}

/// It says nothing about the answer: two processes that were given the same have the same answer.
impl PartialEq for RememberedGrounding {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}
