//! Checking files without running anything: no network, no environment, no secrets.

use std::path::{Path, PathBuf};

use super::connector::{self, RuntimeDefaults, topics};
use super::document::{Node, Origin};
use super::finding::Findings;
use super::runtime;
use super::section::{Scribe, Spot};
use super::values::Wrong;

/// What a look at some files showed.
#[derive(Debug)]
pub struct Report {
    /// Number of files that were looked at.
    pub files: usize,
    /// What is wrong in them.
    pub findings: Findings,
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
    } else if has(&["kafka", "http", "cache", "providers", "routing", "log"]) {
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
    let mut providers: Option<Vec<String>> = None;
    for file in files {
        let scribe = Scribe::new(Some(&file));
        match connector::read_tree(&scribe, &file).map(|node| (kind(&node), node)) {
            Some((Kind::Connector, node)) => connectors.push((file, node)),
            Some((Kind::Runtime, node)) => {
                providers.get_or_insert_default().extend(runtime::check(&scribe, &file, &node));
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
    if providers.is_none() && usual_runtime.exists() {
        let scribe = Scribe::new(Some(usual_runtime));
        let node = connector::read_tree(&scribe, usual_runtime);
        providers = node.map(|node| runtime::check(&scribe, usual_runtime, &node));
    }
    let defaults = RuntimeDefaults {
        cache_ttl: std::time::Duration::ZERO,
        providers: providers.map(|names| names.into_iter().map(|name| (name, None)).collect()),
        nobody_to_ask: None,
    };
    let mut wirings = Vec::new();
    for (file, node) in connectors {
        let scribe = Scribe::new(Some(&file));
        wirings.push(connector::read(&scribe, &file, &node, &defaults).wiring);
        findings.extend(scribe.into_findings());
    }
    findings.extend(topics::check_together(wirings.iter()));
    Report { files: count, findings: Findings::new(findings) }
}
