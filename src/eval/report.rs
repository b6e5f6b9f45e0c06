//! What an evaluation found, for programs and for people.
//!
//! - [`json`]: everything, label by label; a later run reads it as its baseline;
//! - [`markdown`]: the numbers; [`html`]: one page with plots, and with the places of values in their texts;
//! - `overview`: the variants side by side, as both have them; `words`: shares as people read them.

pub mod html;
pub mod json;
pub mod markdown;
mod overview;
mod words;

use super::comparison::{Comparison, Scores};
use super::confusion::{self, Confusion};
use super::fields::Field;
use super::labels::Label;
use super::outcome::Run;
use super::summary::Summary;

pub use self::words::shown as shown_share;

/// What an evaluation found.
#[derive(Debug)]
pub struct Report<'a> {
    /// The connector.
    pub connector: &'a str,
    /// The fields that were compared.
    pub fields: &'a [Field],
    /// The labels.
    pub labels: &'a [Label],
    /// The variants; the others are compared with the first one.
    pub variants: Vec<Variant<'a>>,
    /// Each of the other variants compared with the first one.
    pub comparisons: Vec<Comparison>,
    /// Variants compared with those of the same name in an earlier run.
    pub with_baseline: Vec<Comparison>,
}

/// A variant with all that was counted.
#[derive(Debug)]
pub struct Variant<'a> {
    /// What it made of the labels.
    pub run: &'a Run,
    /// The same in numbers.
    pub summary: Summary,
    /// Its scores, for comparisons.
    pub scores: Scores,
    /// Which value of each enum was taken for which.
    pub confusion: Vec<Confusion>,
}

impl<'a> Report<'a> {
    /// That of these runs.
    pub fn new(connector: &'a str, fields: &'a [Field], labels: &'a [Label], runs: &'a [Run]) -> Self {
        let variants = runs.iter().map(|run| Variant {
            run,
            summary: Summary::of(run, fields, labels),
            scores: Scores::of(run, fields, labels),
            confusion: confusion::tables(fields, run.rows(labels)),
        });
        let variants: Vec<Variant<'a>> = variants.collect();
        let comparisons = match variants.split_first() {
            Some((base, others)) => others.iter().map(|other| Comparison::of(&base.scores, &other.scores)).collect(),
            None => Vec::new(),
        };
        Self { connector, fields, labels, variants, comparisons, with_baseline: Vec::new() }
    }

    /// The same with its variants compared with those of the same name in an earlier run.
    #[must_use]
    pub fn with_baseline(self, earlier: &[Scores]) -> Self {
        let pairs = self.variants.iter().filter_map(|variant| {
            let base = earlier.iter().find(|scores| scores.name == variant.scores.name)?;
            Some(Comparison::of(base, &variant.scores))
        });
        let with_baseline = pairs.collect();
        Self { with_baseline, ..self }
    }
}

#[cfg(test)]
mod tests;
