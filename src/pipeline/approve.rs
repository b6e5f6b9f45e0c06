//! Approve: is this reply an answer, and which of its objects is it? Parsed leniently, validated strictly.

mod logprobs;
mod quotes;
pub(super) mod remembered;

use std::ops::Range;

use serde_json::Value;

use crate::domain::attempt::PassedOver;
use crate::domain::failure::{Code, Failure};
use crate::domain::logprobs::ValueLogprob;
use crate::domain::quotes::FieldQuotes;
use crate::domain::violation::Violation;
use crate::ports::model::{Finish, Reply};
use crate::prompt::parse::{Form, Reading, is_runaway, parse_answer};
use crate::schema::Schema;

/// What a reply is held against.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The schema of the data.
    pub schema: &'a Schema,
    /// Whether any object will do.
    pub bypass_validation: bool,
    /// Whether the model was asked for quotes beside the data.
    pub has_quotes: bool,
}

/// A reply whose data is valid.
#[derive(Debug, PartialEq)]
pub struct Approved {
    /// The object.
    pub data: Value,
    /// What the model quotes for its values.
    pub quotes: Vec<FieldQuotes>,
    /// How likely its values were to the model, where the provider tells it.
    pub logprobs: Vec<ValueLogprob>,
    /// How it stood in the reply.
    pub form: Form,
    /// What stood beside it.
    pub passed_over: PassedOver,
}

/// A reply that is no answer.
#[derive(Debug)]
pub struct Disapproved {
    /// What it is if nothing better comes.
    pub failure: Failure,
    /// What may lead to an answer.
    pub remedy: Remedy,
    /// The object that was found wanting, if one was.
    pub data: Option<Value>,
    /// What stood beside it.
    pub passed_over: PassedOver,
}

/// What may lead to an answer after a reply that is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing.
    None,
    /// A higher limit of tokens.
    Lengthen,
    /// Another model: this one ran away, and would do so up to any limit.
    AskAnother,
    /// To tell the model what was wrong.
    Correct(Rejected),
}

/// An answer that was found wanting.
#[derive(Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What the model said, without its reasoning: that is long, and models are not to be shown their own.
    pub answer: String,
    /// What is wrong with it, one error a line.
    pub errors: String,
}

/// Parses and validates a reply. Each object in it that may be the answer is held against the schema: the one that is
/// valid is the answer. Several different valid ones are none, for nobody knows which one the model means. If none is
/// valid, the model is told the errors of the one with the fewest, the last of equals. Where validation is bypassed
/// every object is valid.
///
/// # Errors
/// [`Disapproved`], with what may help.
pub fn approve(expected: Expected<'_>, reply: &Reply) -> Result<Approved, Box<Disapproved>> {
    if reply.finish == Finish::Refused {
        let detail = "the provider declined to answer, or a content filter of it did; the prompt needs a person's eyes";
        return Err(disapproved(Code::ProviderRefused, detail.to_owned(), Remedy::None, PassedOver::default()));
    }
    let reading = parse_answer(&reply.text);
    if reply.finish == Finish::Truncated && !reading.is_whole() {
        return Err(truncated(reply, &reading));
    }
    let (passed_over, answer_at) = (passed_over(&reading), reading.answer_at);
    match choose(expected, reading) {
        Ok(Valid { data, quotes, form, places, .. }) => {
            let logprobs = logprobs::of_data(&reply.logprobs, &places, quotes.is_some());
            Ok(Approved { data, quotes: quotes.unwrap_or_default(), logprobs, form, passed_over })
        }
        Err(flaw) => {
            let Flaw { failure, errors, data } = *flaw;
            let answer = reply.text.get(answer_at..).filter(|answer| !answer.trim().is_empty()).unwrap_or(&reply.text);
            let remedy = Remedy::Correct(Rejected { answer: answer.to_owned(), errors });
            Err(Box::new(Disapproved { failure, remedy, data, passed_over }))
        }
    }
}

fn truncated(reply: &Reply, reading: &Reading) -> Box<Disapproved> {
    let (detail, remedy) = if is_runaway(&reply.text) {
        let detail = "the answer repeats itself up to the token limit that cut it, so a higher limit would only cost \
            more; use another model, another temperature, or a schema that asks for less";
        (detail, Remedy::AskAnother)
    } else {
        ("the answer was cut at the token limit; raise max_tokens or ask for less", Remedy::Lengthen)
    };
    disapproved(Code::AnswerTruncated, detail.to_owned(), remedy, passed_over(reading))
}

/// Why none of a reply's objects is the answer.
struct Flaw {
    failure: Failure,
    errors: String,
    data: Option<Value>,
}

/// Valid data, and the quotes that stand beside it; `None` where it is the whole object.
type Checked = (Value, Option<Vec<FieldQuotes>>);

/// An object that is valid.
struct Valid {
    data: Value,
    quotes: Option<Vec<FieldQuotes>>,
    form: Form,
    places: Vec<Range<usize>>,
    is_in_doubt: bool,
}

/// An object that is not, and what is wrong with it.
type Invalid = (Value, Vec<Violation>);

impl Expected<'_> {
    /// Holds an object against the schema, without its quotes.
    fn check(&self, object: Value) -> Result<Checked, Invalid> {
        let violations = |data: &Value| match self.bypass_validation {
            true => Ok(()),
            false => self.schema.validate(data),
        };
        let parts = if self.has_quotes { quotes::parts(&object) } else { None };
        let wrong = match parts {
            None => violations(&object).map_err(|wrong| (None, wrong)),
            Some((data, quotes)) => match violations(data) {
                Ok(()) => return Ok((data.clone(), Some(quotes::read(quotes, data)))),
                // A model that gives the data alone may have a member of that name in it.
                Err(wrong) => violations(&object).map_err(|_| (Some(data.clone()), wrong)),
            },
        };
        match wrong {
            Ok(()) => Ok((object, None)),
            Err((data, wrong)) => Err((data.unwrap_or(object), wrong)),
        }
    }
}

fn choose(expected: Expected<'_>, mut reading: Reading) -> Result<Valid, Box<Flaw>> {
    let schema = expected.schema;
    let (candidates, failure) = (std::mem::take(&mut reading.candidates), reading.failure.take());
    let (mut valid, mut nearest) = (Vec::<Valid>::new(), None::<Invalid>);
    for candidate in candidates {
        let is_in_doubt = reading.is_in_doubt(&candidate);
        match expected.check(candidate.value) {
            Ok((data, quotes)) => {
                // The same data with other quotes is the same answer.
                valid.retain(|other| other.data != data);
                let (form, places) = (candidate.form, candidate.places);
                valid.push(Valid { data, quotes, form, places, is_in_doubt });
            }
            Err(invalid) if nearest.as_ref().is_none_or(|(_, fewest)| invalid.1.len() <= fewest.len()) => {
                nearest = Some(invalid);
            }
            Err(_) => {}
        }
    }
    match (valid.len(), valid.pop(), failure, nearest) {
        // Whoever breaks off within another object was not done.
        (_, _, Some(failure), _) if failure.code == Code::AnswerTruncated => Err(unreadable(failure)),
        (1, Some(only), ..) if only.is_in_doubt => {
            let what = "the answer has one JSON object that is valid against the schema, and after it one that begins \
                with a name of the same and cannot be read";
            Err(undecided(what, &format!("schema {}: {what}", schema.name())))
        }
        (1, Some(only), ..) => Ok(only),
        (several @ 2.., ..) => {
            let what = format!("the answer has {several} different JSON objects that are valid against the schema");
            Err(undecided(&what, &format!("{what} {}", schema.name())))
        }
        (_, _, None, Some((data, violations))) => Err(invalid(schema, data, violations)),
        (_, _, Some(failure), _) => Err(unreadable(failure)),
        (_, _, None, None) => Err(unreadable(Failure::new(Code::AnswerNotJson, "the answer contains no JSON object"))),
    }
}

/// Nobody knows which object the model means.
fn undecided(what: &str, detail: &str) -> Box<Flaw> {
    let failure = Failure::new(Code::AnswerInvalid, format!("{detail}, and does not say which one it means"));
    let errors = format!("{what}; answer with one JSON object and nothing else");
    Box::new(Flaw { failure, errors, data: None })
}

fn invalid(schema: &Schema, data: Value, violations: Vec<Violation>) -> Box<Flaw> {
    let lines: Vec<String> = violations.iter().map(|v| format!("{}: {}", place(&v.pointer), v.message)).collect();
    let detail = format!("the answer breaks schema {} in {}: {}", schema.name(), lines.len(), lines.join("; "));
    let failure = Failure::new(Code::AnswerInvalid, detail).with_violations(violations);
    Box::new(Flaw { failure, errors: lines.join("\n"), data: Some(data) })
}

fn unreadable(failure: Failure) -> Box<Flaw> {
    let errors = format!("the answer is not one JSON object: {}", failure.detail);
    Box::new(Flaw { failure, errors, data: None })
}

fn disapproved(code: Code, detail: String, remedy: Remedy, passed_over: PassedOver) -> Box<Disapproved> {
    Box::new(Disapproved { failure: Failure::new(code, detail), remedy, data: None, passed_over })
}

/// What a reply holds beside one object, the one that is taken or found wanting.
fn passed_over(reading: &Reading) -> PassedOver {
    let readable = u32::try_from(reading.candidates.len()).unwrap_or(u32::MAX);
    let objects = readable.saturating_add(reading.unreadable).saturating_sub(1);
    PassedOver { reasoning: reading.has_reasoning, objects }
}

/// The empty JSON Pointer means the whole document (RFC 6901), which reads badly.
fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "(the object)" } else { pointer }
}

#[cfg(test)]
mod tests;
