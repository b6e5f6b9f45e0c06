//! A model's JSON as the shared strict reader reads it, in the words of an answer.

use serde_json::Value;

use crate::domain::json::{self, FaultKind};

/// Why a text is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not JSON; says where.
    Syntax(String),
    /// It is JSON that must not be used; says why.
    Refused(String),
}

/// Parses one JSON value and nothing after it.
pub(super) fn parse(text: &str) -> Result<Value, Fault> {
    json::parse(text).map_err(|fault| {
        let place = format!("at line {}, column {}", fault.line, fault.column);
        match fault.kind {
            FaultKind::Syntax | FaultKind::EndsEarly => Fault::Syntax(place),
            FaultKind::TooDeep => Fault::Refused(format!("the answer is nested too deep {place}")),
            FaultKind::TooManyDigits => {
                Fault::Refused(format!("the answer has a number of more than {} digits {place}", json::MAX_DIGITS))
            }
            FaultKind::Repeated => {
                Fault::Refused(format!("the answer has {} twice; which one counts is undefined", fault.pointer()))
            }
        }
    })
}
