//! The files that are asked for: results, dead letters, metrics. They are created before anything is asked, so that a
//! path that cannot be written costs nothing.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::events::{NUMBER, header};
use super::{Args, DemoError};
use crate::domain::json::parse;
use crate::domain::record::Record;

pub(super) struct Files<'a> {
    results: Option<(&'a Path, File)>,
    dead_letters: Option<(&'a Path, File)>,
    metrics: Option<(&'a Path, File)>,
}

impl<'a> Files<'a> {
    pub(super) fn create(args: &'a Args) -> Result<Self, DemoError> {
        Ok(Self {
            results: create(args.results.as_deref())?,
            dead_letters: create(args.dead_letters.as_deref())?,
            metrics: create(args.metrics.as_deref())?,
        })
    }

    pub(super) fn write(self, results: &[Record], dead_letters: &[Record], metrics: &str) -> Result<(), DemoError> {
        write(self.results, &lines(results, result_line))?;
        write(self.dead_letters, &lines(dead_letters, dead_letter_line))?;
        write(self.metrics, metrics)
    }
}

fn create(path: Option<&Path>) -> Result<Option<(&Path, File)>, DemoError> {
    let Some(path) = path else { return Ok(None) };
    Ok(Some((path, File::create(path).map_err(|source| DemoError::file(path, source))?)))
}

fn lines(records: &[Record], line: fn(&Record) -> String) -> String {
    records.iter().map(|record| line(record) + "\n").collect()
}

fn write(file: Option<(&Path, File)>, text: &str) -> Result<(), DemoError> {
    let Some((path, mut file)) = file else { return Ok(()) };
    file.write_all(text.as_bytes()).map_err(|source| DemoError::file(path, source))
}

/// A result in the CloudEvents JSON format.
fn result_line(record: &Record) -> String {
    let mut event = Map::new();
    for header in &record.headers {
        let value = header.value.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        if let Some(attribute) = header.name.strip_prefix("ce_") {
            event.insert(attribute.to_owned(), json!(value));
        } else if header.name == "content-type" {
            event.insert("datacontenttype".to_owned(), json!(value));
        }
    }
    let text = record.value.as_deref().and_then(|value| std::str::from_utf8(value).ok());
    let data = text.and_then(|text| parse(text).ok());
    event.insert("data".to_owned(), data.unwrap_or(Value::Null));
    Value::Object(event).to_string()
}

/// A dead letter with its original value and all of its headers.
fn dead_letter_line(record: &Record) -> String {
    let ours = record.headers.iter().filter(|header| header.name != NUMBER);
    let headers: Vec<Value> =
        ours.map(|header| json!([header.name, header.value.as_deref().map(String::from_utf8_lossy)])).collect();
    let mut letter = json!({
        "code": header(record, "sp-error-code"),
        "detail": header(record, "sp-error-detail"),
        "key": record.key.as_deref().map(String::from_utf8_lossy),
        "headers": headers,
    });
    let (name, value) = match record.value.as_deref().map(|value| (value, std::str::from_utf8(value))) {
        None => ("value", Value::Null),
        Some((_, Ok(text))) => ("value", json!(text)),
        Some((bytes, Err(_))) => ("value_base64", json!(BASE64.encode(bytes))),
    };
    if let Some(letter) = letter.as_object_mut() {
        letter.insert(name.to_owned(), value);
    }
    letter.to_string()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::domain::record::Position;

    #[test]
    fn results_are_written_with_their_digits() {
        let record = Record {
            position: Position { topic: "out".into(), partition: 0, offset: 0 },
            key: None,
            value: Some(Bytes::from_static(br#"{"iban":500105175407324931000123,"n":[1E5,1.10]}"#)),
            headers: Vec::new(),
            timestamp_ms: None,
        };
        assert_eq!(result_line(&record), r#"{"data":{"iban":500105175407324931000123,"n":[1E5,1.10]}}"#);
    }
}
