//! Bytes to events: how the records of a connector's topics are read, and which of them are passed over.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::settings::{KeyFormat, RecordFormat, SourceReading, Tombstones};
use crate::codec::{cloudevents, plain};
use crate::domain::event::Event;
use crate::domain::failure::{Code, Failure};
use crate::domain::record::Record;
use crate::prompt::template::{Key, Scope};

/// Largest value that is looked into, in bytes, where prompts are short. Eight times what every CloudEvents consumer
/// should accept (CloudEvents 1.0.2, "Size Limits"), and far more than a prompt of 10,000 characters needs.
pub const MAX_VALUE_BYTES: usize = 512 << 10;

/// A character has at most four bytes in UTF-8; as much again for escapes, and for what the prompt leaves out.
const VALUE_BYTES_PER_CHAR: usize = 8;

/// Largest value that is looked into by a connector with prompts of so many characters.
pub const fn max_value_bytes(max_prompt_chars: usize) -> usize {
    let needed = max_prompt_chars * VALUE_BYTES_PER_CHAR;
    if needed > MAX_VALUE_BYTES { needed } else { MAX_VALUE_BYTES }
}

/// Reads the record of a connector with prompts of so many characters.
///
/// # Errors
/// `event_too_large`, or why it is not what the format says.
pub fn decode(record: &Record, format: RecordFormat, max_prompt_chars: usize) -> Result<Event, Failure> {
    let limit = max_value_bytes(max_prompt_chars);
    if let Some(bytes) = record.value.as_ref().map(Bytes::len).filter(|bytes| *bytes > limit) {
        let detail = format!("the value has {bytes} bytes, the limit is {limit}");
        return Err(Failure::new(Code::EventTooLarge, detail));
    }
    match format {
        RecordFormat::CloudEvents => cloudevents::decode(record),
        RecordFormat::Json => plain::decode_json(record),
        RecordFormat::Text => plain::decode_text(record),
    }
}

/// A record as an event, with its key as far as that was read.
#[derive(Debug)]
pub struct ReadRecord {
    /// The record as it came.
    pub record: Arc<Record>,
    /// The event in it.
    pub event: Event,
    /// The value of its key, where keys are values.
    key: Option<Value>,
}

impl ReadRecord {
    /// What templates see of it.
    pub fn scope(&self) -> Scope<'_> {
        let key = match &self.key {
            Some(key) => Some(Key::Json(key)),
            None => self.record.key.as_deref().map(Key::Bytes),
        };
        Scope { event: &self.event, key, headers: &self.record.headers }
    }
}

/// Reads the records of one connector.
#[derive(Debug)]
pub struct RecordReader {
    format: RecordFormat,
    reading: SourceReading,
    max_prompt_chars: usize,
}

impl RecordReader {
    /// A reader of records of this format, for prompts of so many characters.
    pub fn new(format: RecordFormat, reading: SourceReading, max_prompt_chars: usize) -> Self {
        Self { format, reading, max_prompt_chars }
    }

    /// A record with what is in it. `None` for one without a value that is to be passed over.
    ///
    /// # Errors
    /// Why the value or the key is not what the formats say.
    pub fn read(&self, record: &Arc<Record>) -> Result<Option<ReadRecord>, Failure> {
        self.event(record)?.map(|event| self.with_key(record, event)).transpose()
    }

    /// The event in a record. `None` for a record without a value that is to be passed over.
    ///
    /// # Errors
    /// As [`decode`].
    pub(super) fn event(&self, record: &Record) -> Result<Option<Event>, Failure> {
        match decode(record, self.format, self.max_prompt_chars) {
            Ok(event) => Ok(Some(event)),
            Err(failure) if failure.code == Code::Tombstone && self.reading.tombstones == Tombstones::Skip => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The record of an event with its key.
    ///
    /// # Errors
    /// `invalid_utf8`, `invalid_json` or `json_too_deep`: the key is not what the format of keys says.
    pub(super) fn with_key(&self, record: &Arc<Record>, event: Event) -> Result<ReadRecord, Failure> {
        let key = match (self.reading.key_format, &record.key) {
            (KeyFormat::Text, _) | (_, None) => None,
            (KeyFormat::Json, Some(key)) => Some(plain::decode_key(key)?),
        };
        Ok(ReadRecord { record: Arc::clone(record), event, key })
    }

    /// Whether a record is asked about.
    ///
    /// # Errors
    /// `template_failed`: the filter reads what the record does not have.
    pub fn is_wanted(&self, read: &ReadRecord) -> Result<bool, Failure> {
        self.reading.filter.as_ref().map_or(Ok(true), |filter| filter.holds(&read.scope()))
    }
}
