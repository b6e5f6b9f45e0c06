//! Records of topics that carry no CloudEvents: the record's place in Kafka stands in for the attributes.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::replay_mark::ReplayMark;
use super::{cloudevents, payload, write};
use crate::domain::event::{Data, Event};
use crate::domain::failure::Failure;
use crate::domain::record::{Position, Record};

/// `type` of an event that asks for an answer.
pub const PROMPT_REQUESTED: &str = "com.structuredprompt.prompt.requested.v1";

/// Decodes a record whose value is JSON.
///
/// # Errors
/// `tombstone`, `too_many_headers`, `invalid_utf8`, `invalid_json` or `json_too_deep`.
pub fn decode_json(record: &Record) -> Result<Event, Failure> {
    let value = payload::json(payload::utf8(value(record)?)?)?;
    Ok(event(record, "application/json", Data::Json(value)))
}

/// Decodes a record whose value is text.
///
/// # Errors
/// `tombstone`, `too_many_headers` or `invalid_utf8`.
pub fn decode_text(record: &Record) -> Result<Event, Failure> {
    let text = payload::utf8(value(record)?)?.to_owned();
    Ok(event(record, "text/plain", Data::Text(text)))
}

/// The value of a key that is JSON.
///
/// # Errors
/// `invalid_utf8`, `invalid_json` or `json_too_deep`.
pub fn decode_key(key: &[u8]) -> Result<Value, Failure> {
    payload::utf8(key).and_then(payload::json).map_err(|failure| {
        let detail = "The key is not JSON. Send keys as JSON, or leave source.kafka.key_format at text.";
        Failure::new(failure.code, detail)
    })
}

/// The `source` of a plain record: its topic. Kafka allows no character in a topic name that a URI reference does not.
pub(super) fn source(position: &Position) -> String {
    format!("/kafka/{}", position.topic)
}

/// The `id` of a plain record: where it stands in its topic.
pub(super) fn id(position: &Position) -> String {
    format!("{}/{}", position.partition, position.offset)
}

fn value(record: &Record) -> Result<&Bytes, Failure> {
    cloudevents::check_count(&record.headers)?;
    record.value.as_ref().ok_or_else(cloudevents::tombstone)
}

fn event(record: &Record, content_type: &str, data: Data) -> Event {
    // What happened has not happened again when a dead letter is sent again.
    let timestamp_ms = ReplayMark::of(record).map_or(record.timestamp_ms, |mark| mark.original_timestamp_ms());
    Event {
        id: id(&record.position),
        source: source(&record.position),
        kind: PROMPT_REQUESTED.to_owned(),
        subject: None,
        time: timestamp_ms.and_then(write::timestamp),
        data_content_type: Some(content_type.to_owned()),
        data_schema: None,
        extensions: BTreeMap::new(),
        data,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::codec::attributes::MAX_HEADERS;
    use crate::codec::fixtures::record;
    use crate::domain::failure::Code;

    #[test]
    fn the_position_stands_in_for_the_attributes() {
        let event = decode_json(&record(&[("ce_id", "ignored")], Some(b"{\"a\":1}"))).unwrap();
        assert_eq!((event.source.as_str(), event.id.as_str()), ("/kafka/support.tickets", "3/42"));
        assert_eq!(event.kind, PROMPT_REQUESTED);
        assert_eq!(event.time.as_deref(), Some("2026-01-01T00:00:00.123Z"));
        assert_eq!(event.data, Data::Json(json!({"a":1})));
        assert_eq!(decode_text(&record(&[], Some(b"{}"))).unwrap().data, Data::Text("{}".to_owned()));
    }

    #[test]
    fn a_record_that_is_sent_again_is_of_the_time_that_it_had_at_first() {
        let again = [("sp-replays", "1"), ("sp-replay-of", "in/3/42@1767139200000"), ("sp-replay-of-trace-id", "1b")];
        let event = decode_text(&record(&again, Some(b"hello"))).unwrap();
        assert_eq!(event.time.as_deref(), Some("2025-12-31T00:00:00.000Z"));
    }

    #[test]
    fn timestamps_that_rfc_3339_cannot_write_are_left_out() {
        for ms in [i64::MIN, i64::MAX, 253_402_300_800_000, -62_167_219_200_001] {
            let record = Record { timestamp_ms: Some(ms), ..record(&[], Some(b"x")) };
            assert_eq!(decode_text(&record).unwrap().time, None, "{ms}");
        }
    }

    #[test]
    fn bad_values_are_refused() {
        assert_eq!(decode_json(&record(&[], None)).unwrap_err().code, Code::Tombstone);
        assert_eq!(decode_text(&record(&[], None)).unwrap_err().code, Code::Tombstone);
        assert_eq!(decode_text(&record(&[], Some(b"a\xff"))).unwrap_err().code, Code::InvalidUtf8);
        assert_eq!(decode_json(&record(&[], Some(b"a\xff"))).unwrap_err().code, Code::InvalidUtf8);
        assert_eq!(decode_json(&record(&[], Some(b"hello"))).unwrap_err().code, Code::InvalidJson);
        let many = record(&[("h", ""); MAX_HEADERS + 1], Some(b"1"));
        assert_eq!(decode_json(&many).unwrap_err().code, Code::TooManyHeaders);
    }
}
