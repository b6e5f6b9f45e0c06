//! An event's data: decoded as far as its content type says.

use std::str;

use bytes::Bytes;
use serde_json::Value;

use crate::domain::event::Data;
use crate::domain::failure::{Code, Failure};

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
    match json(text) {
        Ok(value) => Ok(Data::Json(value)),
        // Text does not open 128 brackets by chance.
        Err(failure) if failure.code == Code::JsonTooDeep => Err(failure),
        Err(_) => Ok(Data::Text(text.to_owned())),
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

/// The value as JSON. `serde_json` stops at 128 levels, so hostile nesting costs neither stack nor time.
pub(super) fn json(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| json_failure(&error))
}

/// What a parse error means. Of the parser's message only the place is kept: the rest may quote the sender's data.
pub(super) fn json_failure(error: &serde_json::Error) -> Failure {
    // The parser has no public kind for this error. Its text is fixed, and tests hold it.
    if error.to_string().starts_with("recursion limit exceeded") {
        return Failure::new(Code::JsonTooDeep, "The value is JSON nested deeper than 128 levels. Send it flatter.");
    }
    if error.is_data() {
        return Failure::new(Code::InvalidJson, "The value is JSON, but not an object. Send one event as one object.");
    }
    let found = if error.is_eof() { "ends too early" } else { "is not valid JSON" };
    Failure::new(
        Code::InvalidJson,
        format!("The value {found}: line {}, column {}. Send valid JSON.", error.line(), error.column()),
    )
}
