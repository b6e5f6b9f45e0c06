//! The prompt templates that are built in. Each one's parameters are documented in its header comment.

use crate::schema::library::names_version;

/// One built-in template.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Its name, without a version.
    pub name: &'static str,
    /// Its semantic version.
    pub version: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! source {
    ($name:literal, $version:literal) => {
        Source { name: $name, version: $version, text: include_str!(concat!("library/", $name, "@", $version, ".j2")) }
    };
}

/// Sorted by name, then by version.
const SOURCES: &[Source] = &[
    source!("document-classification", "1.0.0"),
    source!("extraction", "1.0.0"),
    source!("form", "1.0.0"),
    source!("invoice", "1.0.0"),
    source!("support-intent", "1.0.0"),
    source!("translation", "1.0.0"),
];

/// The latest built-in template that `reference` names: "invoice", "invoice@1", "invoice@1.0" or "invoice@1.0.0".
pub fn find(reference: &str) -> Option<Source> {
    SOURCES.iter().rev().find(|source| names_version(reference, source.name, source.version)).copied()
}

/// Names of the built-in templates, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = SOURCES.iter().map(|source| source.name).collect();
    names.dedup();
    names
}
