//! Lines of a file as records of a topic.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::domain::json;
use crate::domain::record::{Header, Outgoing, Record};
use crate::kafka::settings::RecordFormat;

/// The header that numbers the records, so that each outcome is found again: results and dead letters keep a record's
/// headers.
pub(super) const NUMBER: &str = "demo-record";

/// One record for each line that is not blank. CloudEvents go out half in binary mode, half in structured mode, as a
/// topic with several producers has them. A line that is no CloudEvent goes out as it is: what becomes of it is part of
/// the show.
pub(super) fn records(text: &[u8], format: RecordFormat) -> Vec<Outgoing> {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let records = lines.map(|line| match format {
        RecordFormat::CloudEvents => event(line),
        RecordFormat::Json | RecordFormat::Text => bare(line),
    });
    let numbered = records.enumerate().map(|(number, mut record)| {
        record.headers.push(Header::text(NUMBER, number.to_string()));
        record
    });
    numbered.collect()
}

/// The number of the record that this is the outcome of. A dead letter that only points to its original has none.
pub(super) fn number(outcome: &Record) -> Option<usize> {
    header(outcome, NUMBER)?.parse().ok()
}

/// The last header of this name, as Kafka's own `lastHeader` has it.
pub(super) fn header(record: &Record, name: &str) -> Option<String> {
    let header = record.headers.iter().rev().find(|header| header.name == name)?;
    header.value.as_ref().map(|value| String::from_utf8_lossy(value).into_owned())
}

fn bare(line: &[u8]) -> Outgoing {
    Outgoing { key: None, value: Some(Bytes::copy_from_slice(line)), headers: Vec::new(), timestamp_ms: None }
}

fn event(line: &[u8]) -> Outgoing {
    let parsed = std::str::from_utf8(line).ok().and_then(|line| json::parse(line).ok());
    let parsed: Option<Map<String, Value>> = parsed.and_then(|event| event.as_object().cloned());
    let key = parsed.as_ref().and_then(|event| text(event, "subject")).map(|subject| Bytes::from(subject.to_owned()));
    let binary = parsed.filter(prefers_binary).and_then(binary);
    let mut record = binary.unwrap_or_else(|| Outgoing {
        headers: vec![Header::text("content-type", "application/cloudevents+json; charset=UTF-8")],
        ..bare(line)
    });
    record.key = key;
    record
}

fn text<'a>(event: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    event.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Chosen by the id, so that a repeated event is repeated byte for byte.
fn prefers_binary(event: &Map<String, Value>) -> bool {
    let is_complete = ["specversion", "id", "source", "type"].iter().all(|name| text(event, name).is_some());
    is_complete && text(event, "id").is_some_and(|id| id.bytes().fold(0_u8, u8::wrapping_add) % 2 == 0)
}

/// Kafka's binary mode, if every attribute can be a header.
fn binary(mut event: Map<String, Value>) -> Option<Outgoing> {
    let data = event.remove("data")?;
    let content_type = match event.remove("datacontenttype") {
        Some(Value::String(content_type)) => content_type,
        None => "application/json".to_owned(),
        Some(_) => return None,
    };
    let value = match &data {
        Value::String(text) if content_type.starts_with("text/") => Bytes::from(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Bytes::from(data.to_string())
        }
    };
    let mut headers = vec![Header::text("content-type", content_type)];
    for (name, attribute) in event {
        let attribute = match attribute {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => return None,
        };
        headers.push(Header::text(format!("ce_{name}"), attribute));
    }
    Some(Outgoing { value: Some(value), headers, key: None, timestamp_ms: None })
}
