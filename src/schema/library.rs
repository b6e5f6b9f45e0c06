//! The schemas that are built in. Their titles and descriptions are part of what the model is told.

use std::sync::{Arc, LazyLock};

use super::Schema;

/// A built-in schema as it is in the program.
#[derive(Debug, Clone, Copy)]
struct Source {
    /// Its name, without a version.
    name: &'static str,
    /// Its semantic version.
    version: &'static str,
    /// The schema.
    text: &'static str,
    /// An instance, as JSON.
    example: &'static str,
}

macro_rules! source {
    ($name:literal, $version:literal) => {
        Source {
            name: $name,
            version: $version,
            text: include_str!(concat!("library/", $name, "@", $version, ".json")),
            example: include_str!(concat!("library/examples/", $name, "@", $version, ".json")),
        }
    };
}

/// Every built-in schema, sorted by name, then by version.
const SOURCES: &[Source] = &[
    source!("document-classification", "1.0.0"),
    source!("extraction", "1.0.0"),
    source!("form", "1.0.0"),
    source!("invoice", "1.0.0"),
    source!("support-intent", "1.0.0"),
    source!("translation", "1.0.0"),
];

/// Compiled at the first use. A test holds that none of them is dropped here.
static SCHEMAS: LazyLock<Vec<Arc<Schema>>> = LazyLock::new(|| {
    let compiled = SOURCES.iter().map(|source| {
        let json = serde_json::from_str(source.text).ok()?;
        Schema::compile(source.name, source.version, json).ok().map(Arc::new)
    });
    compiled.flatten().collect()
});

/// The latest built-in schema that `reference` names: "invoice", "invoice@1", "invoice@1.0" or "invoice@1.0.0".
pub fn find(reference: &str) -> Option<Arc<Schema>> {
    SCHEMAS.iter().rev().find(|schema| names_version(reference, &schema.name, &schema.version)).cloned()
}

/// Names of the built-in schemas, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = SOURCES.iter().map(|source| source.name).collect();
    names.dedup();
    names
}

/// Every built-in schema in each of its versions, sorted.
pub fn all() -> &'static [Arc<Schema>] {
    &SCHEMAS
}

/// An instance of a built-in schema, as JSON text.
pub fn example(schema: &Schema) -> Option<&'static str> {
    SOURCES
        .iter()
        .find(|source| source.name == schema.name && source.version == schema.version)
        .map(|source| source.example)
}

/// Whether `reference`, a name with or without "@" and the leading parts of a version, means this name and version.
pub(crate) fn names_version(reference: &str, name: &str, version: &str) -> bool {
    let Some((wanted_name, wanted)) = reference.split_once('@') else { return reference == name };
    let rest = version.strip_prefix(wanted);
    wanted_name == name && !wanted.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests;
