//! Approve: is this reply an answer, and which of its objects is it? Parsed leniently, validated strictly.

pub(super) mod remembered;

use serde_json::Value;

use crate::domain::attempt::PassedOver;
use crate::domain::failure::{Code, Failure};
use crate::domain::violation::Violation;
use crate::ports::model::{Finish, Reply};
use crate::prompt::parse::{Candidate, Form, Reading, is_runaway, parse_answer};
use crate::schema::Schema;

/// A reply whose data is valid.
#[derive(Debug, PartialEq)]
pub struct Approved {
    /// The object.
    pub data: Value,
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
pub fn approve(schema: &Schema, bypass_validation: bool, reply: &Reply) -> Result<Approved, Box<Disapproved>> {
    if reply.finish == Finish::Refused {
        let detail = "the provider declined to answer, or a content filter of it did; the prompt needs a person's eyes";
        return Err(disapproved(Code::ProviderRefused, detail.to_owned(), Remedy::None, PassedOver::default()));
    }
    let reading = parse_answer(&reply.text);
    if reply.finish == Finish::Truncated && !reading.is_whole() {
        return Err(truncated(reply, &reading));
    }
    let (passed_over, answer_at) = (passed_over(&reading), reading.answer_at);
    match choose(schema, bypass_validation, reading) {
        Ok(Candidate { value, form, .. }) => Ok(Approved { data: value, form, passed_over }),
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

fn choose(schema: &Schema, bypass_validation: bool, mut reading: Reading) -> Result<Candidate, Box<Flaw>> {
    let (candidates, failure) = (std::mem::take(&mut reading.candidates), reading.failure.take());
    let (mut valid, mut nearest) = (Vec::new(), None::<(Candidate, Vec<Violation>)>);
    for candidate in candidates {
        match if bypass_validation { Ok(()) } else { schema.validate(&candidate.value) } {
            Ok(()) => valid.push(candidate),
            Err(violations) if nearest.as_ref().is_none_or(|(_, fewest)| violations.len() <= fewest.len()) => {
                nearest = Some((candidate, violations));
            }
            Err(_) => {}
        }
    }
    match (valid.len(), valid.pop(), failure, nearest) {
        // Whoever breaks off within another object was not done.
        (_, _, Some(failure), _) if failure.code == Code::AnswerTruncated => Err(unreadable(failure)),
        (1, Some(candidate), ..) if reading.is_in_doubt(&candidate) => {
            let what = "the answer has one JSON object that is valid against the schema, and after it one that begins \
                with a name of the same and cannot be read";
            Err(undecided(what, &format!("schema {}: {what}", schema.name())))
        }
        (1, Some(candidate), ..) => Ok(candidate),
        (several @ 2.., ..) => {
            let what = format!("the answer has {several} different JSON objects that are valid against the schema");
            Err(undecided(&what, &format!("{what} {}", schema.name())))
        }
        (_, _, None, Some((candidate, violations))) => Err(invalid(schema, candidate, violations)),
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

fn invalid(schema: &Schema, candidate: Candidate, violations: Vec<Violation>) -> Box<Flaw> {
    let lines: Vec<String> = violations.iter().map(|v| format!("{}: {}", place(&v.pointer), v.message)).collect();
    let detail = format!("the answer breaks schema {} in {}: {}", schema.name(), lines.len(), lines.join("; "));
    let failure = Failure::new(Code::AnswerInvalid, detail).with_violations(violations);
    Box::new(Flaw { failure, errors: lines.join("\n"), data: Some(candidate.value) })
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
