//! Context attributes: the rules that both Kafka modes share (CloudEvents 1.0.2, sections 2 and 3).

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Timelike};

use crate::domain::event::{Data, Event};
use crate::domain::failure::{Code, Failure};

/// Most headers that a record, or attributes that an event, may have. Far more than any sender needs, and a bound on
/// what each record costs.
pub(super) const MAX_HEADERS: usize = 1_000;

/// Attributes as they are collected. Values are borrowed from the record where its encoding allows.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    spec_version: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    subject: Option<Cow<'a, str>>,
    time: Option<Cow<'a, str>>,
    data_content_type: Option<Cow<'a, str>>,
    data_schema: Option<Cow<'a, str>>,
    extensions: BTreeMap<String, String>,
}

impl<'a> Attributes<'a> {
    /// Sets an attribute. Setting it again to the same value is harmless, to another one is an error: nobody could say
    /// which the sender meant.
    pub(super) fn set(&mut self, name: &str, value: Cow<'a, str>) -> Result<(), Failure> {
        check_name(name)?;
        check_value(name, &value)?;
        if let Some(slot) = self.core(name) {
            if slot.as_ref().is_some_and(|set| *set != value) {
                return Err(conflict(name));
            }
            *slot = Some(value);
            return Ok(());
        }
        match self.extensions.get(name) {
            Some(set) if *set != value => Err(conflict(name)),
            Some(_) => Ok(()),
            None => {
                self.extensions.insert(name.to_owned(), value.into_owned());
                Ok(())
            }
        }
    }

    /// Whether the attribute has a value.
    pub(super) fn is_set(&mut self, name: &str) -> bool {
        match self.core(name) {
            Some(slot) => slot.is_some(),
            None => self.extensions.contains_key(name),
        }
    }

    /// Whether all four required attributes have a value.
    pub(super) fn has_required(&self) -> bool {
        self.spec_version.is_some() && self.id.is_some() && self.source.is_some() && self.kind.is_some()
    }

    /// Number of extension attributes.
    pub(super) fn extensions(&self) -> usize {
        self.extensions.len()
    }

    /// The event without its data.
    pub(super) fn into_event(self) -> Result<Event, Failure> {
        self.check_required()?;
        let time = optional(self.time);
        if time.as_ref().is_some_and(|time| !is_rfc3339(time)) {
            return Err(Failure::new(
                Code::InvalidAttribute,
                "Attribute \"time\" is not an RFC 3339 timestamp. Send one such as 2026-01-31T12:00:00Z, or none.",
            ));
        }
        Ok(Event {
            id: self.id.unwrap_or_default().into_owned(),
            source: self.source.unwrap_or_default().into_owned(),
            kind: self.kind.unwrap_or_default().into_owned(),
            subject: optional(self.subject),
            time,
            data_content_type: optional(self.data_content_type),
            data_schema: optional(self.data_schema),
            extensions: self.extensions,
            data: Data::Absent,
        })
    }

    /// The required attributes are there and the version is one we know. All missing ones are named at once.
    fn check_required(&self) -> Result<(), Failure> {
        let required =
            [("specversion", &self.spec_version), ("id", &self.id), ("source", &self.source), ("type", &self.kind)];
        let missing: Vec<_> = required
            .iter()
            .filter(|(_, value)| value.as_ref().is_none_or(|value| value.is_empty()))
            .map(|(name, _)| *name)
            .collect();
        if !missing.is_empty() {
            return Err(Failure::new(
                Code::MissingAttribute,
                format!("Required attributes are missing or empty: {}. Set each of them.", missing.join(", ")),
            ));
        }
        if self.spec_version.as_deref() != Some("1.0") {
            return Err(Failure::new(
                Code::UnsupportedSpecVersion,
                "Attribute \"specversion\" is not 1.0. Send the event as CloudEvents 1.0.",
            ));
        }
        Ok(())
    }

    fn core(&mut self, name: &str) -> Option<&mut Option<Cow<'a, str>>> {
        match name {
            "specversion" => Some(&mut self.spec_version),
            "id" => Some(&mut self.id),
            "source" => Some(&mut self.source),
            "type" => Some(&mut self.kind),
            "subject" => Some(&mut self.subject),
            "time" => Some(&mut self.time),
            "datacontenttype" => Some(&mut self.data_content_type),
            "dataschema" => Some(&mut self.data_schema),
            _ => None,
        }
    }
}

/// Whether a text is a timestamp of RFC 3339, section 5.6. The library's own reader takes more: a space for the `T`,
/// U+2212 for the hyphen, a second 60 at any time of day.
fn is_rfc3339(text: &str) -> bool {
    let Some((date_time, zone)) = text.split_at_checked("2026-01-31T12:00:00".len()) else { return false };
    let matches = |text: &str, pattern: &str| {
        text.len() == pattern.len()
            && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b't'),
                _ => byte == wanted,
            })
    };
    let zone = zone.strip_prefix('.').map_or(Some(zone), |fraction| {
        let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        (zone.len() < fraction.len()).then_some(zone)
    });
    let has_form = matches(date_time, "0000-00-00T00:00:00")
        && zone.is_some_and(|zone| matches!(zone, "Z" | "z") || matches(zone, "+00:00") || matches(zone, "-00:00"));
    let Some(time) = DateTime::parse_from_rfc3339(text).ok().filter(|_| has_form) else { return false };
    // A leap second ends a day of UTC.
    !date_time.ends_with("60") || (time.to_utc().hour(), time.to_utc().minute()) == (23, 59)
}

/// The specification wants an optional attribute to be non-empty if present, so an empty one says no more than none.
fn optional(value: Option<Cow<'_, str>>) -> Option<String> {
    value.filter(|value| !value.is_empty()).map(Cow::into_owned)
}

/// Whether `c` may stand in a value of type String: no control characters, no Unicode noncharacters.
pub(super) fn is_allowed(c: char) -> bool {
    let code = u32::from(c);
    !c.is_control() && code & 0xFFFE != 0xFFFE && !(0xFDD0..=0xFDEF).contains(&code)
}

/// A sender's name, fit for an error: escaped, and short however long it is.
pub(super) fn shown(name: &str) -> String {
    const LONGEST: usize = 64;
    format!("{:?}", name.chars().take(LONGEST).collect::<String>())
}

/// Names are `[a-z0-9]+`. `data` is reserved for the payload.
pub(super) fn check_name(name: &str) -> Result<(), Failure> {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !name.is_empty() && name != "data" && name.bytes().all(known) {
        return Ok(());
    }
    Err(Failure::new(
        Code::InvalidAttribute,
        format!("{} cannot name an attribute. Use lower-case letters and digits, and not \"data\".", shown(name)),
    ))
}

fn check_value(name: &str, value: &str) -> Result<(), Failure> {
    // Nearly all are ASCII without control characters, which is seen faster by the byte.
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    match value.chars().position(|c| !is_allowed(c)) {
        None => Ok(()),
        Some(at) => Err(Failure::new(
            Code::InvalidAttribute,
            format!(
                "Attribute {} has a control character or noncharacter at character {}. Remove it.",
                shown(name),
                at + 1
            ),
        )),
    }
}

fn conflict(name: &str) -> Failure {
    Failure::new(
        Code::InvalidAttribute,
        format!("Attribute {} is set more than once, to different values. Set it once.", shown(name)),
    )
}
