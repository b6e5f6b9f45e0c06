//! Finds the values of an answer in the text that they were taken from: which part of the input says what each field
//! says. Nothing is guessed: a place is right, or it is not given.
//!
//! [`Locator`] is made once for a schema, and searches any number of answers. Each value is looked for as it is, and
//! only then in the other writings of its type; the best that any source has counts.
//!
//! - [`schema_plan`]: which places of an answer hold quotations;
//! - [`leaves`]: the values of an answer in their order, and the properties that it leaves out;
//! - [`search`]: one value, stage by stage, in one source after the other; [`place`]: what a stage finds;
//! - [`quoted`]: one value in the places that a model quotes for it;
//! - [`source_text`]: a source, and what is computed of it once; [`budget`]: what one search may cost;
//! - [`exact`]: values as they are written; [`boundaries`], [`whole_value`]: where a token or a value begins and ends;
//!   [`standing`]: whether it stands for itself there;
//! - [`whole_number`]: whether digits are a number or a part of something longer: [`number_pair`], [`digit_groups`];
//! - [`folded_text`], [`squeezed_text`]: a text without case and typography, and without anything but letters and
//!   digits; [`digits`]: decimal digits of all scripts;
//! - [`other_writings`]: what else a value may be: [`dates`] with [`months`], [`times`], [`moments`], [`phones`],
//!   [`identifiers`], [`web_addresses`], [`amounts`] with [`currencies`];
//! - [`numbers`]: the numbers of a text by their value; [`numerals`]: how they are found, [`number_reading`]: what their
//!   digits are worth, [`number_context`]: what stands beside them;
//! - [`byte_search`]: looking for bytes fast; [`pattern`]: how the program's own regular expressions are compiled.

mod amounts;
mod boundaries;
mod budget;
mod byte_search;
pub(crate) mod currencies;
mod dates;
mod digit_groups;
pub(crate) mod digits;
mod exact;
mod folded_text;
mod identifiers;
mod leaves;
mod moments;
pub(crate) mod months;
mod number_context;
mod number_pair;
mod number_reading;
mod numbers;
mod numerals;
mod other_writings;
pub(crate) mod pattern;
mod phones;
mod place;
mod quoted;
mod schema_plan;
mod search;
mod source_text;
mod squeezed_text;
mod standing;
mod times;
mod web_addresses;
mod whole_number;
mod whole_value;

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::evidence::Evidence;
use crate::domain::quotes::FieldQuotes;

use leaves::Leaves;
use quoted::Quotes;
use schema_plan::Plan;
use search::Search;

/// A text of the record that values may stand in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<'a> {
    /// Its name: a JSON Pointer into the record's data (`/body`), or `key`, `event/subject`, `headers/NAME`.
    pub pointer: Cow<'a, str>,
    /// The text.
    pub text: Cow<'a, str>,
}

/// Finds the values of answers to one schema.
#[derive(Debug)]
pub struct Locator {
    plan: Plan,
}

impl Locator {
    /// Reads what the schema says of each place: type, format, pattern, enum, `maxLength`, and `x-evidence`, which may be
    /// `locate`, `quote` or `judged` where the guess from the others would be wrong.
    pub fn new(schema: &Value) -> Self {
        Self { plan: Plan::new(schema) }
    }

    /// What the schema says, by `x-on-ungrounded`, is to be done about a value that the sources do not have.
    pub fn on_ungrounded(&self, pointer: &str) -> Option<&str> {
        self.plan.on_ungrounded(pointer)
    }

    /// Looks for each value of `data` in the sources, in bounded time for any input.
    ///
    /// Entries have the order of `data`; after the members of an object come the properties that it leaves out. Spans
    /// are those of the first source that has the value in the best writing, eight at most; where a quote has the value,
    /// those within the quote.
    pub fn locate(&self, sources: &[Source<'_>], data: &Value, quotes: &[FieldQuotes]) -> Evidence {
        Leaves::new(&self.plan, Search::new(sources), Quotes::new(quotes)).evidence(data)
    }

    /// The fields that the schema wants quotes for (`x-evidence: quote`), as JSON Pointers with `*` for any index or
    /// name.
    pub fn quoted_fields(&self) -> Vec<String> {
        self.plan.quoted_fields()
    }
}

#[cfg(test)]
mod tests;
