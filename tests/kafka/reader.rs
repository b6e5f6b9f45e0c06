//! The topics as seen by a client that shares no code with us: `tests/tools/python/read_topics.py`.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::broker;
use super::service::Topics;

#[derive(Debug, Deserialize)]
pub struct Report {
    pub results: usize,
    /// How many results answer each `source\nid`.
    pub result_causes: HashMap<String, usize>,
    pub unparsable: Vec<Value>,
    /// `topic/partition/offset` of each letter's original.
    pub dead_letters: Vec<String>,
    pub dead_letter_codes: HashMap<String, usize>,
    pub dead_letters_without_origin: Vec<String>,
    pub group: Group,
}

#[derive(Debug, Deserialize)]
pub struct Group {
    pub committed: HashMap<String, Option<i64>>,
    pub end: HashMap<String, i64>,
}

impl Report {
    pub fn distinct_dead_letters(&self) -> HashSet<&str> {
        self.dead_letters.iter().map(String::as_str).collect()
    }

    /// Records between the committed offsets and the ends.
    pub fn lag(&self) -> i64 {
        let committed = |partition| self.group.committed.get(partition).copied().flatten().unwrap_or(0);
        self.group.end.iter().map(|(partition, end)| end - committed(partition)).sum()
    }
}

/// Reads a connector's topics.
pub fn read(topics: &Topics) -> Report {
    let python = std::env::var("STRUCTURED_PROMPT_TEST_PYTHON")
        .expect("this test needs the Python reader: run `make test`, or set the variable from scripts/python-tools.sh");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/python/read_topics.py");
    let output = Command::new(python)
        .arg(script)
        .args(["--brokers", &broker::brokers(), "--results", &topics.sink, "--dead-letters", &topics.dead_letters])
        .args(["--inputs", &topics.source, "--group", &topics.group])
        .output()
        .expect("the reader runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the reader's report")
}
