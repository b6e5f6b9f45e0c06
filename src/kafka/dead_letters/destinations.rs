//! What becomes of letters that are sent again, and where that goes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::codec::dead_letter::{DeadLetter, LeftAlone};
use crate::domain::record::Outgoing;

/// Records of a transaction at most: few enough for a slow cluster to take them before it ends.
const MOST: usize = 500;

/// A letter that is sent again.
#[derive(Debug)]
pub struct Chosen {
    /// The topic that was said for it.
    pub topic: Arc<str>,
    /// The letter.
    pub letter: DeadLetter,
}

/// What becomes of letters that are sent again.
pub trait Resend {
    /// The topic that a letter's record goes to, if all goes well.
    ///
    /// # Errors
    /// Why it must not be sent.
    fn topic(&self, letter: &DeadLetter) -> Result<Arc<str>, LeftAlone>;

    /// Letters that are taken together at most.
    fn most(&self) -> usize;

    /// What is published of each letter, in their order, and where.
    fn publish(&mut self, letters: Vec<Chosen>) -> Vec<(Arc<str>, Outgoing)>;
}

/// Records go to the topics that they came from, or all to one topic.
#[derive(Debug, Clone, Default)]
pub struct Destinations {
    /// The topic for all.
    pub to: Option<Arc<str>>,
    /// The topics that each connector reads. What a header says is not sent elsewhere: whoever writes to a dead-letter
    /// topic does not choose among all topics of the cluster.
    pub sources: BTreeMap<String, BTreeSet<Arc<str>>>,
}

impl Resend for Destinations {
    fn topic(&self, letter: &DeadLetter) -> Result<Arc<str>, LeftAlone> {
        if let Some(topic) = &self.to {
            return Ok(Arc::clone(topic));
        }
        let sources = self.sources.get(&letter.connector);
        let topic = sources.and_then(|topics| topics.get(&letter.source.position.topic));
        topic.cloned().ok_or(LeftAlone::UnknownTopic)
    }

    fn most(&self) -> usize {
        MOST
    }

    fn publish(&mut self, letters: Vec<Chosen>) -> Vec<(Arc<str>, Outgoing)> {
        letters.into_iter().map(|Chosen { topic, letter }| (topic, letter.replayed())).collect()
    }
}
