//! An event as one JSON object (CloudEvents JSON format 1.0.2), read in one pass.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::attributes::{Attributes, check_name, shown};
use super::cloudevents::MAX_HEADERS;
use super::payload;
use crate::domain::event::{Data, Event};
use crate::domain::failure::{Code, Failure};

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
    data_base64: Option<Cow<'a, str>>,
    /// What was wrong with a member, as a parser error cannot carry a code.
    problem: Option<Failure>,
}

impl<'a> Envelope<'a> {
    /// Reads up to the end or the first error. What was read before an error stays readable.
    fn read(&mut self, text: &'a str) -> Result<(), Failure> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = Reader(self).deserialize(&mut deserializer).and_then(|()| deserializer.end());
        read.map_err(|error| self.problem.take().unwrap_or_else(|| payload::json_failure(&error)))
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

    fn member<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match name.as_ref() {
            "data" => {
                self.check_new(&name, self.data.is_some())?;
                self.data = Some(map.next_value()?);
            }
            "data_base64" => {
                self.check_new(&name, self.data_base64.is_some())?;
                match map.next_value()? {
                    Scalar::Null => {
                        self.unset.insert(name);
                    }
                    Scalar::Text(text) => self.data_base64 = Some(text),
                    Scalar::Canonical(_) | Scalar::Other => return Err(self.fail(wrong_type(&name, "a string"))),
                }
            }
            _ => self.attribute(name, map)?,
        }
        Ok(())
    }

    fn attribute<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        check_name(&name).map_err(|failure| self.fail(failure))?;
        let is_set = self.attributes.is_set(&name);
        self.check_new(&name, is_set)?;
        let value = match map.next_value()? {
            Scalar::Null => {
                self.unset.insert(name);
                return self.check_count();
            }
            Scalar::Text(text) => text,
            Scalar::Canonical(_) if is_core(&name) => return Err(self.fail(wrong_type(&name, "a string"))),
            Scalar::Canonical(text) => Cow::Owned(text),
            Scalar::Other => return Err(self.fail(wrong_type(&name, "a string, an integer or a boolean"))),
        };
        self.attributes.set(&name, value).map_err(|failure| self.fail(failure))?;
        self.check_count()
    }

    /// JSON leaves open what a repeated member means (RFC 8259, section 4), and readers differ: a way to show one event
    /// to us and another to the next reader.
    fn check_new<E: Error>(&mut self, name: &str, is_set: bool) -> Result<(), E> {
        if !is_set && !self.unset.contains(name) {
            return Ok(());
        }
        let detail = format!("The event has member {} more than once. Send it once.", shown(name));
        Err(self.fail(Failure::new(Code::InvalidJson, detail)))
    }

    /// The bound on headers holds for members too.
    fn check_count<E: Error>(&mut self) -> Result<(), E> {
        if self.attributes.extensions() + self.unset.len() <= MAX_HEADERS {
            return Ok(());
        }
        let detail = format!("The event has more than {MAX_HEADERS} attributes. Move them into its data.");
        Err(self.fail(Failure::new(Code::InvalidAttribute, detail)))
    }

    /// Notes the problem and makes the error that stops the parser.
    fn fail<E: Error>(&mut self, problem: Failure) -> E {
        self.problem = Some(problem);
        E::custom("see Envelope::problem")
    }
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

/// Fills an envelope from a JSON object.
struct Reader<'e, 'a>(&'e mut Envelope<'a>);

impl<'a> DeserializeSeed<'a> for Reader<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Reader<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            self.0.member(name, &mut map)?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// What an attribute's value can be.
enum Scalar<'a> {
    Null,
    Text(Cow<'a, str>),
    /// An integer or a boolean in its canonical string form (CloudEvents 1.0.2, "Type System").
    Canonical(String),
    /// No attribute type: a fraction, an array, an object.
    Other,
}

impl<'a> Deserialize<'a> for Scalar<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'a> Visitor<'a> for ScalarVisitor {
    type Value = Scalar<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Canonical(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Canonical(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Canonical(value.to_string()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
