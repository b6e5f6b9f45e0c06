//! The schemas that are built in. Their titles and descriptions are part of what the model is told.

use std::sync::{Arc, LazyLock};

use super::Schema;

/// Name, version and text of every built-in schema, sorted by name, then by version.
const SOURCES: &[(&str, &str, &str)] = &[
    ("document-classification", "1.0.0", include_str!("library/document-classification@1.0.0.json")),
    ("extraction", "1.0.0", include_str!("library/extraction@1.0.0.json")),
    ("form", "1.0.0", include_str!("library/form@1.0.0.json")),
    ("invoice", "1.0.0", include_str!("library/invoice@1.0.0.json")),
    ("support-intent", "1.0.0", include_str!("library/support-intent@1.0.0.json")),
    ("translation", "1.0.0", include_str!("library/translation@1.0.0.json")),
];

/// Compiled at the first use. A test holds that none of them is dropped here.
static SCHEMAS: LazyLock<Vec<Arc<Schema>>> = LazyLock::new(|| {
    let compiled = SOURCES.iter().map(|(name, version, source)| {
        let json = serde_json::from_str(source).ok()?;
        Schema::compile(name, version, json).ok().map(Arc::new)
    });
    compiled.flatten().collect()
});

/// The latest built-in schema that `reference` names: "invoice", "invoice@1", "invoice@1.0" or "invoice@1.0.0".
pub fn find(reference: &str) -> Option<Arc<Schema>> {
    SCHEMAS.iter().rev().find(|schema| names_version(reference, &schema.name, &schema.version)).cloned()
}

/// Names of the built-in schemas, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = SOURCES.iter().map(|(name, _, _)| *name).collect();
    names.dedup();
    names
}

/// Whether `reference`, a name with or without "@" and the leading parts of a version, means this name and version.
pub(crate) fn names_version(reference: &str, name: &str, version: &str) -> bool {
    let Some((wanted_name, wanted)) = reference.split_once('@') else { return reference == name };
    let rest = version.strip_prefix(wanted);
    wanted_name == name && !wanted.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests;
