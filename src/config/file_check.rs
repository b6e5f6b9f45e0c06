//! Checking files without running anything: no network, no secrets.

mod sizes;

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use super::connector::{self, ConnectorConfig, RuntimeDefaults, wiring};
use super::connector_test::{self, is_test_file};
use super::diagnostics::{Diagnostics, Location};
use super::document::{Node, Origin};
use super::environment::Environment;
use super::finding::{Finding, Findings, Place};
use super::runtime::{self, Checked, CheckedProvider};
use super::top_level_keys::{CONNECTOR_KEYS, RUNTIME_KEYS};
use super::values::Problem;
use crate::domain::nearest::nearest;
use crate::prompt::library as templates;
use crate::schema::{dialect, library as schemas};

/// What a look at some files showed.
#[derive(Debug)]
pub struct Report {
    /// Number of files that were looked at.
    pub files: usize,
    /// What is wrong in them.
    pub findings: Findings,
    /// What is worth knowing about them.
    pub notes: Vec<String>,
}

/// What a file is, by its top-level keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Connector,
    Runtime,
    Unclear,
}

/// The kind to which most of the keys belong; misspelt ones count where nothing else does.
fn kind(node: &Node) -> Kind {
    let keys: Vec<&str> = node.entries().iter().map(|entry| entry.key.as_str()).collect();
    let count = |is_one: &dyn Fn(&str) -> bool| keys.iter().filter(|key| is_one(key)).count();
    let of = |known: &'static [&'static str]| {
        (count(&|key| known.contains(&key)), count(&|key| nearest(key, known.iter().copied()).is_some()))
    };
    match of(&CONNECTOR_KEYS).cmp(&of(&RUNTIME_KEYS)) {
        Ordering::Greater => Kind::Connector,
        Ordering::Less => Kind::Runtime,
        Ordering::Equal => Kind::Unclear,
    }
}

/// Checks files and directories: each file by itself, connectors against the providers of the runtime files among them
/// (or else the one at `usual_runtime`, if it is there), and all connectors together. The environment is laid over runtime
/// files, as it is when the program runs.
pub fn check(paths: &[PathBuf], usual_runtime: &Path, environment: &Environment) -> Report {
    let (files, mut findings) = connector::yaml_files(paths);
    let count = files.len();
    let (tests, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_test_file(file));
    findings.extend(tests.iter().flat_map(|file| connector_test::check(file)));
    let mut connectors = Vec::new();
    let mut checked: Option<Checked> = None;
    for file in files {
        let diagnostics = Diagnostics::new(Some(&file));
        let is_usual = file == usual_runtime;
        match connector::read_tree(&diagnostics, &file)
            .map(|node| (if is_usual { Kind::Runtime } else { kind(&node) }, node))
        {
            Some((Kind::Connector, node)) => connectors.push((file, node)),
            Some((Kind::Runtime, node)) => {
                checked.get_or_insert_default().extend(runtime::check(&diagnostics, Some(&file), node, environment));
            }
            Some((Kind::Unclear, _)) => {
                let help = "a connector has name and source; a runtime configuration has kafka, providers or the like";
                let whole = Location { origin: Origin::Whole, path: String::new() };
                diagnostics.note(&whole, Problem::new("neither a connector nor a runtime configuration", help));
            }
            None => {}
        }
        findings.extend(diagnostics.into_findings());
    }
    if checked.is_none() {
        let (of_usual, of_environment) = check_unnamed(usual_runtime, environment);
        checked = of_usual;
        findings.extend(of_environment);
    }
    let defaults = RuntimeDefaults {
        cache_ttl: std::time::Duration::ZERO,
        has_store: checked.as_ref().is_none_or(|checked| checked.has_store),
        providers: checked
            .as_ref()
            .map(|checked| checked.providers.iter().map(|provider| (provider.name.clone(), None)).collect()),
        nobody_to_ask: None,
    };
    let checked = checked.unwrap_or_default();
    let mut notes: Vec<String> = environment.misspelt().map(noted_misspelt).collect();
    let mut wirings = Vec::new();
    for (file, node) in connectors {
        let diagnostics = Diagnostics::new(Some(&file));
        let read = connector::read(&diagnostics, &file, &node, &defaults);
        if let Some(connector) = &read.config {
            let remarks =
                connector.schema.known().map(|schema| connector::schema::review(&diagnostics, &node, schema, &file));
            notes.extend(remarks.iter().flatten().map(noted));
            notes.extend(notes_on_names(connector));
            notes.extend(notes_on(connector, &checked));
            notes.extend(sizes::check(&diagnostics, &node, connector, &checked));
        }
        wirings.push(read.wiring);
        findings.extend(diagnostics.into_findings());
    }
    findings.extend(wiring::check_together(wirings.iter()));
    Report { files: count, findings: Findings::new(findings), notes }
}

/// Connectors alone are held against the runtime configuration in its usual place, if it is there. Findings are only
/// those of the environment: that file was not named.
fn check_unnamed(usual_runtime: &Path, environment: &Environment) -> (Option<Checked>, Vec<Finding>) {
    let file = Some(usual_runtime).filter(|file| file.exists());
    let diagnostics = Diagnostics::new(file);
    let node = file.map_or_else(|| Some(Node::empty()), |file| connector::read_tree(&diagnostics, file));
    let checked = node.map(|node| runtime::check(&diagnostics, file, node, environment));
    let mut findings = diagnostics.into_findings();
    findings.retain(|finding| matches!(finding.place, Place::Variable(_)));
    (checked.filter(|_| file.is_some()), findings)
}

fn noted_misspelt((variable, meant): (&str, String)) -> String {
    format!("{variable}: note: a variable of this name is no setting and is ignored; did you mean {meant}?")
}

fn noted(finding: &Finding) -> String {
    format!("{}: note: {}: {}; {}", finding.place, finding.key_path, finding.message, finding.help)
}

/// What only the store can have is looked up when the connector starts.
fn notes_on_names(connector: &ConnectorConfig) -> Vec<String> {
    let (template, schema) = (connector.template.stored_name(), connector.schema.stored_name());
    let named = |key: &str, noun: &str, name: Option<&str>, built_in: &[&str]| {
        let name = name?;
        let near = nearest(name.split('@').next().unwrap_or_default(), built_in.iter().copied());
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        let file = connector.path.display();
        Some(format!("{file}: note: {key}: no {noun} {name} is built in, so it must be in the store{near}"))
    };
    let template = named("prompt.template", "template", template, &templates::names());
    template.into_iter().chain(named("schema", "schema", schema, &schemas::names())).collect()
}

/// What the providers that a connector may ask do not enforce of its schema. Which may be asked is known where a key is
/// there; where none is, it can be any of them.
fn notes_on(connector: &ConnectorConfig, checked: &Checked) -> Vec<String> {
    let named = connector.provider.as_ref();
    let asked = named.map_or(checked.fallback.as_slice(), std::slice::from_ref);
    let asked = asked.iter().filter_map(|name| checked.providers.iter().find(|provider| provider.name == *name));
    let asked: Vec<&CheckedProvider> = asked.collect();
    let is_any_usable = asked.iter().any(|provider| provider.has_key);
    let usable = asked.into_iter().filter(|provider| named.is_some() || provider.has_key || !is_any_usable);
    let Some(schema) = connector.schema.known() else { return Vec::new() };
    let notes = usable.filter_map(|provider| dialect::note(schema.json(), &provider.name, provider.kind?.dialect()?));
    notes.map(|note| format!("{}: note: {note}", connector.path.display())).collect()
}

#[cfg(test)]
mod tests;
