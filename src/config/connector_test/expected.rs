//! What is to come of a test's record: `expect`.

use serde_json::Value as Json;

use super::{object, scalar_text};
use crate::config::diagnostics::Diagnostics;
use crate::config::document::{Node, Value};
use crate::config::section::Section;
use crate::config::values::{Problem, flag, quoted, text};
use crate::domain::failure::{Code, Kind};
use crate::domain::nearest::nearest;

/// What is to come of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// A result or a dead letter.
    pub outcome: ExpectedOutcome,
    /// Headers of the published record, each with its value; `None` where it must not be there.
    pub headers: Vec<(String, Option<String>)>,
    /// Whether the record is compared with the one that was kept.
    pub snapshot: bool,
}

/// A result or a dead letter.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpectedOutcome {
    /// A result.
    Result {
        /// Members that its data has at least.
        at_least: Option<Json>,
        /// Its whole data.
        exactly: Option<Json>,
        /// Whether a person is to see it first.
        is_for_review: bool,
    },
    /// A dead letter with this code.
    DeadLetter(Code),
}

/// Reads the section.
pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>) -> Expected {
    let at_least = section.get("data", object);
    let exactly = section.get("exactly", object);
    let review = section.get("review", flag);
    let dead_letter = section.get("dead_letter", code);
    let snapshot = section.get("snapshot", flag).unwrap_or(false);
    let headers = headers(diagnostics, &mut section);
    let of_result = [("data", at_least.is_some()), ("exactly", exactly.is_some()), ("review", review == Some(true))];
    if let (Some(_), Some((key, _))) = (dead_letter, of_result.iter().find(|(_, is_there)| *is_there)) {
        let help = "keep dead_letter, or what is expected of a result";
        diagnostics.note(&section.location_of(key), Problem::new("a dead letter has none of this", help));
    }
    let is_nothing = dead_letter.is_none() && review.is_none() && headers.is_empty() && !snapshot;
    if is_nothing && at_least.is_none() && exactly.is_none() {
        let help = "write data, exactly, headers, review, dead_letter or snapshot";
        diagnostics.note(section.location(), Problem::new("nothing is expected", help));
    }
    section.finish();
    let outcome = match dead_letter {
        Some(code) => ExpectedOutcome::DeadLetter(code),
        None => ExpectedOutcome::Result { at_least, exactly, is_for_review: review.unwrap_or(false) },
    };
    Expected { outcome, headers, snapshot }
}

fn headers(diagnostics: &Diagnostics, section: &mut Section<'_>) -> Vec<(String, Option<String>)> {
    let mut headers = Vec::new();
    for (entry, location, _) in section.names("headers", "<name>") {
        let is_absent = entry.node.value == Value::Null;
        match (!is_absent).then(|| scalar_text(&entry.node)).transpose() {
            Ok(text) => headers.push((entry.key.clone(), text)),
            Err(problem) => diagnostics.note(&location, problem),
        }
    }
    headers
}

/// A code that dead letters have.
fn code(node: &Node) -> Result<Code, Problem> {
    let text = text(node)?;
    let names = Code::ALL.iter().map(|code| code.as_str());
    let Some(code) = Code::ALL.iter().find(|code| code.as_str() == text) else {
        let help = nearest(&text, names).map(|near| format!("did you mean `{near}`?"));
        let help = help.unwrap_or_else(|| "docs/errors.md lists the codes".to_owned());
        return Err(Problem::new(format!("there is no code {}", quoted(&text)), help));
    };
    if code.kind() == Kind::Unavailable {
        let help = "records wait for what is away, so expect another code, or a result";
        return Err(Problem::new(format!("{code} is never a dead letter"), help));
    }
    Ok(*code)
}
