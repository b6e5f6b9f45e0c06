//! A configuration as written: a tree in which every node knows where it stands.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::environment::Environment;
use super::finding::{Finding, Place};

/// Levels below the root that an environment variable can name. The deepest key has 4.
const MAX_VARIABLE_LEVELS: usize = 6;

/// Where a node was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nowhere in particular: the file as a whole, or no file.
    Whole,
    /// In the file; both count from 1.
    At { line: usize, column: usize },
    /// In this environment variable.
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
    Bool(bool),
    Integer(i64),
    Float(f64),
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

    /// The text of an environment variable. An empty variable is null, as there is no other way to write it.
    pub(crate) fn of_variable(name: &Arc<str>, text: &str) -> Self {
        let value = if text.is_empty() { Value::Null } else { Value::Text { text: text.to_owned(), first_line: None } };
        Self { origin: Origin::Variable(Arc::clone(name)), value }
    }

    /// The entries of a mapping, none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Text { .. }
            | Value::List(_) => &[],
        }
    }

    /// The scalar that is meant. The environment has only text, so there `5` and `true` are read as YAML would.
    pub(crate) fn scalar(&self) -> Value {
        match (&self.origin, &self.value) {
            (Origin::Variable(_), Value::Text { text, .. }) => Value::of_plain(text),
            (_, value) => value.clone(),
        }
    }

    /// The same as JSON. Infinite numbers become null; the YAML reader has bounded the depth.
    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Integer(value) => Json::from(*value),
            Value::Float(value) => Json::from(*value),
            Value::Text { text, .. } => Json::from(text.as_str()),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect(),
        }
    }

    /// Where the node at a JSON Pointer (RFC 6901) stands, or the nearest node above it that exists.
    pub(crate) fn origin_at(&self, pointer: &str) -> Origin {
        let (mut node, mut origin) = (self, &self.origin);
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
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
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            ".nan" | ".NaN" | ".NAN" => return Self::Float(f64::NAN),
            _ => {}
        }
        let radix =
            |prefix, radix| text.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok());
        if let Some(integer) = text.parse().ok().or_else(|| radix("0x", 16)).or_else(|| radix("0o", 8)) {
            return Self::Integer(integer);
        }
        match text.strip_prefix(['-', '+']).unwrap_or(text) {
            ".inf" | ".Inf" | ".INF" if text.starts_with('-') => return Self::Float(f64::NEG_INFINITY),
            ".inf" | ".Inf" | ".INF" => return Self::Float(f64::INFINITY),
            _ => {}
        }
        // Rust reads `inf` and `nan` as numbers too; YAML does not.
        let numeric =
            text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
        match text.parse() {
            Ok(float) if numeric => Self::Float(float),
            _ => Self::Text { text: text.to_owned(), first_line: None },
        }
    }
}

impl fmt::Display for Value {
    /// What kind of value it is, in the words of a finding; never the value itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text { .. } => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        })
    }
}

/// Lays environment variables over a tree, `__` between levels. A name means the key that is there, in any case and with
/// `-` and `.` written as `_`; otherwise it is a new key in lower case.
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

fn set(root: &mut Node, levels: &[String], name: &Arc<str>, text: &str) {
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
