//! Tests of connectors as users write them: `NAME_test.yaml` beside `NAME.yaml`.
//!
//! - `find`: which files they are; `answers`: what a provider says in a test; `expected`: what is to come of it.

mod answers;
mod expected;
pub(in crate::config) mod find;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

pub use self::answers::Answers;
pub use self::expected::{Expected, ExpectedOutcome};
pub use self::find::{find, is_test_file};
use super::diagnostics::{Diagnostics, Location};
use super::document::{Entry, Node, Origin, Value};
use super::finding::{Finding, Findings};
use super::section::Section;
use super::values::{self, Problem};

/// The page that describes the keys.
const PAGE: &str = "docs/testing-connectors.md";

/// A file of tests.
#[derive(Debug, Clone, PartialEq)]
pub struct TestFile {
    /// The file itself.
    pub path: PathBuf,
    /// The connector that it tests.
    pub connector: PathBuf,
    /// Its tests, in order. Their names differ.
    pub tests: Vec<ConnectorTest>,
}

/// One record, what a provider says of it, and what is to come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectorTest {
    /// Its name, one of its own in the file.
    pub name: String,
    /// The line that it begins in, from 1.
    pub line: usize,
    /// What the connector receives: a CloudEvent in the JSON format, or what the connector's format says.
    pub event: Json,
    /// The record's key.
    pub key: Option<String>,
    /// The record's headers.
    pub headers: Vec<(String, String)>,
    /// What the provider says.
    pub answers: Answers,
    /// What is to come of it.
    pub expected: Expected,
}

/// Reads a file of tests.
///
/// # Errors
/// Everything that is wrong in it, at once.
pub fn load(file: &Path) -> Result<TestFile, Findings> {
    let diagnostics = Diagnostics::new(Some(file));
    let read = read(&diagnostics, file);
    let findings = Findings::new(diagnostics.into_findings());
    // A file that could not be read has a finding that says why.
    read.filter(|_| findings.is_empty()).ok_or(findings)
}

/// What is wrong in a file of tests.
pub(super) fn check(file: &Path) -> Vec<Finding> {
    let diagnostics = Diagnostics::new(Some(file));
    // The tests themselves are of no interest here.
    drop(read(&diagnostics, file));
    diagnostics.into_findings()
}

/// Reads a file of tests. Findings go to the diagnostics.
fn read(diagnostics: &Diagnostics, file: &Path) -> Option<TestFile> {
    diagnostics.described_in(PAGE);
    let whole = Location { origin: Origin::Whole, path: String::new() };
    let connector = connector_of(diagnostics, file, &whole);
    let text = diagnostics.text(file, &whole)?;
    let before = diagnostics.count();
    let node = match diagnostics.tree(&text) {
        Some(node) => node,
        None if diagnostics.count() > before => return None,
        None => Node::empty(),
    };
    let mut root = Section::root(diagnostics, &node);
    let items = root.list("tests", |item| Ok(item.clone()));
    if root.node("tests").is_none_or(|tests| tests.value == Value::Null) {
        root.missing("tests");
    }
    root.finish();
    let (mut names, mut tests) = (HashSet::new(), Vec::new());
    for (item, location) in items.into_iter().flatten() {
        let section = Section::of(diagnostics, Some(&item), location.clone(), "tests[]".to_owned());
        let Some(test) = test(diagnostics, section, base(file)) else { continue };
        if !names.insert(test.name.clone()) {
            let help = "give each test of the file a name of its own; snapshots are found by it";
            diagnostics.note(&location, Problem::new("another test has the same name", help));
        }
        tests.push(test);
    }
    Some(TestFile { path: file.to_path_buf(), connector: connector?, tests })
}

/// The connector whose name the file has, and that stands beside it.
fn connector_of(diagnostics: &Diagnostics, file: &Path, whole: &Location) -> Option<PathBuf> {
    let beside = find::connectors_of(file);
    let found = beside.iter().find(|path| path.is_file()).cloned();
    if found.is_none() {
        let names: Vec<String> = beside.iter().map(|path| path.display().to_string()).collect();
        let message = format!("there is no connector that it tests: neither {}", names.join(" nor "));
        let help = "a test file stands beside its connector and has its name: reviews_test.yaml tests reviews.yaml";
        diagnostics.note(whole, Problem::new(message, help));
    }
    found
}

fn base(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// Reads one test. Paths in it are relative to `base`.
fn test(diagnostics: &Diagnostics, mut section: Section<'_>, base: &Path) -> Option<ConnectorTest> {
    let line = match section.location().origin {
        Origin::At { line, .. } => line,
        Origin::Whole | Origin::Variable(_) => 1,
    };
    let name = section.require("name", values::text);
    let event = section.node("event").map(Node::to_json);
    if event.is_none() {
        section.missing("event");
    }
    let key = section.get("key", scalar_text);
    let headers = texts(diagnostics, section.names("headers", "<name>"));
    let answers = answers::read(diagnostics, &mut section, base);
    let expected = match section.node("expect") {
        Some(_) => Some(expected::read(diagnostics, section.section("expect"))),
        None => {
            section.missing("expect");
            None
        }
    };
    section.finish();
    Some(ConnectorTest { name: name?, line, event: event?, key, headers, answers, expected: expected? })
}

/// The texts of a mapping whose keys the user chooses.
fn texts(diagnostics: &Diagnostics, entries: Vec<(&Entry, Location, String)>) -> Vec<(String, String)> {
    let read = entries.into_iter().filter_map(|(entry, location, _)| {
        let text = scalar_text(&entry.node).map_err(|problem| diagnostics.note(&location, problem));
        Some((entry.key.clone(), text.ok()?))
    });
    read.collect()
}

/// Text, which may be empty. A number or `true` without quotes is the text that it was written as.
fn scalar_text(node: &Node) -> Result<String, Problem> {
    match &node.value {
        Value::Text { text, .. } | Value::Bool { text, .. } | Value::Number { text } => Ok(text.clone()),
        found @ (Value::Null | Value::List(_) | Value::Map(_)) => Err(Problem::expected("text", found)),
    }
}

/// A mapping, as JSON.
fn object(node: &Node) -> Result<Json, Problem> {
    match &node.value {
        Value::Map(_) => Ok(node.to_json()),
        found @ (Value::Null | Value::Bool { .. } | Value::Number { .. } | Value::Text { .. } | Value::List(_)) => {
            Err(Problem::expected("a mapping", found).help("write the data as { field: value }"))
        }
    }
}

#[cfg(test)]
mod tests;
