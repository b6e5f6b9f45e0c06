//! An event of a file as the record that a connector would receive.

use bytes::Bytes;
use serde_json::Value;

use crate::domain::record::{Header, Position, Record};
use crate::kafka::settings::RecordFormat;

/// The event at this position of a topic: a CloudEvent in structured mode, or the bare value.
pub(super) fn record(event: &Value, format: RecordFormat, position: Position) -> Record {
    let text = match (format, event) {
        (RecordFormat::Text, Value::String(text)) => text.clone(),
        (RecordFormat::CloudEvents | RecordFormat::Json | RecordFormat::Text, _) => event.to_string(),
    };
    record_of_text(text, format, position)
}

/// The same of an event as text, whatever the text is.
pub(super) fn record_of_text(event: String, format: RecordFormat, position: Position) -> Record {
    let headers = match format {
        RecordFormat::CloudEvents => vec![Header::text("content-type", "application/cloudevents+json")],
        RecordFormat::Json | RecordFormat::Text => Vec::new(),
    };
    Record { position, timestamp_ms: None, key: None, value: Some(Bytes::from(event)), headers }
}
