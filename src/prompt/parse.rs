//! A model's answer as JSON. Models are asked for bare JSON and mostly obey; the rest comes after reasoning, fenced,
//! within prose, beside an example or the schema, or with a slip. All objects that may be the answer are found; which
//! of them it is is for the schema to say. What cannot be read without guessing is refused.
//!
//! - `reader`: the walk over a text, from one bracket to the next
//! - `first_name`: what an object that cannot be read begins with
//! - `reasoning`: where reasoning begins and ends, by the marks that models use
//! - `scan`: how far brackets reach
//! - `strict`: JSON without the liberties that parsers take
//! - `mend`: slips that leave no doubt
//! - `repetition`: whether an answer that was cut had run away
//! - `value_places`: where the values of an object stand in its text

mod first_name;
mod mend;
mod reader;
mod reasoning;
mod repetition;
mod scan;
mod strict;
mod value_places;

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use crate::domain::failure::{Code, Failure};
use reader::Reader;
pub use repetition::is_runaway;
pub use value_places::value_places;

/// Longest answer that is looked at. Providers' token limits keep real answers far below.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// What an answer's text holds.
#[derive(Debug, Default)]
pub struct Reading {
    /// The JSON objects that may be the answer, in the order of the text, equal ones once.
    pub candidates: Vec<Candidate>,
    /// What looks like such an object and cannot be read.
    pub unreadable: u32,
    /// The names with which such objects begin, and where in the text the last of each does.
    unreadable_at: HashMap<String, usize>,
    /// Whether reasoning was left out.
    pub has_reasoning: bool,
    /// Where in the text what comes after the last reasoning begins.
    pub answer_at: usize,
    /// Whether the text ends within an object.
    pub is_cut: bool,
    /// Why the last of what looks like an object cannot be read: [`Code::AnswerTruncated`] if it does not end,
    /// [`Code::AnswerNotJson`] if it is malformed or there is none, [`Code::AnswerInvalid`] if it is JSON that must not
    /// be used: not an object, a name twice in one object, a number out of range, or nested too deep. The detail never
    /// quotes the answer, except for the names on the way to the fault.
    pub failure: Option<Failure>,
}

impl Reading {
    /// Whether the answer is all there, even if the provider says that the text was cut: a whole object ends it, or
    /// begins it, if need be after one line that announces it. One in the midst of prose may be a thought on the way to
    /// another.
    pub fn is_whole(&self) -> bool {
        !self.is_cut && self.candidates.iter().any(|candidate| candidate.is_at_edge)
    }

    /// Whether something stands after this candidate that begins with one of its names and cannot be read: it may be
    /// the answer that the model came to.
    pub fn is_in_doubt(&self, candidate: &Candidate) -> bool {
        let last = candidate.places.last().map_or(0, |place| place.start);
        let mut names = candidate.value.as_object().into_iter().flat_map(|members| members.keys());
        names.any(|name| self.unreadable_at.get(name).is_some_and(|at| *at > last))
    }
}

/// A JSON object in an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The object.
    pub value: Value,
    /// How it was found.
    pub form: Form,
    /// Where it stands in the text, each time.
    pub places: Vec<Range<usize>>,
    /// Whether it begins or ends the answer, apart from reasoning, a fence, and a line that announces it.
    is_at_edge: bool,
}

/// How JSON was found in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The answer is JSON and nothing else.
    Bare,
    /// In a Markdown code fence.
    Fenced,
    /// Within prose.
    Embedded,
    /// After a slip was mended, or one closing bracket was added.
    Repaired,
}

/// Finds and parses the JSON objects in an answer.
pub fn parse_answer(text: &str) -> Reading {
    if text.len() > MAX_ANSWER_BYTES {
        let detail = format!("the answer is {} bytes long and at most {MAX_ANSWER_BYTES} are read", text.len());
        return Reading { failure: Some(Failure::new(Code::AnswerInvalid, detail)), ..Reading::default() };
    }
    let trimmed = text.trim_start_matches(is_blank);
    let mut reading = Reader::new(trimmed.trim_end_matches(is_blank)).read();
    let trimmed_off = text.len() - trimmed.len();
    reading.answer_at += trimmed_off;
    reading.unreadable_at.values_mut().for_each(|at| *at += trimmed_off);
    for place in reading.candidates.iter_mut().flat_map(|candidate| &mut candidate.places) {
        *place = place.start + trimmed_off..place.end + trimmed_off;
    }
    reading
}

fn is_blank(char: char) -> bool {
    char.is_whitespace() || char == '\u{FEFF}'
}

#[cfg(test)]
mod tests;
