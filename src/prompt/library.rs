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
    /// What its parameters can be filled with: a JSON object with a member for each.
    pub example: &'static str,
}

/// A parameter of a built-in template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
    /// What it is when it is left out; without one it is required.
    pub default: Option<&'static str>,
}

macro_rules! source {
    ($name:literal, $version:literal) => {
        Source {
            name: $name,
            version: $version,
            text: include_str!(concat!("library/", $name, "@", $version, ".j2")),
            example: include_str!(concat!("library/examples/", $name, "@", $version, ".json")),
        }
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

/// Every built-in template in each of its versions, sorted.
pub fn all() -> &'static [Source] {
    SOURCES
}

impl Source {
    /// What it is for, in a sentence.
    pub fn description(&self) -> &'static str {
        let sentence = self.header().split(". ").next().unwrap_or_default();
        sentence.trim()
    }

    /// The schema that goes with it.
    pub fn schema(&self) -> &'static str {
        self.header().split('"').nth(1).unwrap_or_default()
    }

    /// Its parameters, as its header comment lists them: name, description and, in brackets at the end, a default.
    pub fn parameters(&self) -> Vec<Parameter> {
        let (_, list) = self.header().split_once("Parameters:").unwrap_or_default();
        let lines = list.lines().map(str::trim).filter(|line| !line.is_empty());
        let parameter = |line: &'static str| {
            let (name, description) = line.split_once(' ')?;
            let (description, default) = match description.trim().rsplit_once(" [default: ") {
                Some((description, default)) => (description, default.strip_suffix(']')),
                None => (description.trim(), None),
            };
            Some(Parameter { name, description, default })
        };
        lines.filter_map(parameter).collect()
    }

    /// The text of the comment at its beginning.
    fn header(&self) -> &'static str {
        let comment = self.text.strip_prefix("{#-").and_then(|rest| rest.split_once("-#}"));
        comment.map_or("", |(comment, _)| comment.trim())
    }
}

/// Names of the built-in templates, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = SOURCES.iter().map(|source| source.name).collect();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::prompt::template::Template;

    #[test]
    fn every_header_says_what_its_template_needs() {
        for source in all() {
            assert!(source.description().len() > 10 && source.description().is_ascii(), "{}", source.name);
            assert!(crate::schema::library::find(source.schema()).is_some(), "{}", source.name);
            let names: Vec<_> = source.parameters().iter().map(|parameter| parameter.name).collect();
            assert!(!names.is_empty(), "{}", source.name);
            let example: BTreeMap<String, String> = serde_json::from_str(source.example).unwrap();
            assert_eq!(
                example.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
                names.iter().copied().collect()
            );
            Template::named(source.name, &example).unwrap();
            for parameter in source.parameters().iter().filter(|parameter| parameter.default.is_none()) {
                let mut without = example.clone();
                without.remove(parameter.name);
                assert!(Template::named(source.name, &without).is_err(), "{} {}", source.name, parameter.name);
            }
        }
    }
}
