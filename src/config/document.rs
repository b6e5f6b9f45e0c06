//! A configuration as written: a tree in which every node knows where it stands.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::environment::Environment;
use super::finding::{Finding, Place};
use super::scalar;
use crate::domain::json::pointer;

/// Levels below the root that an environment variable can name. The deepest key has 4.
const MAX_VARIABLE_LEVELS: usize = 6;

/// Where a node was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nowhere in particular: the file as a whole, or no file.
    Whole,
    /// In the file; both count from 1.
    At { line: usize, column: usize },
    /// In this environment variable, or argument of the command line.
    Variable(Arc<str>),
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) value: Value,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    /// `text` is the word as written, for keys that want a text.
    Bool {
        value: bool,
        text: String,
    },
    /// As written: a text is wanted of some (`client.id: 0042`), all digits of others.
    Number {
        text: String,
    },
    /// `first_line` is the file's line of the text's first line, for literal blocks only: elsewhere YAML folds lines.
    Text {
        text: String,
        first_line: Option<usize>,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_origin: Origin,
    pub(crate) node: Node,
}

impl Node {
    /// A mapping without entries.
    pub(crate) fn empty() -> Self {
        Self { origin: Origin::Whole, value: Value::Map(Vec::new()) }
    }

    /// The text of an environment variable or argument. An empty one is null, as there is no other way to write it.
    pub(crate) fn of_variable(name: &Arc<str>, text: &str) -> Self {
        let value = if text.is_empty() { Value::Null } else { Value::Text { text: text.to_owned(), first_line: None } };
        Self { origin: Origin::Variable(Arc::clone(name)), value }
    }

    /// The entries of a mapping, none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Null | Value::Bool { .. } | Value::Number { .. } | Value::Text { .. } | Value::List(_) => &[],
        }
    }

    /// The scalar that is meant. The environment has only text, so there `5` and `true` are read as YAML would.
    pub(crate) fn scalar(&self) -> Value {
        match (&self.origin, &self.value) {
            (Origin::Variable(_), Value::Text { text, .. }) => Value::of_plain(text),
            (_, value) => value.clone(),
        }
    }

    /// The same as JSON, numbers with all of their digits. Infinite numbers become null; the YAML reader has bounded
    /// the depth, and the digits of numbers.
    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool { value, .. } => Json::Bool(*value),
            Value::Number { text } => scalar::to_json(text).map_or(Json::Null, Json::Number),
            Value::Text { text, .. } => Json::from(text.as_str()),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect(),
        }
    }

    /// Where the node at a JSON Pointer (RFC 6901) stands, or the nearest node above it that exists.
    pub(crate) fn origin_at(&self, pointer: &str) -> Origin {
        let (mut node, mut origin) = (self, &self.origin);
        for token in pointer::tokens(pointer) {
            if let Some(entry) = node.entries().iter().find(|entry| entry.key == token) {
                (node, origin) = (&entry.node, &entry.key_origin);
                continue;
            }
            let Value::List(items) = &node.value else { break };
            let Some(item) = token.parse::<usize>().ok().and_then(|index| items.get(index)) else { break };
            (node, origin) = (item, &item.origin);
        }
        origin.clone()
    }
}

impl Value {
    /// Resolves a plain scalar by YAML 1.2's core schema (section 10.3.2).
    pub(crate) fn of_plain(text: &str) -> Self {
        let text = text.to_owned();
        match text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "True" | "TRUE" => Self::Bool { value: true, text },
            "false" | "False" | "FALSE" => Self::Bool { value: false, text },
            number if scalar::is_number(number) => Self::Number { text },
            _ => Self::Text { text, first_line: None },
        }
    }
}

impl fmt::Display for Value {
    /// What kind of value it is, in the words of a finding; never the value itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "nothing",
            Self::Bool { .. } => "true or false",
            Self::Number { .. } => "a number",
            Self::Text { .. } => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        })
    }
}

/// Lays environment variables over a tree, `__` between levels. A name means the key that is there, in any case and
/// with `-` and `.` written as `_`; otherwise it is a new key in lower case.
pub(crate) fn overlay(root: &mut Node, environment: &Environment) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, rest, text) in environment.settings() {
        let levels: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
        if levels.len() > MAX_VARIABLE_LEVELS || levels.iter().any(String::is_empty) {
            findings.push(Finding {
                place: Place::Variable(name.to_owned()),
                key_path: String::new(),
                message: "the name leads to no key".to_owned(),
                help: "write the levels of a key with two underscores between them: STRUCTURED_PROMPT_KAFKA__BROKERS"
                    .to_owned(),
            });
            continue;
        }
        let name: Arc<str> = Arc::from(name);
        set(root, &levels, &name, text);
    }
    findings
}

/// Replaces what stands at these levels by a text that is given outside of the file, under this name.
pub(super) fn set(root: &mut Node, levels: &[String], name: &Arc<str>, text: &str) {
    let Some((level, below)) = levels.split_first() else {
        *root = Node::of_variable(name, text);
        return;
    };
    if !matches!(root.value, Value::Map(_)) {
        *root = Node { origin: Origin::Variable(Arc::clone(name)), value: Value::Map(Vec::new()) };
    }
    let Value::Map(entries) = &mut root.value else { return };
    let index = entries.iter().position(|entry| as_level(&entry.key) == *level).unwrap_or_else(|| {
        let key_origin = Origin::Variable(Arc::clone(name));
        entries.push(Entry { key: level.clone(), key_origin, node: Node::of_variable(name, "") });
        entries.len() - 1
    });
    if let Some(entry) = entries.get_mut(index) {
        set(&mut entry.node, below, name, text);
    }
}

fn as_level(key: &str) -> String {
    key.to_ascii_lowercase().replace(['-', '.'], "_")
}
