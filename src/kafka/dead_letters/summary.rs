//! What a replay has done, in numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::codec::dead_letter::{DeadLetter, LeftAlone};

/// Texts that are told apart at most. Headers are what others write, and there may be as many as letters.
const MOST_TEXTS: usize = 1000;
/// What all further ones count as.
const OTHERS: &str = "(others)";

/// How often each text came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// Counts a text.
    pub fn add(&mut self, text: &str) {
        let text = if self.0.contains_key(text) || self.0.len() < MOST_TEXTS { text } else { OTHERS };
        match self.0.get_mut(text) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(text.to_owned(), 1)),
        }
    }

    /// Each text with its number, in the order of the texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(text, count)| (text.as_str(), *count))
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a replay has done; a dry run: what it would do.
#[derive(Debug, Clone, Default)]
pub struct ReplaySummary {
    /// Letters that are meant, from the resume point to the end.
    pub matched: u64,
    /// Records that were sent.
    pub sent: u64,
    /// The letters that are meant, by code.
    pub by_code: Counts,
    /// Letters that were left alone, by reason.
    pub left_alone: BTreeMap<LeftAlone, u64>,
    /// Records that were sent, or would be, by topic.
    pub by_topic: BTreeMap<Arc<str>, u64>,
}

impl ReplaySummary {
    /// Letters that were left alone.
    pub fn skipped(&self) -> u64 {
        self.left_alone.values().sum()
    }

    /// Letters that a later replay would send.
    pub fn remaining(&self) -> u64 {
        self.matched.saturating_sub(self.sent + self.skipped())
    }

    pub(super) fn add_match(&mut self, letter: &DeadLetter) {
        self.matched += 1;
        self.by_code.add(&letter.code);
    }

    pub(super) fn add_left_alone(&mut self, why: LeftAlone) {
        *self.left_alone.entry(why).or_default() += 1;
    }

    pub(super) fn add_to_topic(&mut self, topic: &Arc<str>) {
        *self.by_topic.entry(Arc::clone(topic)).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_others_write_are_not_told_apart_without_a_bound() {
        let mut counts = Counts::default();
        (0..MOST_TEXTS + 5).for_each(|n| counts.add(&n.to_string()));
        counts.add("0");
        let of = |text| counts.iter().find(|(name, _)| *name == text).map(|(_, count)| count);
        assert_eq!((counts.iter().count(), of("0"), of(OTHERS)), (MOST_TEXTS + 1, Some(2), Some(5)));
    }
}
