//! Where API keys come from.

use std::path::{Path, PathBuf};

use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::document::{Node, Value};
use crate::config::environment::Environment;
use crate::config::section::Section;
use crate::config::values::{Problem, text, variable_name};
use crate::domain::secret::Secret;

/// The sources of one provider's keys.
pub(super) enum Keys {
    NotNeeded,
    Variables(Vec<String>),
    Files(Vec<PathBuf>, Location),
}

/// Reads `api_key_env` and `api_key_file`, each one value or a list. `variable` is the one that the provider's own
/// tools use.
pub(super) fn read(diagnostics: &Diagnostics, section: &mut Section<'_>, variable: Option<&str>, base: &Path) -> Keys {
    let is_keyless = section.node("api_key_env").is_some_and(|node| node.value == Value::Null);
    let variables = section.get("api_key_env", several(variable_name));
    let files = section.get("api_key_file", several(text));
    match (files, variables) {
        (Some(files), variables) => {
            let location = section.location_of("api_key_file");
            if variables.is_some() {
                diagnostics.note(
                    &location,
                    Problem::new("the key has two sources", "keep api_key_file or api_key_env, not both"),
                );
            }
            Keys::Files(files.into_iter().map(|file| base.join(file)).collect(), location)
        }
        (None, Some(variables)) => Keys::Variables(variables),
        (None, None) if is_keyless => Keys::NotNeeded,
        (None, None) => variable.map_or(Keys::NotNeeded, |variable| Keys::Variables(vec![variable.to_owned()])),
    }
}

/// One value, or a list of them; in the environment, where there are no lists, with commas between them.
fn several<T>(one: impl Fn(&Node) -> Result<T, Problem>) -> impl Fn(&Node) -> Result<Vec<T>, Problem> {
    move |node| match &node.value {
        Value::List(items) if items.is_empty() => {
            Err(Problem::new("the list is empty", "add an item, or leave the key out"))
        }
        Value::List(items) => items.iter().map(&one).collect(),
        Value::Text { text, .. } if text.contains(',') => {
            let part = |part: &str| Node {
                origin: node.origin.clone(),
                value: Value::Text { text: part.trim().to_owned(), first_line: None },
            };
            text.split(',').map(|text| one(&part(text))).collect()
        }
        Value::Null | Value::Bool { .. } | Value::Number { .. } | Value::Text { .. } | Value::Map(_) => {
            Ok(vec![one(node)?])
        }
    }
}

impl Keys {
    /// Whether a key is there, or none is needed. No key is read.
    pub(super) fn are_there(&self, environment: &Environment) -> bool {
        match self {
            Self::NotNeeded => true,
            Self::Variables(names) => names.iter().any(|name| environment.get(name).is_some()),
            Self::Files(files, _) => files.iter().any(|file| file.is_file()),
        }
    }

    /// The keys that are there. Of several variables those that are not set are passed over.
    ///
    /// # Errors
    /// The first variable, when none is set.
    pub(super) fn resolve(self, diagnostics: &Diagnostics, environment: &Environment) -> Result<Vec<Secret>, String> {
        match self {
            Self::NotNeeded => Ok(Vec::new()),
            Self::Variables(variables) => {
                let set = |name: &String| environment.get(name).map(trimmed).filter(|key| !key.is_empty());
                let keys: Vec<Secret> = variables.iter().filter_map(set).map(Secret::new).collect();
                if keys.is_empty() { Err(variables.into_iter().next().unwrap_or_default()) } else { Ok(keys) }
            }
            Self::Files(files, location) => {
                Ok(files.iter().filter_map(|file| in_file(diagnostics, file, &location)).collect())
            }
        }
    }
}

fn in_file(diagnostics: &Diagnostics, file: &Path, location: &Location) -> Option<Secret> {
    let text = diagnostics.text(file, location)?;
    let key = trimmed(&text);
    if key.is_empty() {
        diagnostics.note(location, Problem::new(format!("{} is empty", file.display()), "put the key in it"));
    }
    Some(Secret::new(key))
}

/// Without what editors and shells put around a key.
fn trimmed(key: &str) -> &str {
    key.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}
