//! What a template can see of a record.

use crate::domain::event::Event;
use crate::domain::record::Header;

/// What a template can see of one record: `data`, `event`, `key` and `headers`.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The record as an event.
    pub event: &'a Event,
    /// The record's key.
    pub key: Option<Key<'a>>,
    /// The record's headers.
    pub headers: &'a [Header],
}

/// A record's key, as a template sees it.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    /// Text, if these bytes are UTF-8; nothing otherwise.
    Bytes(&'a [u8]),
    /// A value, with members if it is an object.
    Json(&'a serde_json::Value),
}

impl<'a> Scope<'a> {
    /// The key that is text as it came.
    pub(super) fn key_text(&self) -> Option<&'a str> {
        match self.key? {
            Key::Bytes(key) => std::str::from_utf8(key).ok(),
            Key::Json(_) => None,
        }
    }
}
