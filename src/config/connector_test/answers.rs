//! What a provider says in a test: `answer`, `raw` or `cassette`.

use std::path::{Path, PathBuf};

use super::{object, scalar_text};
use crate::config::diagnostics::Diagnostics;
use crate::config::document::{Node, Value};
use crate::config::section::Section;
use crate::config::values::{Problem, text};

/// What a provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    /// These texts, one a call. Where there is none, nobody may be asked.
    Written(Vec<String>),
    /// What is recorded in this directory.
    Recorded(PathBuf),
}

/// Reads the one of the keys that is there.
pub(super) fn read(diagnostics: &Diagnostics, section: &mut Section<'_>, base: &Path) -> Answers {
    let mut is_written = |key| section.node(key).is_some_and(|node| node.value != Value::Null);
    let written: Vec<&str> = ["answer", "raw", "cassette"].into_iter().filter(|key| is_written(*key)).collect();
    if let [first, second, ..] = written.as_slice() {
        let help = "keep one of them; JSON as text, under raw, can stand beside other texts";
        let problem = Problem::new(format!("there is {first} already"), help);
        diagnostics.note(&section.location_of(second), problem);
    }
    let answers = one_or_more(section, "answer", |node| object(node).map(|data| data.to_string()));
    let raw = one_or_more(section, "raw", scalar_text);
    match section.get("cassette", |node| directory(node, base)) {
        Some(directory) => Answers::Recorded(directory),
        None => Answers::Written(answers.into_iter().chain(raw).collect()),
    }
}

/// A value, or a list of such values.
fn one_or_more<T>(section: &mut Section<'_>, key: &'static str, parse: impl Fn(&Node) -> Result<T, Problem>) -> Vec<T> {
    if section.node(key).is_some_and(|node| matches!(node.value, Value::List(_))) {
        let items = section.list(key, parse).unwrap_or_default();
        return items.into_iter().map(|(item, _)| item).collect();
    }
    section.get(key, parse).into_iter().collect()
}

fn directory(node: &Node, base: &Path) -> Result<PathBuf, Problem> {
    let directory = base.join(text(node)?);
    if directory.is_dir() {
        return Ok(directory);
    }
    let help = "record the answers with structured-prompt eval --record, or with llm.record";
    Err(Problem::new(format!("{} is not a directory", directory.display()), help))
}
