//! What tests published when their snapshots were taken: `NAME_test.snapshot.json` beside `NAME_test.yaml`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::TestError;
use super::difference::{Extent, differences};
use crate::app::connector_test::Published;
use crate::cli::say;
use crate::domain::json;
use crate::domain::record::Outgoing;

/// What a snapshot file is called in place of the test file's ending.
const END: &str = "snapshot.json";

/// Headers that are not kept: they change with the time, with each change of the connector's files, or from trace to
/// trace.
const LEFT_OUT: [&str; 9] = [
    "ce_time",
    "ce_dataschema",
    "ce_promptversion",
    "ce_schemaversion",
    "ce_confighash",
    "ce_traceparent",
    "traceparent",
    "sp-first-failed-at",
    "sp-trace-id",
];

/// The snapshots of one file of tests.
pub(super) struct Snapshots {
    path: PathBuf,
    /// As they are in the file.
    read: Map<String, Value>,
    /// Those that the tests of this run have.
    seen: Map<String, Value>,
}

impl Snapshots {
    /// Reads those of a test file.
    pub(super) fn of(test_file: &Path) -> Result<Self, TestError> {
        let path = test_file.with_extension(END);
        let wrong = |why: &str| {
            TestError::Snapshot(format!(
                "{}: {why}; repair it, or remove it and take it anew with --update",
                path.display()
            ))
        };
        let read = match fs::read_to_string(&path) {
            Ok(text) => json::parse(&text).map_err(|fault| wrong(&fault.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Value::Object(Map::new()),
            Err(error) => return Err(wrong(&format!("cannot be read: {error}"))),
        };
        let Value::Object(read) = read else { return Err(wrong("it is not an object of snapshots")) };
        Ok(Self { path, read, seen: Map::new() })
    }

    /// How what a test published differs from its snapshot, which it replaces for `update`.
    pub(super) fn compare(&mut self, test: &str, published: Value, update: bool) -> Vec<String> {
        let before = self.read.get(test);
        if update || before.is_none() {
            self.seen.insert(test.to_owned(), published);
            let is_missing = !update;
            return is_missing.then(|| "there is no snapshot; take it with --update".to_owned()).into_iter().collect();
        }
        let found = before.map(|before| differences(before, &published, Extent::Exactly)).unwrap_or_default();
        found.into_iter().map(|line| format!("snapshot: {line}")).collect()
    }

    /// Keeps the snapshot of a test whose record came to no end.
    pub(super) fn keep(&mut self, test: &str) {
        if let Some(before) = self.read.get(test) {
            self.seen.insert(test.to_owned(), before.clone());
        }
    }

    /// Writes what was seen in place of what was there, if it is something else.
    pub(super) fn write(self) -> Result<(), TestError> {
        let Self { path, read, seen } = self;
        if read == seen {
            return Ok(());
        }
        let written = if seen.is_empty() {
            fs::remove_file(&path)
        } else {
            fs::write(&path, format!("{:#}\n", Value::Object(seen)))
        };
        written.map_err(|error| io::Error::other(format!("{} cannot be written: {error}", path.display())))?;
        say(format_args!("updated {}", path.display()));
        Ok(())
    }
}

/// What is kept of a published record.
pub(super) fn kept(published: &Published) -> Value {
    let outgoing = &published.settled.outgoing;
    let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
    let kept = outgoing.headers.iter().filter(|header| !LEFT_OUT.contains(&&*header.name));
    let headers: Map<String, Value> = kept
        .map(|header| (header.name.clone().into_owned(), header.value.as_deref().map_or(Value::Null, text)))
        .collect();
    json!({
        "topic": &*published.topic,
        "key": outgoing.key.as_deref().map_or(Value::Null, text),
        "headers": headers,
        "value": value(outgoing),
    })
}

/// A record's value as JSON; as text, where it is none.
pub(super) fn value(outgoing: &Outgoing) -> Value {
    let Some(value) = &outgoing.value else { return Value::Null };
    let text = String::from_utf8_lossy(value);
    json::parse(&text).unwrap_or_else(|_| Value::from(text.into_owned()))
}
