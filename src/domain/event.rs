//! A CloudEvent 1.0, whatever encoding it arrived in.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

/// A CloudEvent (CloudEvents 1.0.2, section 3). The required attributes are non-empty; attribute values contain no
/// control characters. Both are guaranteed by the codec that builds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `id`: unique within `source`.
    pub id: String,
    /// `source`: a URI reference.
    pub source: String,
    /// `type`.
    pub kind: String,
    /// `subject`.
    pub subject: Option<String>,
    /// `time`, an RFC 3339 timestamp as the sender wrote it.
    pub time: Option<String>,
    /// `datacontenttype`.
    pub data_content_type: Option<String>,
    /// `dataschema`.
    pub data_schema: Option<String>,
    /// Extension attributes, each in the canonical string form of its type.
    pub extensions: BTreeMap<String, String>,
    /// The payload.
    pub data: Data,
}

/// An event's payload, decoded as far as its content type says.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// The event has no data (`null` value in Kafka's binary mode, no member in the JSON format).
    Absent,
    /// `datacontenttype` is JSON, or absent and the bytes are JSON.
    Json(Value),
    /// Any other content type whose bytes are UTF-8.
    Text(String),
    /// Anything else.
    Binary(Bytes),
}
