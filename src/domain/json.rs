//! JSON as it was written.
//!
//! Parsers leave two things open that would publish something else than what was sent: which of two members of one name
//! counts (RFC 8259, section 4), and how many digits of a number survive (section 6). Here a repeated name is refused,
//! and a number keeps its text. `docs/adr/0007-numbers-keep-their-digits.md` says why.

mod canonical;
mod decimal;
pub mod pointer;
mod reader;

use std::fmt;

use serde_json::{Number, Value};

pub use canonical::canonical;
pub use decimal::Decimal;
pub use reader::Reader;

/// Deepest nesting that is read; the same as serde_json's.
pub const MAX_DEPTH: usize = 127;
/// Longest that a number may be when it is written out: its text, and what its exponent adds. All doubles are shorter.
/// A `1e-1000000` would make whoever calculates with it write a million digits, and the work grows with their square.
pub const MAX_DIGITS: usize = 500;
/// Longest JSON Pointer that is put into an error, in characters.
const MAX_POINTER_CHARS: usize = 200;

/// Why a text is not taken, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The members and elements on the way to it, innermost first.
    path: Vec<String>,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It is not JSON.
    Syntax,
    /// It ends within a value.
    EndsEarly,
    /// It is nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// An object has a member twice: the one that [`Fault::pointer`] names.
    Repeated,
    /// A number is longer than [`MAX_DIGITS`].
    TooManyDigits,
}

impl Fault {
    /// Where it is as a JSON Pointer (RFC 6901): the names as the sender wrote them, control characters escaped,
    /// bounded in length.
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        for token in self.path.iter().rev() {
            let mut shown = String::with_capacity(token.len());
            for c in token.chars() {
                if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
            }
            pointer::push(&mut pointer, &shown);
        }
        match pointer.char_indices().nth(MAX_POINTER_CHARS) {
            Some((end, _)) => format!("{}…", pointer.get(..end).unwrap_or_default()),
            None => pointer,
        }
    }

    /// The same fault, seen from the object or array that holds its value under `token`.
    #[must_use]
    pub fn within(mut self, token: impl Into<String>) -> Self {
        self.path.push(token.into());
        self
    }
}

impl fmt::Display for Fault {
    /// What is wrong and where, without quoting the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FaultKind::Syntax => write!(f, "it is not valid JSON")?,
            FaultKind::EndsEarly => write!(f, "it ends too early")?,
            FaultKind::TooDeep => write!(f, "it is nested deeper than {MAX_DEPTH} levels")?,
            FaultKind::Repeated => write!(f, "it has {} twice", self.pointer())?,
            FaultKind::TooManyDigits => write!(f, "it has a number of more than {MAX_DIGITS} digits")?,
        }
        write!(f, " at line {}, column {}", self.line, self.column)
    }
}

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// The first [`Fault`].
pub fn parse(text: &str) -> Result<Value, Fault> {
    let mut reader = Reader::new(text);
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

/// A number with exactly these digits, if the whole text is one in JSON's grammar and not too long.
pub fn number(text: &str) -> Option<Number> {
    let mut reader = Reader::new(text);
    let number = reader.number().ok()?;
    (number.as_str().len() == text.len()).then_some(number)
}

/// Whether a number is written without fraction and exponent. `1.0` is not, though its value is whole
/// ([`decimal::Decimal::is_whole`]).
pub fn is_integer_literal(number: &Number) -> bool {
    !number.as_str().contains(['.', 'e', 'E'])
}

/// Whether two values are equal as JSON Schema has it: numbers by what they are worth, `1.0` as `1`; members in any
/// order. `==` compares the texts of numbers.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || Decimal::of(a.as_str()) == Decimal::of(b.as_str()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests;
