//! Finds the values of an answer in the text that they were taken from: which part of the input says what each field
//! says. Nothing is guessed: a place is right, or it is not given.
//!
//! [`Locator`] is made once for a schema, and searches any number of answers. Each value is looked for as it is, and
//! only then in the other writings of its type; the best that any source has counts.
//!
//! - [`schema_plan`]: which places of an answer hold quotations, and of what format;
//! - [`leaves`]: the values of an answer in their order, and the properties that it leaves out;
//! - [`search`]: one value, stage by stage, in one source after the other;
//! - [`source_text`]: a source, and what is computed of it once; [`budget`]: what one search may cost;
//! - [`exact`]: values as they are written; [`boundaries`], [`whole_value`]: where a token or a value begins and ends;
//! - [`digits`]: decimal digits of all scripts.

mod boundaries;
mod budget;
mod digits;
mod exact;
mod leaves;
mod schema_plan;
mod search;
mod source_text;
mod whole_value;

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::evidence::Evidence;

use leaves::Leaves;
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
    /// Reads what the schema says of each place: type, format, enum, `maxLength`, and `x-evidence`, which may be
    /// `locate` or `judged` where the guess from the others would be wrong.
    pub fn new(schema: &Value) -> Self {
        Self { plan: Plan::new(schema) }
    }

    /// Looks for each value of `data` in the sources, in bounded time for any input.
    ///
    /// Entries have the order of `data`; after the members of an object come the properties that it leaves out. Spans
    /// are those of the first source that has the value in the best writing, eight at most.
    pub fn locate(&self, sources: &[Source<'_>], data: &Value) -> Evidence {
        Leaves::new(&self.plan, Search::new(sources)).evidence(data)
    }
}

#[cfg(test)]
mod tests;
