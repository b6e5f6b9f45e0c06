//! Reading a mapping: typed getters that note findings and go on, and remember which keys exist.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::document::{Entry, Node, Origin, Value};
use super::finding::{Finding, Place};
use super::nearest::nearest;
use super::values::Problem;
use super::yaml::{self, join};
use crate::domain::text;

/// A key and where it was written: what a later check needs to report it.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub(crate) origin: Origin,
    pub(crate) path: String,
}

/// Collects findings about one file (or about the environment alone), and the keys that its readers know.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    file: Option<PathBuf>,
    findings: RefCell<Vec<Finding>>,
    known: RefCell<BTreeSet<String>>,
}

impl Diagnostics {
    pub(crate) fn new(file: Option<&Path>) -> Self {
        Self { file: file.map(Path::to_path_buf), ..Self::default() }
    }

    /// Notes that something is wrong at a location.
    pub(crate) fn note(&self, location: &Location, problem: Problem) {
        let place = self.place(&location.origin);
        self.add(Finding { place, key_path: location.path.clone(), message: problem.message, help: problem.help });
    }

    /// Notes a finding that has its own place.
    pub(crate) fn add(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// Where an origin is, as a reader of findings sees it.
    pub(crate) fn place(&self, origin: &Origin) -> Place {
        match (origin, &self.file) {
            (Origin::Variable(name), _) => Place::Variable(name.to_string()),
            (_, None) => Place::Defaults,
            (Origin::Whole, Some(file)) => Place::Path(file.clone()),
            (Origin::At { line, column }, Some(file)) => {
                Place::Line { file: file.clone(), line: *line, column: *column }
            }
        }
    }

    /// Reads the file; a finding and `None` when that cannot be done.
    pub(crate) fn text(&self, path: &Path, location: &Location) -> Option<String> {
        let failed = |message: String, help: &str| self.note(location, Problem::new(message, help));
        let shown = path.display();
        match std::fs::metadata(path) {
            Ok(about) if about.is_dir() => {
                failed(format!("{shown} is a directory"), "name a file");
                return None;
            }
            Ok(about) if about.len() > yaml::MAX_BYTES => {
                failed(format!("{shown} is larger than {} bytes", yaml::MAX_BYTES), "name another file");
                return None;
            }
            _ => {}
        }
        let read = std::fs::read(path);
        let bytes = read
            .map_err(|error| failed(format!("{shown} cannot be read: {error}"), "check the path and its permissions"))
            .ok()?;
        text::decode(&bytes).map_err(|fault| failed(format!("{shown} is no text: {fault}"), "save it as UTF-8")).ok()
    }

    /// The tree of a YAML text; what is wrong with the text is noted.
    pub(crate) fn tree(&self, text: &str) -> Option<Node> {
        let (node, errors) = yaml::parse(text);
        for error in errors {
            let location = Location { origin: error.origin, path: error.key_path };
            self.note(&location, Problem::new(error.message, error.help));
        }
        node
    }

    /// Number of findings so far.
    pub(crate) fn count(&self) -> usize {
        self.findings.borrow().len()
    }

    /// Keys that were asked for, as patterns such as `providers.<name>.model`.
    #[cfg(test)]
    pub(crate) fn known(&self) -> BTreeSet<String> {
        self.known.borrow().clone()
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings.into_inner()
    }
}

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
        self.diagnostics.known.borrow_mut().insert(pattern.clone());
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
            let help = format!("add `{key}` here; docs/configuration.md describes it");
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
        self.diagnostics.known.borrow_mut().insert(pattern.clone());
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
