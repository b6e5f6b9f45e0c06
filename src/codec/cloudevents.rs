//! CloudEvents 1.0 in Kafka records (Kafka protocol binding 1.0.2): binary mode, with attributes in `ce_` headers, and
//! structured mode, with the whole event as JSON in the value.

use std::borrow::Cow;
use std::str;

use bytes::Bytes;

use super::attributes::{Attributes, MAX_HEADERS, check_name, shown};
use super::{payload, structured};
use crate::domain::event::Event;
use crate::domain::failure::{Code, Failure};
use crate::domain::record::{Header, Record};

const PREFIX: &str = "ce_";
const FORMAT: &str = "application/cloudevents";

/// Decodes a record as a CloudEvent.
///
/// A `content-type` of `application/cloudevents` or `application/cloudevents+json` means structured mode. Otherwise
/// `ce_` headers mean binary mode. A value that is a JSON object with all required attributes is taken as structured
/// even without that content type.
///
/// # Errors
/// `not_a_cloudevent`, `tombstone`, `too_many_headers`, `missing_attribute`, `unsupported_specversion`,
/// `invalid_attribute`, `invalid_utf8`, `invalid_json` or `json_too_deep`.
pub fn decode(record: &Record) -> Result<Event, Failure> {
    let headers = Headers::read(&record.headers)?;
    match (headers.mode()?, &record.value) {
        (Mode::Binary, value) => headers.binary(value.as_ref()),
        (Mode::Structured | Mode::Undeclared, None) => Err(tombstone()),
        (Mode::Structured, Some(value)) => structured::decode(value),
        (Mode::Undeclared, Some(value)) => structured::decode_undeclared(value).unwrap_or_else(|| {
            Err(not_a_cloudevent(
                "The record has no ce_ headers, and its value is not a JSON object with specversion, id, source and \
                 type. Send CloudEvents 1.0, or set the connector's source format to json or text.",
            ))
        }),
    }
}

/// Fails if a record has more than [`MAX_HEADERS`] headers.
pub(super) fn check_count(headers: &[Header]) -> Result<(), Failure> {
    if headers.len() <= MAX_HEADERS {
        return Ok(());
    }
    let detail = format!("The record has {} headers; at most {MAX_HEADERS} are accepted. Send fewer.", headers.len());
    Err(Failure::new(Code::TooManyHeaders, detail))
}

/// The failure of a record that should be an event and has no value.
pub(super) fn tombstone() -> Failure {
    Failure::new(Code::Tombstone, "The record has no value (a tombstone), so there is nothing to answer. Send a value.")
}

enum Mode {
    Binary,
    Structured,
    /// Nothing says that this is an event; the value itself may.
    Undeclared,
}

/// The headers that matter here; all others are the sender's own and may hold any bytes.
struct Headers<'a> {
    content_type: Option<&'a str>,
    attributes: Vec<&'a Header>,
}

impl<'a> Headers<'a> {
    fn read(headers: &'a [Header]) -> Result<Self, Failure> {
        check_count(headers)?;
        let mut content_type: Option<&str> = None;
        let mut attributes = Vec::new();
        for header in headers {
            if header.name.starts_with(PREFIX) {
                attributes.push(header);
            } else if header.name.eq_ignore_ascii_case("content-type") {
                let Some(value) = text(header)? else { continue };
                if content_type.is_some_and(|set| !payload::is_same_type(set, value)) {
                    let detail = "Header content-type is set more than once, to different values. Set it once.";
                    return Err(Failure::new(Code::InvalidAttribute, detail));
                }
                content_type.get_or_insert(value);
            }
        }
        Ok(Self { content_type, attributes })
    }

    fn mode(&self) -> Result<Mode, Failure> {
        let has_attributes = !self.attributes.is_empty();
        let format = self.content_type.and_then(|name| payload::strip_prefix(payload::essence(name), FORMAT));
        match format {
            None if has_attributes => Ok(Mode::Binary),
            None => Ok(Mode::Undeclared),
            Some(format) if format.is_empty() || format.eq_ignore_ascii_case("+json") => Ok(Mode::Structured),
            Some(format) if payload::strip_prefix(format, "-batch").is_some() => Err(not_a_cloudevent(
                "The content type is a batch of events, which the Kafka binding does not have. Send one event per record.",
            )),
            // The binding lets an unknown event format pass as the data of a binary event.
            Some(_) if has_attributes => Ok(Mode::Binary),
            Some(_) => Err(not_a_cloudevent(
                "The content type is an event format that is not supported. Send application/cloudevents+json.",
            )),
        }
    }

    fn binary(self, value: Option<&Bytes>) -> Result<Event, Failure> {
        let mut attributes = Attributes::default();
        if let Some(content_type) = self.content_type {
            attributes.set("datacontenttype", Cow::Borrowed(content_type))?;
        }
        for header in self.attributes {
            let name = header.name.strip_prefix(PREFIX).unwrap_or_default();
            check_name(name)?;
            let Some(value) = text(header)? else { continue };
            if let ("datacontenttype", Some(content_type)) = (name, self.content_type) {
                if payload::is_same_type(content_type, value) {
                    continue;
                }
                let detail =
                    "Headers content-type and ce_datacontenttype name different types. Remove ce_datacontenttype.";
                return Err(Failure::new(Code::InvalidAttribute, detail));
            }
            attributes.set(name, Cow::Borrowed(value))?;
        }
        let mut event = attributes.into_event()?;
        if let Some(value) = value {
            event.data = payload::decode(value, event.data_content_type.as_deref())?;
        }
        Ok(event)
    }
}

/// A header's value. Kafka's null means that the attribute is unset.
fn text(header: &Header) -> Result<Option<&str>, Failure> {
    let Some(value) = &header.value else { return Ok(None) };
    str::from_utf8(value).map(Some).map_err(|error| {
        let name = shown(&header.name);
        let detail =
            format!("Header {name} is not UTF-8: byte {} is wrong. Send it as UTF-8.", error.valid_up_to() + 1);
        Failure::new(Code::InvalidUtf8, detail)
    })
}

fn not_a_cloudevent(detail: &str) -> Failure {
    Failure::new(Code::NotACloudEvent, detail)
}

#[cfg(test)]
mod tests;
