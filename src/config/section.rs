//! Reading a mapping: typed getters that note findings and go on, and remember which keys exist.

use super::diagnostics::{Diagnostics, Location};
use super::document::{Entry, Node, Origin, Value};
use super::values::Problem;
use super::yaml::join;
use crate::domain::nearest::nearest;

/// A mapping that is being read. [`Section::finish`] reports the keys that nobody asked for.
pub(crate) struct Section<'a> {
    diagnostics: &'a Diagnostics,
    entries: &'a [Entry],
    location: Location,
    pattern: String,
    known: Vec<&'static str>,
    /// Not a mapping: that has been noted, so do not also complain about every required key.
    broken: bool,
}

impl<'a> Section<'a> {
    /// The top level of a document.
    pub(crate) fn root(diagnostics: &'a Diagnostics, node: &'a Node) -> Self {
        Self::of(diagnostics, Some(node), Location { origin: Origin::Whole, path: String::new() }, String::new())
    }

    /// A section of its own. `pattern` is the path with placeholders for names that users choose.
    pub(crate) fn of(
        diagnostics: &'a Diagnostics,
        node: Option<&'a Node>,
        location: Location,
        pattern: String,
    ) -> Self {
        let broken = node.is_some_and(|node| !matches!(node.value, Value::Map(_) | Value::Null));
        if let Some(node) = node.filter(|_| broken) {
            let help = "write its keys below it, indented, or as { key: value }";
            diagnostics.note(&location, Problem::expected("a mapping", &node.value).help(help));
        }
        let entries = node.map_or(&[][..], Node::entries);
        Self { diagnostics, entries, location, pattern, known: Vec::new(), broken }
    }

    /// Where this section stands.
    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// Where a key stands; where the section stands if it was left out.
    pub(crate) fn location_of(&self, key: &str) -> Location {
        let mut path = self.location.path.clone();
        join(&mut path, key);
        let entry = self.entries.iter().find(|entry| entry.key == key);
        Location { origin: entry.map_or_else(|| self.location.origin.clone(), |entry| entry.node_or_key()), path }
    }

    fn location_of_key(&self, entry: &Entry) -> Location {
        let mut path = self.location.path.clone();
        join(&mut path, &entry.key);
        Location { origin: entry.key_origin.clone(), path }
    }

    fn know(&mut self, key: &'static str) -> String {
        self.known.push(key);
        let mut pattern = self.pattern.clone();
        join(&mut pattern, key);
        self.diagnostics.know(&pattern);
        pattern
    }

    /// The node of a key as written, null included.
    pub(crate) fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.know(key);
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The section below a key; an empty one if it was left out.
    pub(crate) fn section(&mut self, key: &'static str) -> Self {
        let node = self.node(key);
        let pattern = self.know(key);
        let mut section = Self::of(self.diagnostics, node, self.location_of(key), pattern);
        section.broken |= self.broken;
        section
    }

    /// An optional value. Null is the same as leaving the key out.
    pub(crate) fn get<T>(&mut self, key: &'static str, parse: impl Fn(&Node) -> Result<T, Problem>) -> Option<T> {
        let node = self.node(key).filter(|node| node.value != Value::Null)?;
        parse(node).map_err(|problem| self.diagnostics.note(&self.location_of(key), problem)).ok()
    }

    /// A value that must be there.
    pub(crate) fn require<T>(&mut self, key: &'static str, parse: impl Fn(&Node) -> Result<T, Problem>) -> Option<T> {
        let missing = self.node(key).is_none_or(|node| node.value == Value::Null);
        if missing {
            self.missing(key);
            return None;
        }
        self.get(key, parse)
    }

    /// Notes that a key is missing.
    pub(crate) fn missing(&self, key: &str) {
        if !self.broken {
            let help = format!("add `{key}` here; {} describes it", self.diagnostics.page());
            self.diagnostics.note(&self.location_of(key), Problem::new("is missing", help));
        }
    }

    /// An optional list, each item with its own findings. In the environment items stand between commas.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&Node) -> Result<T, Problem>,
    ) -> Option<Vec<(T, Location)>> {
        let node = self.node(key).filter(|node| node.value != Value::Null)?;
        let split: Vec<Node>;
        let items = match (&node.value, &node.origin) {
            (Value::List(items), _) => items,
            (Value::Text { text, .. }, Origin::Variable(name)) => {
                split = text.split(',').map(|item| Node::of_variable(name, item.trim())).collect();
                &split
            }
            (value, _) => {
                let problem = Problem::expected("a list", value).help("write [one, two], or one per line after a dash");
                self.diagnostics.note(&self.location_of(key), problem);
                return None;
            }
        };
        if items.is_empty() {
            self.diagnostics
                .note(&self.location_of(key), Problem::new("the list is empty", "add an item, or leave the key out"));
            return None;
        }
        let path = self.location_of(key).path;
        let read = items.iter().enumerate().filter_map(|(index, item)| {
            let location = Location { origin: item.origin.clone(), path: format!("{path}[{index}]") };
            parse(item).map_err(|problem| self.diagnostics.note(&location, problem)).ok().map(|value| (value, location))
        });
        Some(read.collect())
    }

    /// The entries of a mapping whose keys the user chooses; each comes with its location and pattern.
    pub(crate) fn names(&mut self, key: &'static str, placeholder: &str) -> Vec<(&'a Entry, Location, String)> {
        let section = self.section(key);
        let mut pattern = section.pattern.clone();
        join(&mut pattern, placeholder);
        self.diagnostics.know(&pattern);
        let each = |entry: &'a Entry| (entry, section.location_of_key(entry), pattern.clone());
        section.entries.iter().map(each).collect()
    }

    /// Reports the keys that were written but do not exist.
    pub(crate) fn finish(self) {
        for entry in self.entries.iter().filter(|entry| !self.known.contains(&entry.key.as_str())) {
            let mut known = self.known.clone();
            known.dedup();
            let help = match nearest(&entry.key, known.iter().copied()) {
                Some(key) => format!("did you mean `{key}`?"),
                None => format!("known keys here: {}", known.join(", ")),
            };
            let location = self.location_of_key(entry);
            self.diagnostics.note(&location, Problem::new("there is no such key", help));
        }
    }
}

impl Entry {
    /// The key for collections, whose own start may be lines below it; the value for everything else.
    fn node_or_key(&self) -> Origin {
        match self.node.value {
            Value::List(_) | Value::Map(_) | Value::Null => self.key_origin.clone(),
            Value::Bool { .. } | Value::Number { .. } | Value::Text { .. } => self.node.origin.clone(),
        }
    }
}
