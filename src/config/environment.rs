//! The process environment as an argument.

use std::collections::BTreeMap;

use super::top_level_keys::RUNTIME_KEYS;

/// What every variable of ours starts with.
const PREFIX: &str = "STRUCTURED_PROMPT_";

/// What sets `llm.replay` and `llm.record`.
const REPLAY: &str = "STRUCTURED_PROMPT_LLM__REPLAY";
const RECORD: &str = "STRUCTURED_PROMPT_LLM__RECORD";

/// Environment variables. Tests bring their own.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process. Those that are not Unicode are left out: no setting of ours can be meant.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the process environment")]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The same with this variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same, by which recorded answers of this directory are given, nothing is sent, and no key is needed.
    #[must_use]
    pub fn replaying(self, directory: &str) -> Self {
        self.with(RECORD, "").with(REPLAY, directory)
    }

    /// The value of a variable; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Variables that are settings: the whole name, the part after the prefix, and the value.
    ///
    /// Only names with `__` are: every key has at least two levels. Kubernetes sets `STRUCTURED_PROMPT_PORT` and
    /// `STRUCTURED_PROMPT_SERVICE_HOST` in every pod beside a service of our name, and they must not stop the process.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().filter_map(|(name, value)| {
            let rest = name.strip_prefix(PREFIX)?;
            rest.contains("__").then_some((name.as_str(), rest, value.as_str()))
        })
    }

    /// Variables that look like settings with one underscore too few between levels, each with what may be meant. What
    /// Kubernetes sets beside services of such names is not among them.
    pub fn misspelt(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.keys().filter_map(|name| {
            let rest = name.strip_prefix(PREFIX).filter(|rest| !rest.contains("__"))?;
            let mut sections = RUNTIME_KEYS.iter().map(|key| key.to_ascii_uppercase());
            let (section, key) =
                sections.find_map(|section| rest.strip_prefix(section.as_str()).map(|key| (section.clone(), key)))?;
            let key = key.strip_prefix('_').filter(|key| !key.is_empty())?;
            let is_of_a_service = key == "PORT" || key.starts_with("PORT_") || key.starts_with("SERVICE_");
            let key = match key.strip_prefix("CLIENT_") {
                Some(option) => format!("CLIENT__{option}"),
                None => key.to_owned(),
            };
            (!is_of_a_service).then(|| (name.as_str(), format!("{PREFIX}{section}__{key}")))
        })
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_with_one_underscore_is_found_and_kubernetes_variables_are_not() {
        let names = [
            "STRUCTURED_PROMPT_KAFKA_BROKERS",
            "STRUCTURED_PROMPT_KAFKA_CLIENT_SASL_PASSWORD",
            "STRUCTURED_PROMPT_STORE_URL",
            "STRUCTURED_PROMPT_KAFKA__BROKERS",
            "STRUCTURED_PROMPT_PORT",
            "STRUCTURED_PROMPT_SERVICE_HOST",
            "STRUCTURED_PROMPT_PORT_8080_TCP_ADDR",
            "STRUCTURED_PROMPT_KAFKA_SERVICE_HOST",
            "STRUCTURED_PROMPT_KAFKA_PORT_9092_TCP",
            "STRUCTURED_PROMPT_TEST_BROKERS",
            "STRUCTURED_PROMPT_LOGGING",
        ];
        let environment: Environment = names.into_iter().map(|name| (name, "x")).collect();
        let found: Vec<(&str, String)> = environment.misspelt().collect();
        let expected = [
            ("STRUCTURED_PROMPT_KAFKA_BROKERS", "STRUCTURED_PROMPT_KAFKA__BROKERS"),
            ("STRUCTURED_PROMPT_KAFKA_CLIENT_SASL_PASSWORD", "STRUCTURED_PROMPT_KAFKA__CLIENT__SASL_PASSWORD"),
            ("STRUCTURED_PROMPT_STORE_URL", "STRUCTURED_PROMPT_STORE__URL"),
        ];
        assert_eq!(found, expected.map(|(name, meant)| (name, meant.to_owned())));
    }
}
