//! Where API keys come from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::document::{Node, Origin, Value};
use crate::config::environment::Environment;
use crate::config::secret_file;
use crate::config::section::Section;
use crate::config::values::{Problem, text, variable_name};
use crate::domain::secret::Secret;
use crate::file_watch::current_secret::{CurrentSecret, trimmed};

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
        let is_set = |name: &String| environment.get(name).or(environment.get(&in_file(name))).is_some();
        match self {
            Self::NotNeeded => true,
            Self::Variables(names) => names.iter().any(is_set),
            Self::Files(files, _) => files.iter().any(|file| file.is_file()),
        }
    }

    /// The keys that are there. Of several variables those that are not set are passed over.
    ///
    /// # Errors
    /// The first variable, when none is set.
    pub(super) fn resolve(
        self,
        diagnostics: &Diagnostics,
        environment: &Environment,
    ) -> Result<Vec<CurrentSecret>, String> {
        match self {
            Self::NotNeeded => Ok(Vec::new()),
            Self::Variables(variables) => {
                let key = |name: &String| of_variable(diagnostics, environment, name);
                let keys: Vec<CurrentSecret> = variables.iter().filter_map(key).collect();
                if keys.is_empty() { Err(variables.into_iter().next().unwrap_or_default()) } else { Ok(keys) }
            }
            Self::Files(files, location) => {
                let is_one = files.len() == 1;
                let key = |(index, file)| {
                    let path = &location.path;
                    let setting = if is_one { path.clone() } else { format!("{path}[{index}]") };
                    secret_file::read(diagnostics, (setting, &location), file, Box::new(check))
                };
                Ok(files.into_iter().enumerate().filter_map(key).collect())
            }
        }
    }
}

/// The variable that names a file with the key which another one would have.
fn in_file(variable: &str) -> String {
    format!("{variable}_FILE")
}

/// The key of a variable, or of the file that the same variable with `_FILE` behind its name names.
fn of_variable(diagnostics: &Diagnostics, environment: &Environment, name: &str) -> Option<CurrentSecret> {
    let file = in_file(name);
    if let Some(path) = environment.get(&file) {
        let location = Location { origin: Origin::Variable(Arc::from(file.as_str())), path: String::new() };
        return secret_file::read(diagnostics, (file, &location), PathBuf::from(path), Box::new(check));
    }
    let key = environment.get(name).map(trimmed).filter(|key| !key.is_empty())?;
    Some(Secret::new(key).into())
}

/// Whether a header can carry it.
fn check(key: &str) -> Result<(), String> {
    if key.contains(char::is_control) {
        return Err("a key has one line, without control characters".to_owned());
    }
    Ok(())
}
