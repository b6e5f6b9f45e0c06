//! Letters whose records are asked again by the command itself, otherwise than their connector asks.

use std::fs;
use std::path::PathBuf;

use super::CommandError;
use super::letters::LetterSources;
use crate::config::connector::changes::{Changes, Setting};
use crate::config::connector::{ConnectorConfig, RuntimeDefaults, read_changed};

// A flattened doc comment would replace that of the command.
#[derive(Debug, clap::Args)]
pub(super) struct ChangeArgs {
    /// Ask this provider, here and now, and publish the outcome where the connector does
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Ask for answers of this schema, here and now: a name, or a file
    #[arg(long, value_name = "SCHEMA")]
    schema: Option<String>,
    /// Ask with the prompt in this file, here and now
    #[arg(long, value_name = "FILE")]
    prompt_file: Option<PathBuf>,
    /// Ask here and now, with another confidence below which answers are low
    #[arg(long, value_name = "NUMBER")]
    confidence_threshold: Option<f64>,
}

impl ChangeArgs {
    /// Each with the argument that says it.
    fn settings(&self) -> Vec<(&'static str, Setting, String)> {
        let prompt = self.prompt_file.as_ref().map(|path| path.display().to_string());
        let threshold = self.confidence_threshold.map(|threshold| threshold.to_string());
        let all = [
            ("--provider", Setting::Provider, self.provider.clone()),
            ("--schema", Setting::Schema, self.schema.clone()),
            ("--prompt-file", Setting::Prompt, prompt),
            ("--confidence-threshold", Setting::ConfidenceThreshold, threshold),
        ];
        all.into_iter().filter_map(|(argument, setting, value)| Some((argument, setting, value?))).collect()
    }

    /// The one connector of `sources` with these changes; `None` if there are none.
    pub(super) fn connector(&self, sources: &LetterSources) -> Result<Option<ConnectorConfig>, CommandError> {
        let settings = self.settings();
        if settings.is_empty() {
            return Ok(None);
        }
        let arguments: Vec<&str> = settings.iter().map(|(argument, ..)| *argument).collect();
        let [connector] = sources.connectors() else {
            let why = format!("{}: name the one connector whose letters are asked again", arguments.join(", "));
            return Err(CommandError::WrongUse(format!("{why}, with --connector")));
        };
        let text = fs::read_to_string(&connector.path)
            .map_err(|error| CommandError::WrongUse(format!("{}: {error}", connector.path.display())))?;
        let changes = Changes {
            name: arguments.join(", "),
            settings: settings.into_iter().map(|(_, setting, value)| (setting, value)).collect(),
        };
        let defaults = RuntimeDefaults::from(&sources.runtime);
        Ok(Some(read_changed(&connector.path, &text, &changes, &defaults)?))
    }
}
