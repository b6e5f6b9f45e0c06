//! An event of a file as the record that a connector would receive.

use bytes::Bytes;
use serde_json::Value;

use crate::domain::record::{Header, Position, Record};
use crate::kafka::settings::RecordFormat;

/// The event at this position of a topic: a CloudEvent in structured mode, or the bare value.
pub(super) fn record(event: &Value, format: RecordFormat, position: Position) -> Record {
    let (value, headers) = match (format, event) {
        (RecordFormat::CloudEvents, _) => {
            (event.to_string(), vec![Header::text("content-type", "application/cloudevents+json")])
        }
        (RecordFormat::Text, Value::String(text)) => (text.clone(), Vec::new()),
        (RecordFormat::Json | RecordFormat::Text, _) => (event.to_string(), Vec::new()),
    };
    Record { position, timestamp_ms: None, key: None, value: Some(Bytes::from(value)), headers }
}
