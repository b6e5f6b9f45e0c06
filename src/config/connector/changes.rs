//! Settings of a connector that an evaluation or a replay changes: the same records, asked otherwise.

use std::path::{Path, absolute};
use std::sync::Arc;

use super::schema::is_file;
use crate::config::document::{self, Node};

/// A setting that may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// `options.provider`.
    Provider,
    /// `prompt.template`, in place of whatever prompt there is.
    Template,
    /// `prompt.file`, in place of whatever prompt there is.
    Prompt,
    /// `schema`: a name, or a file by its ending.
    Schema,
    /// `options.temperature`.
    Temperature,
    /// `options.evidence`.
    Evidence,
    /// `options.confidence_threshold`.
    ConfidenceThreshold,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Provider,
        Self::Template,
        Self::Prompt,
        Self::Schema,
        Self::Temperature,
        Self::Evidence,
        Self::ConfidenceThreshold,
    ];

    /// The name that users write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Template => "template",
            Self::Prompt => "prompt",
            Self::Schema => "schema",
            Self::Temperature => "temperature",
            Self::Evidence => "evidence",
            Self::ConfidenceThreshold => "confidence_threshold",
        }
    }

    /// The setting of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.as_str() == name)
    }
}

/// Changed settings. Paths in them are relative to the current directory, as on the command line.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// What findings call them: the argument that they stand in.
    pub name: String,
    /// Each with its new value.
    pub settings: Vec<(Setting, String)>,
}

impl Changes {
    /// Lays them over the tree of a connector. What an evaluation and a replay do without is left out: the calibration, which
    /// was made for what is asked unchanged, and the second provider, whose key may not be there.
    pub(super) fn apply(&self, root: &mut Node) {
        let name: Arc<str> = Arc::from(self.name.as_str());
        let member = |node: &Node, key: &str| node.entries().iter().position(|entry| entry.key == key);
        let options = member(root, "options").and_then(|index| root.entries().get(index));
        let left_out = ["calibration", "agreement"]
            .map(|key| options.filter(|options| member(&options.node, key).is_some()).map(|_| key));
        let mut set = |levels: &[&str], text: &str| {
            let levels: Vec<String> = levels.iter().map(|level| (*level).to_owned()).collect();
            document::set(root, &levels, &name, text);
        };
        left_out.into_iter().flatten().for_each(|key| set(&["options", key], ""));
        for (setting, value) in &self.settings {
            match setting {
                Setting::Provider => {
                    // Where the provider is named there is nothing to choose.
                    set(&["options", "strategy"], "");
                    set(&["options", "provider"], value);
                }
                Setting::Temperature => set(&["options", "temperature"], value),
                Setting::Evidence => set(&["options", "evidence"], value),
                Setting::ConfidenceThreshold => set(&["options", "confidence_threshold"], value),
                Setting::Template | Setting::Prompt => {
                    ["template", "inline", "file"].iter().for_each(|form| set(&["prompt", form], ""));
                    if *setting == Setting::Template {
                        set(&["prompt", "template"], value);
                    } else {
                        set(&["prompt", "file"], &from_here(value));
                    }
                }
                Setting::Schema => {
                    set(&["schema"], "");
                    if is_file(value) {
                        set(&["schema", "file"], &from_here(value));
                    } else {
                        set(&["schema"], value);
                    }
                }
            }
        }
    }
}

/// The path as one that means the same wherever the connector's file is.
fn from_here(path: &str) -> String {
    absolute(Path::new(path)).map_or_else(|_| path.to_owned(), |path| path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::connector::{RuntimeDefaults, read_changed};

    const CONNECTOR: &str = "
name: tickets
source: { kafka: { topics: [in] } }
prompt: { inline: 'Read: {{ data.body }}' }
schema: { inline: { type: object, properties: { a: { type: string } } } }
options: { strategy: cost, temperature: 1, agreement: { provider: gpt, sample: 5% } }
sink: { kafka: { topic: out } }
dead_letter: { kafka: { topic: dlq } }
";

    fn read(settings: &[(Setting, &str)]) -> Result<crate::config::connector::ConnectorConfig, String> {
        let settings = settings.iter().map(|(setting, value)| (*setting, (*value).to_owned())).collect();
        let changes = Changes { name: "--variant b".to_owned(), settings };
        let defaults = RuntimeDefaults { has_store: false, ..RuntimeDefaults::default() };
        read_changed(Path::new("c.yaml"), CONNECTOR, &changes, &defaults).map_err(|findings| findings.to_string())
    }

    #[test]
    fn changed_settings_take_the_place_of_what_is_written() {
        let changed =
            read(&[(Setting::Provider, "gpt"), (Setting::Temperature, "0"), (Setting::Schema, "support-intent@1.0.0")]);
        let changed = changed.unwrap();
        assert_eq!((changed.provider.as_deref(), changed.strategy), (Some("gpt"), None));
        assert_eq!(changed.spec.generation.temperature, Some(0.0));
        assert_eq!(changed.schema.known().unwrap().name(), "support-intent");
        let same = read(&[]).unwrap();
        assert_eq!((same.schema.known().unwrap().name(), same.spec.generation.temperature), ("tickets", Some(1.0)));
        assert_ne!(same.config_hash, changed.config_hash);
    }

    #[test]
    fn an_evaluation_needs_neither_a_calibration_nor_the_key_of_a_second_provider() {
        let text = CONNECTOR.replace("temperature: 1", "calibration: not-made-yet.json");
        let gpt = ("gpt".to_owned(), Some("OPENAI_API_KEY".to_owned()));
        let defaults =
            RuntimeDefaults { has_store: false, providers: Some([gpt].into()), ..RuntimeDefaults::default() };
        let read = read_changed(Path::new("c.yaml"), &text, &Changes::default(), &defaults).unwrap();
        assert!(read.spec.calibration.is_none() && read.agreement.is_none());
    }

    #[test]
    fn a_prompt_and_a_schema_may_be_files_named_from_the_current_directory() {
        let directory = tempfile::tempdir().unwrap();
        let [prompt, schema] =
            ["p.j2", "s.json"].map(|name| directory.path().join(name).to_string_lossy().into_owned());
        std::fs::write(&prompt, "Extract: {{ data.body }}").unwrap();
        std::fs::write(&schema, r#"{"type":"object","properties":{"b":{"type":"string"}}}"#).unwrap();
        let changed = read(&[(Setting::Prompt, &prompt), (Setting::Schema, &schema)]).unwrap();
        assert_eq!((changed.template.known().unwrap().name(), changed.schema.known().unwrap().name()), ("p", "s"));
    }

    #[test]
    fn what_is_wrong_with_a_changed_setting_is_said_of_the_argument() {
        let error = read(&[(Setting::Temperature, "hot")]).unwrap_err();
        assert!(error.starts_with("--variant b: options.temperature: "), "{error}");
        let error = read(&[(Setting::Template, "no-such-template")]).unwrap_err();
        assert!(error.starts_with("--variant b: prompt.template: "), "{error}");
    }
}
