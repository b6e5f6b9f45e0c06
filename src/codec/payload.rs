//! An event's data: decoded as far as its content type says.

use std::str;

use bytes::Bytes;
use serde_json::Value;

use crate::domain::event::Data;
use crate::domain::failure::{Code, Failure};
use crate::domain::json::{self, FaultKind};

/// Decodes the bytes of an event's data. Without a content type, JSON is tried before text.
pub(super) fn decode(bytes: &Bytes, content_type: Option<&str>) -> Result<Data, Failure> {
    let Some(content_type) = content_type else { return guess(bytes) };
    if is_json(content_type) {
        return Ok(Data::Json(json(utf8(bytes)?)?));
    }
    match utf8(bytes) {
        Ok(text) => Ok(Data::Text(text.to_owned())),
        Err(failure) if is_text(content_type) => Err(failure),
        Err(_) => Ok(Data::Binary(bytes.clone())),
    }
}

fn guess(bytes: &Bytes) -> Result<Data, Failure> {
    let text = utf8(bytes)?;
    match json::parse(text) {
        Ok(value) => Ok(Data::Json(value)),
        Err(fault) => match fault.kind {
            FaultKind::Syntax | FaultKind::EndsEarly => Ok(Data::Text(text.to_owned())),
            // Text does none of this by chance.
            FaultKind::TooDeep | FaultKind::Repeated | FaultKind::TooManyDigits => Err(fault.into()),
        },
    }
}

/// Whether a media type is JSON: `*/json` or `*/*+json`, whatever its case and parameters.
pub(super) fn is_json(content_type: &str) -> bool {
    let tail = essence(content_type).as_bytes().last_chunk::<5>();
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(b"/json") || tail.eq_ignore_ascii_case(b"+json"))
}

fn is_text(content_type: &str) -> bool {
    strip_prefix(essence(content_type), "text/").is_some()
}

/// A media type without its parameters.
pub(super) fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Whether two headers name one media type (RFC 9110, section 8.3.1): letter case, space around `;`, the order of
/// parameters and quotes around their values make no difference. Nor does the letter case of a character set.
pub(super) fn is_same_type(a: &str, b: &str) -> bool {
    a == b || (essence(a).eq_ignore_ascii_case(essence(b)) && parameters(a) == parameters(b))
}

/// The parameters of a media type, sorted.
fn parameters(content_type: &str) -> Vec<(String, String)> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    let parts = content_type.split(|c: char| {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        c == ';' && !is_quoted
    });
    let mut parameters: Vec<_> = parts.skip(1).map(str::trim).filter(|part| !part.is_empty()).map(parameter).collect();
    parameters.sort_unstable();
    parameters
}

fn parameter(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let name = name.trim_end().to_ascii_lowercase();
    let value = value.trim_start();
    let mut value = match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(quoted) => unescaped(quoted),
        None => value.to_owned(),
    };
    if name == "charset" {
        value.make_ascii_lowercase();
    }
    (name, value)
}

/// The text of a quoted string: a backslash stands for the character after it.
fn unescaped(quoted: &str) -> String {
    let mut is_escaped = false;
    quoted
        .chars()
        .filter(|c| {
            is_escaped = !is_escaped && *c == '\\';
            !is_escaped
        })
        .collect()
}

/// What follows `prefix` (ASCII) in `text`, ignoring case.
pub(super) fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

/// The value as text.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Failure> {
    str::from_utf8(bytes).map_err(|error| {
        Failure::new(
            Code::InvalidUtf8,
            format!("The value is not UTF-8: byte {} is wrong. Send it as UTF-8.", error.valid_up_to() + 1),
        )
    })
}

/// The value as JSON, every number with the digits that were sent.
pub(super) fn json(text: &str) -> Result<Value, Failure> {
    Ok(json::parse(text)?)
}

impl From<json::Fault> for Failure {
    /// Of what the sender wrote only the place is told, and the names on the way to a member that is there twice.
    fn from(fault: json::Fault) -> Self {
        let place = format!("line {}, column {}", fault.line, fault.column);
        let (code, detail) = match fault.kind {
            FaultKind::TooDeep => {
                (Code::JsonTooDeep, "The value is JSON nested deeper than 127 levels. Send it flatter.".to_owned())
            }
            FaultKind::EndsEarly => (Code::InvalidJson, format!("The value ends too early: {place}. Send valid JSON.")),
            FaultKind::Syntax => (Code::InvalidJson, format!("The value is not valid JSON: {place}. Send valid JSON.")),
            // Readers differ in which of the two they take: a way to show us another event than the next reader.
            FaultKind::Repeated => {
                let pointer = fault.pointer();
                (Code::InvalidJson, format!("The value has member {pointer} more than once: {place}. Send it once."))
            }
            FaultKind::TooManyDigits => {
                let most = json::MAX_DIGITS;
                let detail = format!(
                    "The value has a number of more than {most} digits when written out: {place}. Send it shorter, or as text."
                );
                (Code::InvalidJson, detail)
            }
        };
        Failure::new(code, detail)
    }
}
