//! Approve: is this reply an answer? Parsed leniently, validated strictly.

use serde_json::Value;

use crate::domain::failure::{Code, Failure};
use crate::ports::model::{Finish, Reply};
use crate::prompt::parse::{Form, parse_answer};
use crate::schema::Schema;

/// A reply whose data is valid.
#[derive(Debug, PartialEq)]
pub struct Approved {
    /// The object.
    pub data: Value,
    /// How it stood in the reply.
    pub form: Form,
}

/// A reply that is no answer.
#[derive(Debug)]
pub struct Disapproved {
    /// What it is if nothing better comes.
    pub failure: Failure,
    /// What to tell the model, one error a line; `None` when asking again cannot help.
    pub errors: Option<String>,
    /// What was parsed, if it was.
    pub data: Option<Value>,
}

/// Parses and validates a reply.
///
/// # Errors
/// [`Disapproved`] with the errors that a model could mend.
pub fn approve(schema: &Schema, reply: &Reply) -> Result<Approved, Box<Disapproved>> {
    match reply.finish {
        Finish::Complete => {}
        Finish::Refused => {
            let detail =
                "the provider declined to answer, or a content filter of it did; the prompt needs a person's eyes";
            return Err(hopeless(Failure::new(Code::ProviderRefused, detail)));
        }
        Finish::Truncated => {
            let detail = "the answer was cut at the token limit; raise max_tokens or ask for less";
            return Err(hopeless(Failure::new(Code::AnswerTruncated, detail)));
        }
    }
    let parsed = parse_answer(&reply.text).map_err(|failure| {
        let errors = Some(format!("the answer is not one JSON object: {}", failure.detail));
        Box::new(Disapproved { failure, errors, data: None })
    })?;
    match schema.validate(&parsed.value) {
        Ok(()) => Ok(Approved { data: parsed.value, form: parsed.form }),
        Err(violations) => {
            let lines: Vec<String> =
                violations.iter().map(|v| format!("{}: {}", place(&v.pointer), v.message)).collect();
            let detail = format!("the answer breaks schema {} in {}: {}", schema.name(), lines.len(), lines.join("; "));
            let failure = Failure::new(Code::AnswerInvalid, detail);
            Err(Box::new(Disapproved { failure, errors: Some(lines.join("\n")), data: Some(parsed.value) }))
        }
    }
}

fn hopeless(failure: Failure) -> Box<Disapproved> {
    Box::new(Disapproved { failure, errors: None, data: None })
}

/// The empty JSON Pointer means the whole document (RFC 6901), which reads badly.
fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "(the object)" } else { pointer }
}
