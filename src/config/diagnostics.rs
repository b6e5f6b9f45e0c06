//! Where readers of a configuration report what is wrong, and go on.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::document::{Node, Origin};
use super::finding::{Finding, Place};
use super::values::Problem;
use super::yaml;
use crate::domain::text;

/// A key and where it was written: what a later check needs to report it.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub(crate) origin: Origin,
    pub(crate) path: String,
}

/// The page that describes the keys of connectors and runtime configurations.
const PAGE: &str = "docs/configuration.md";

/// Collects findings about one file (or about the environment alone), and the keys that its readers know.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    file: Option<PathBuf>,
    /// The page that describes its keys, if it is another than usual.
    page: Cell<Option<&'static str>>,
    findings: RefCell<Vec<Finding>>,
    known: RefCell<BTreeSet<String>>,
}

impl Diagnostics {
    pub(crate) fn new(file: Option<&Path>) -> Self {
        Self { file: file.map(Path::to_path_buf), ..Self::default() }
    }

    /// From now on this page describes the keys that are read.
    pub(crate) fn described_in(&self, page: &'static str) {
        self.page.set(Some(page));
    }

    /// The page that describes the keys that are read.
    pub(crate) fn page(&self) -> &'static str {
        self.page.get().unwrap_or(PAGE)
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

    /// Notes that a key is read.
    pub(crate) fn know(&self, pattern: &str) {
        self.known.borrow_mut().insert(pattern.to_owned());
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
