//! Checking files without running anything: no network, no environment, no secrets.

use std::path::{Path, PathBuf};

use super::connector::{self, ConnectorConfig, RuntimeDefaults, topics};
use super::document::{Node, Origin};
use super::finding::Findings;
use super::runtime::{self, Checked};
use super::section::{Scribe, Spot};
use super::values::Wrong;
use crate::schema::dialect;

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
enum Kind {
    Connector,
    Runtime,
    Unclear,
}

fn kind(node: &Node) -> Kind {
    let has = |keys: &[&str]| node.entries().iter().any(|entry| keys.contains(&entry.key.as_str()));
    if has(&["name", "source", "prompt", "sink", "dead_letter"]) {
        Kind::Connector
    } else if has(&["kafka", "http", "cache", "providers", "routing", "llm", "log"]) {
        Kind::Runtime
    } else {
        Kind::Unclear
    }
}

/// Checks files and directories: each file by itself, connectors against the providers of the runtime files among
/// them (or else the one at `usual_runtime`, if it is there), and all connectors together.
pub fn lint(paths: &[PathBuf], usual_runtime: &Path) -> Report {
    let (files, mut findings) = connector::files(paths);
    let count = files.len();
    let mut connectors = Vec::new();
    let mut checked: Option<Checked> = None;
    for file in files {
        let scribe = Scribe::new(Some(&file));
        match connector::read_tree(&scribe, &file).map(|node| (kind(&node), node)) {
            Some((Kind::Connector, node)) => connectors.push((file, node)),
            Some((Kind::Runtime, node)) => {
                let more = runtime::check(&scribe, &file, &node);
                let all = checked.get_or_insert_default();
                all.providers.extend(more.providers);
                all.fallback.extend(more.fallback);
            }
            Some((Kind::Unclear, _)) => {
                let help = "a connector has name and source; a runtime configuration has kafka, providers or the like";
                let whole = Spot { origin: Origin::Whole, path: String::new() };
                scribe.note(&whole, Wrong::new("neither a connector nor a runtime configuration", help));
            }
            None => {}
        }
        findings.extend(scribe.into_findings());
    }
    // Connectors alone are held against the runtime configuration in its usual place.
    if checked.is_none() && usual_runtime.exists() {
        let scribe = Scribe::new(Some(usual_runtime));
        let node = connector::read_tree(&scribe, usual_runtime);
        checked = node.map(|node| runtime::check(&scribe, usual_runtime, &node));
    }
    let defaults = RuntimeDefaults {
        cache_ttl: std::time::Duration::ZERO,
        has_store: checked.as_ref().is_none_or(|checked| checked.has_store),
        providers: checked
            .as_ref()
            .map(|checked| checked.providers.iter().map(|(name, _)| (name.clone(), None)).collect()),
        nobody_to_ask: None,
    };
    let checked = checked.unwrap_or_default();
    let mut notes = Vec::new();
    let mut wirings = Vec::new();
    for (file, node) in connectors {
        let scribe = Scribe::new(Some(&file));
        let read = connector::read(&scribe, &file, &node, &defaults);
        notes.extend(read.config.iter().flat_map(|connector| notes_on(connector, &checked)));
        wirings.push(read.wiring);
        findings.extend(scribe.into_findings());
    }
    findings.extend(topics::check_together(wirings.iter()));
    Report { files: count, findings: Findings::new(findings), notes }
}

/// What the providers that a connector may ask do not enforce of its schema.
fn notes_on(connector: &ConnectorConfig, checked: &Checked) -> Vec<String> {
    let named = connector.pipeline.provider.as_ref();
    let asked = named.map_or(checked.fallback.as_slice(), std::slice::from_ref);
    let kind = |name: &String| checked.providers.iter().find(|(known, _)| known == name).and_then(|(_, kind)| *kind);
    let dialects = asked.iter().filter_map(|name| Some((name, kind(name)?.dialect()?)));
    let schema = connector.pipeline.schema.json();
    let notes = dialects.filter_map(|(name, dialect)| dialect::note(schema, name, dialect));
    notes.map(|note| format!("{}: note: {note}", connector.path.display())).collect()
}
