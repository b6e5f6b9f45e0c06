//! How sure the rules are that the values they give are the ones asked for.
//!
//! That a value stands in the text is not counted here: the pipeline finds that out for every provider. A null is no
//! value, and counts nowhere.

use super::facts::Facts;
use super::field::Field;
use super::want::{Want, want};
use crate::schema::node::Kind;

/// Languages that the rules have words of.
const SPOKEN: [&str; 4] = ["en", "de", "fr", "es"];

/// Characters from which on a text is longer than the messages that the rules were made for.
const LONG: usize = 4_000;

/// The most that an answer is worth in which something had to be made up.
const MADE_UP: f64 = 0.4;

/// What the confidence is computed from.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    points: f64,
    fields: f64,
    /// The part of the points that rests on what words mean.
    by_words: f64,
    /// Values that the schema demands and the text does not say.
    pub(super) fillers: u32,
}

impl Tally {
    /// A value that is as sure as `sure`.
    pub(super) fn found(&mut self, sure: f64, field: &Field<'_>) {
        self.points += sure;
        self.fields += 1.0;
        let by_words = matches!(field.node.kind(), Kind::Choice | Kind::Boolean)
            || matches!(
                want(field),
                Want::Summary | Want::Subject | Want::Topic | Want::Mood | Want::Level | Want::Document | Want::Product
            );
        self.by_words += if by_words { sure } else { 0.0 };
    }

    /// A value that had to be given without knowing it.
    pub(super) fn made_up(&mut self) {
        self.fillers += 1;
        self.fields += 1.0;
    }

    /// The mean, less where words are of a language that the rules do not speak or the text is long, and little where
    /// something was made up. `None` where there are no values.
    pub(super) fn confidence(self, facts: &Facts<'_>) -> Option<f64> {
        if self.fields == 0.0 {
            return None;
        }
        let language = match facts.language() {
            Some(language) if SPOKEN.contains(&language.code) => 1.0,
            Some(_) => 0.7,
            None => 0.6,
        };
        let length = if facts.raw().chars().nth(LONG).is_some() { 0.8 } else { 1.0 };
        let mean = (self.points - self.by_words * (1.0 - language)) * length / self.fields;
        let most = if self.fillers > 0 { MADE_UP } else { 1.0 };
        Some((mean.min(most) * 100.0).round() / 100.0)
    }
}
