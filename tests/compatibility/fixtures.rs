//! What a version left behind, as files: its settings, the records that it had been given, its store, its commits, its
//! results.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The commit of the program that left them.
pub const COMMIT: &str = "09495f7";
/// Connectors of the fixtures: group, source topics, sink.
pub const CONNECTORS: &[(&str, &[&str], &str)] = &[
    ("support-triage", &["support.tickets"], "support.triaged"),
    ("refunds", &["refunds.requested", "refunds.appealed"], "refunds.decided"),
    ("order-notes", &["orders.notes"], "orders.notes.parsed"),
    ("letters", &["letters"], "letters.read"),
];
/// Topics of their dead letters.
pub const DEAD_LETTERS: &[&str] = &["support.triage.dlq", "refunds.dlq", "orders.notes.dlq", "letters.dlq"];
/// Records with this text were being asked when the process was killed.
pub const HELD: &str = "HELD";

/// A record of a source topic.
#[derive(Debug, Clone, Deserialize)]
pub struct SourceRecord {
    pub topic: String,
    pub key: Option<String>,
    pub value: String,
    pub headers: BTreeMap<String, String>,
    pub timestamp: i64,
}

/// A record that a connector wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Published {
    pub topic: String,
    pub key: Option<String>,
    pub value: Option<String>,
    pub headers: BTreeMap<String, String>,
}

impl Published {
    /// Says from where an answer comes, so a repetition differs in it.
    const CACHE_HIT: &str = "ce_cachehit";

    pub fn cache_hit(&self) -> &str {
        self.headers.get(Self::CACHE_HIT).map_or("", String::as_str)
    }

    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).cloned().unwrap_or_default()
    }

    /// What has to be the same when the outcome is published again.
    pub fn lasting(mut self) -> Self {
        self.headers.remove(Self::CACHE_HIT);
        self
    }
}

/// What a group committed, with the map of what is completed beyond the offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    pub group: String,
    pub topic: String,
    pub offset: i64,
    pub metadata: String,
}

/// The fixtures of a version.
#[derive(Debug, Clone)]
pub struct Fixtures(PathBuf);

impl Fixtures {
    /// Those of the program of this commit.
    pub fn of(commit: &str) -> Self {
        Self(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility/fixtures").join(commit))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn records(&self) -> Vec<SourceRecord> {
        self.lines("records.jsonl")
    }

    pub fn commits(&self) -> Vec<Commit> {
        self.lines("commits.jsonl")
    }

    pub fn results(&self) -> Vec<Published> {
        self.lines("results.jsonl")
    }

    fn lines<T: DeserializeOwned>(&self, name: &str) -> Vec<T> {
        let text = std::fs::read_to_string(self.path(name)).expect("a fixture");
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    pub fn write<T: Serialize>(&self, name: &str, lines: &[T]) {
        let lines = lines.iter().map(|line| serde_json::to_string(line).expect("JSON") + "\n");
        std::fs::write(self.path(name), lines.collect::<String>()).expect("a fixture");
    }
}
