//! A model's answer as JSON. Models are asked for bare JSON and mostly obey; the rest comes fenced, within prose or with
//! a slip at the end. What cannot be read without guessing is refused.

mod scan;
mod strict;

use serde_json::Value;

use crate::domain::failure::{Code, Failure};
use scan::Extent;
use strict::Fault;

/// Longest answer that is looked at. Providers' token limits keep real answers far below.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Deepest nesting that is read; serde_json's own limit.
const MAX_DEPTH: usize = 127;
/// Most opening braces in prose that are tried before giving up, so that the work stays linear.
const MAX_CANDIDATES: usize = 16;

/// An answer's JSON object.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The object.
    pub value: Value,
    /// How it was found.
    pub form: Form,
}

/// How the JSON was found in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The answer is JSON and nothing else.
    Bare,
    /// In a Markdown code fence.
    Fenced,
    /// Within prose.
    Embedded,
    /// After trailing commas were removed or one closing bracket was added.
    Repaired,
}

/// Finds and parses the JSON object in an answer.
///
/// # Errors
/// [`Code::AnswerTruncated`] if the object does not end, [`Code::AnswerNotJson`] if there is none or it is malformed,
/// [`Code::AnswerInvalid`] if it is JSON that must not be used: not an object, a name twice in one object, a number out
/// of range, or nested too deep. The detail never quotes the answer, except for the names on the way to the fault.
pub fn parse_answer(text: &str) -> Result<Parsed, Failure> {
    if text.len() > MAX_ANSWER_BYTES {
        let detail = format!("the answer is {} bytes long and at most {MAX_ANSWER_BYTES} are read", text.len());
        return Err(Failure::new(Code::AnswerInvalid, detail));
    }
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    refuse_other_json(text)?;
    let mut failure = Failure::new(Code::AnswerNotJson, "the answer contains no JSON object");
    let mut from = 0;
    for _ in 0..MAX_CANDIDATES {
        let Some(start) = text.get(from..).and_then(|rest| rest.find('{')).map(|at| from + at) else { break };
        match candidate(text, start) {
            Ok(parsed) => return Ok(parsed),
            Err(Miss::Final(refusal)) => return Err(refusal),
            Err(Miss::TryFrom(next, reason)) => {
                failure = reason.unwrap_or(failure);
                from = next;
            }
        }
    }
    Err(failure)
}

/// Why an opening brace did not lead to an object.
enum Miss {
    /// Nothing after it can help.
    Final(Failure),
    /// Look on from this position; the failure is what to report if nothing is found.
    TryFrom(usize, Option<Failure>),
}

/// Reads the object that starts at `start`, an opening brace.
fn candidate(text: &str, start: usize) -> Result<Parsed, Miss> {
    let (before, rest) = text.split_at_checked(start).unwrap_or((text, ""));
    let looks_like_json =
        rest.get(1..).is_some_and(|inner| matches!(inner.trim_start().bytes().next(), None | Some(b'"' | b'}')));
    match scan::extent(rest, MAX_DEPTH) {
        Extent::TooDeep => Err(Miss::Final(invalid(format!("the answer is nested deeper than {MAX_DEPTH} levels")))),
        Extent::Unclosed if !looks_like_json => Err(Miss::TryFrom(start + 1, None)),
        Extent::Unclosed => close(rest).map_err(|failure| Miss::TryFrom(text.len(), Some(failure))),
        Extent::Closed(length) => {
            let (object, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            let form = form(before, after);
            match strict::parse(object) {
                Ok(value) => Ok(Parsed { value, form }),
                Err(Fault::Refused(detail)) => Err(Miss::Final(invalid(detail))),
                Err(Fault::Syntax(_)) if !looks_like_json => Err(Miss::TryFrom(start + length, None)),
                Err(Fault::Syntax(detail)) => {
                    repair(object, detail).map_err(|failure| Miss::TryFrom(start + length, Some(failure)))
                }
            }
        }
    }
}

fn form(before: &str, after: &str) -> Form {
    let opening = before.trim_end().trim_end_matches(|c: char| c.is_ascii_alphanumeric());
    if before.is_empty() && after.is_empty() {
        Form::Bare
    } else if opening.ends_with("```") && after.trim_start().starts_with("```") {
        Form::Fenced
    } else {
        Form::Embedded
    }
}

/// Refuses an answer that is, as a whole or in its only fence, JSON but no object.
fn refuse_other_json(text: &str) -> Result<(), Failure> {
    let inner = text.strip_prefix("```").and_then(|fenced| fenced.strip_suffix("```"));
    let inner = inner.map_or(text, |fenced| fenced.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).trim());
    if inner.starts_with('{') {
        return Ok(());
    }
    match strict::parse(inner) {
        Ok(Value::Object(_)) | Err(Fault::Syntax(_)) => Ok(()),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(invalid("the answer is JSON but not an object".to_owned()))
        }
        Err(Fault::Refused(detail)) => Err(invalid(detail)),
    }
}

/// Mends trailing commas in a balanced object.
fn repair(object: &str, detail: String) -> Result<Parsed, Failure> {
    let mended = scan::without_trailing_commas(object);
    if mended.len() < object.len() {
        match strict::parse(&mended) {
            Ok(value) => return Ok(Parsed { value, form: Form::Repaired }),
            Err(Fault::Refused(detail)) => return Err(invalid(detail)),
            Err(Fault::Syntax(_)) => {}
        }
    }
    Err(Failure::new(Code::AnswerNotJson, format!("the answer's JSON is malformed: {detail}")))
}

/// Adds the one closing bracket that an object lacks, if no value is cut: its last value must be a string, literal or
/// container that is complete. A number at the end may lack digits.
fn close(unclosed: &str) -> Result<Parsed, Failure> {
    let truncated =
        || Failure::new(Code::AnswerTruncated, "the answer ends within its JSON object; allow more output tokens");
    let body = unclosed.trim_end().trim_end_matches("```").trim_end();
    let complete = body.ends_with(['"', '}', ']']) || ["true", "false", "null"].iter().any(|word| body.ends_with(word));
    let missing = scan::only_missing_bracket(body).filter(|_| complete).ok_or_else(truncated)?;
    let mended = scan::without_trailing_commas(&format!("{body}{missing}"));
    match strict::parse(&mended) {
        Ok(value) => Ok(Parsed { value, form: Form::Repaired }),
        Err(Fault::Refused(detail)) => Err(invalid(detail)),
        Err(Fault::Syntax(_)) => Err(truncated()),
    }
}

fn invalid(detail: String) -> Failure {
    Failure::new(Code::AnswerInvalid, detail)
}

#[cfg(test)]
mod tests;
