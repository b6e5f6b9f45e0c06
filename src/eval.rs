//! Quality, measured on labels: events whose right answers are known.
//!
//! - [`labels`]: events with the fields of a right answer, and what is wrong with a file of them;
//! - [`fields`]: what the schema says of each field, [`x_eval`] by that keyword; [`metric`]: how two values compare;
//! - [`verdict`]: an answer held against its label, field by field; `prepared`: what both are compared by, found
//!   out once; `pairing`: which items of two lists belong together; [`outcome`]: what a variant made of a label;
//! - [`states`]: how often values were right, by their evidence; [`source`]: the texts in which they stand;
//! - [`interval`], [`significance`]: how much of a number may be chance;
//! - [`summary`]: a variant in numbers; [`comparison`]: two variants on the same labels; [`confusion`]: which value of
//!   an enum was taken for which; [`calibration`]: how often each field was right, for results to tell;
//! - [`report`]: all of it as JSON, Markdown and HTML.
//!
//! Nothing here asks a model, reads a file or knows the time.

pub mod calibration;
pub mod comparison;
pub mod confusion;
pub mod fields;
pub mod interval;
pub mod labels;
pub mod metric;
pub mod outcome;
mod pairing;
mod prepared;
pub mod report;
pub mod significance;
pub mod source;
pub mod states;
pub mod summary;
pub mod verdict;
pub mod x_eval;

#[cfg(test)]
mod testing;
