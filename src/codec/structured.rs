//! An event as one JSON object (CloudEvents JSON format 1.0.2), read in one pass.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Number, Value};

use super::attributes::{Attributes, MAX_HEADERS, check_name, shown};
use super::payload;
use crate::domain::event::{Data, Event};
use crate::domain::failure::{Code, Failure};
use crate::domain::json::{self, Reader};

/// Decodes a value that its content type declares to be a structured event.
pub(super) fn decode(value: &[u8]) -> Result<Event, Failure> {
    let mut envelope = Envelope::default();
    envelope.read(payload::utf8(value)?)?;
    envelope.into_event()
}

/// Decodes a value that nothing declares to be an event. `None` unless it is an object that has all four required
/// attributes: many senders forget the content type.
pub(super) fn decode_undeclared(value: &[u8]) -> Option<Result<Event, Failure>> {
    if !value.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let mut envelope = Envelope::default();
    let read = envelope.read(payload::utf8(value).ok()?);
    envelope.attributes.has_required().then(|| read.and_then(|()| envelope.into_event()))
}

#[derive(Default)]
struct Envelope<'a> {
    attributes: Attributes<'a>,
    /// Members that were `null`, which means unset: remembered only to notice a second member of that name.
    unset: BTreeSet<Cow<'a, str>>,
    /// `Some(Value::Null)` for `"data": null`, which is not the same as no data.
    data: Option<Value>,
    data_base64: Option<String>,
}

impl<'a> Envelope<'a> {
    /// Reads up to the end or the first error. What was read before an error stays readable.
    fn read(&mut self, text: &'a str) -> Result<(), Failure> {
        let mut reader = Reader::new(text);
        if reader.next_byte() != Some(b'{') {
            payload::json(text)?;
            let detail = "The value is JSON, but not an object. Send one event as one object.";
            return Err(Failure::new(Code::InvalidJson, detail));
        }
        reader.members(|name, reader| self.member(name, reader))?;
        Ok(reader.end()?)
    }

    fn into_event(self) -> Result<Event, Failure> {
        let mut event = self.attributes.into_event()?;
        let content_type = event.data_content_type.as_deref();
        event.data = match (self.data, self.data_base64) {
            (None, None) => Data::Absent,
            (Some(Value::String(text)), None) if !content_type.is_none_or(payload::is_json) => Data::Text(text),
            (Some(value), None) => Data::Json(value),
            (None, Some(encoded)) => payload::decode(&unbase64(&encoded)?, content_type)?,
            (Some(_), Some(_)) => {
                let detail = "The event has both \"data\" and \"data_base64\". Send one of them.";
                return Err(Failure::new(Code::InvalidAttribute, detail));
            }
        };
        Ok(event)
    }

    fn member(&mut self, name: Cow<'a, str>, reader: &mut Reader<'a>) -> Result<(), Failure> {
        match name.as_ref() {
            "data" => {
                self.check_new(&name, self.data.is_some())?;
                self.data = Some(reader.value().map_err(|fault| fault.within("data"))?);
            }
            "data_base64" => {
                self.check_new(&name, self.data_base64.is_some())?;
                match reader.value()? {
                    Value::Null => {
                        self.unset.insert(name);
                    }
                    Value::String(text) => self.data_base64 = Some(text),
                    Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        return Err(wrong_type(&name, "a string"));
                    }
                }
            }
            _ => self.attribute(name, reader)?,
        }
        Ok(())
    }

    fn attribute(&mut self, name: Cow<'a, str>, reader: &mut Reader<'a>) -> Result<(), Failure> {
        check_name(&name)?;
        let is_set = self.attributes.is_set(&name);
        self.check_new(&name, is_set)?;
        if matches!(reader.next_byte(), Some(b'{' | b'[')) {
            return Err(wrong_type(&name, "a string, an integer or a boolean"));
        }
        let value = match reader.value()? {
            Value::Null => {
                self.unset.insert(name);
                return self.check_count();
            }
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) if is_core(&name) => return Err(wrong_type(&name, "a string")),
            // The canonical string form of an integer or a boolean (CloudEvents 1.0.2, "Type System").
            Value::Bool(value) => value.to_string(),
            Value::Number(number) if is_integer(&number) => number.to_string(),
            Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                return Err(wrong_type(&name, "a string, an integer or a boolean"));
            }
        };
        self.attributes.set(&name, Cow::Owned(value))?;
        self.check_count()
    }

    /// JSON leaves open what a repeated member means (RFC 8259, section 4), and readers differ: a way to show one event
    /// to us and another to the next reader.
    fn check_new(&self, name: &str, is_set: bool) -> Result<(), Failure> {
        if !is_set && !self.unset.contains(name) {
            return Ok(());
        }
        let detail = format!("The event has member {} more than once. Send it once.", shown(name));
        Err(Failure::new(Code::InvalidJson, detail))
    }

    /// The bound on headers holds for members too.
    fn check_count(&self) -> Result<(), Failure> {
        if self.attributes.extensions() + self.unset.len() <= MAX_HEADERS {
            return Ok(());
        }
        let detail = format!("The event has more than {MAX_HEADERS} attributes. Move them into its data.");
        Err(Failure::new(Code::InvalidAttribute, detail))
    }
}

/// Whether a number has the form of an integer: no fraction, no exponent, no negative zero, 64 bits at most.
fn is_integer(number: &Number) -> bool {
    json::is_integer_literal(number) && number.as_str() != "-0" && (number.is_i64() || number.is_u64())
}

/// All attributes that the specification itself defines are strings in JSON.
fn is_core(name: &str) -> bool {
    matches!(name, "specversion" | "id" | "source" | "type" | "subject" | "time" | "datacontenttype" | "dataschema")
}

fn wrong_type(name: &str, expected: &str) -> Failure {
    Failure::new(Code::InvalidAttribute, format!("Member {} is not {expected}. Send it as {expected}.", shown(name)))
}

fn unbase64(encoded: &str) -> Result<Bytes, Failure> {
    let detail = "Member \"data_base64\" is not base64. Encode the data as RFC 4648 base64 with padding.";
    STANDARD.decode(encoded).map(Bytes::from).map_err(|_| Failure::new(Code::InvalidAttribute, detail))
}
