//! The connectors whose letters are read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::filter::FilterArgs;
use super::name::GROUP;
use super::{CommandError, OutputFormat, ReadArgs};
use crate::cli::stored;
use crate::codec::dead_letter::DeadLetter;
use crate::config::connector::{ConnectorConfig, RuntimeDefaults, load_connectors};
use crate::config::runtime::RuntimeConfig;
use crate::kafka::dead_letters::destinations::Destinations;
use crate::kafka::dead_letters::reader::{Found, LetterReader};
use crate::store::settings::StoreUrl;

#[derive(Debug, clap::Args)]
pub(super) struct LetterArgs {
    /// Connector files, or directories of them, whose dead-letter topics are read [default: connectors]
    #[arg(long, value_name = "PATH", num_args = 1.., default_value = "connectors", hide_default_value = true)]
    connectors: Vec<PathBuf>,
    /// Runtime configuration, which names the cluster [default: config/structured-prompt.yaml if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(super) output: OutputFormat,
}

/// Connectors with their cluster.
pub(super) struct LetterSources {
    pub(super) runtime: RuntimeConfig,
    connectors: Vec<ConnectorConfig>,
}

impl LetterSources {
    /// Reads the files. Whom the connectors ask does not matter here.
    pub(super) fn read(args: &LetterArgs) -> Result<Self, CommandError> {
        let runtime = stored::configuration(args.config.as_deref()).map_err(CommandError::WrongUse)?;
        let has_store = runtime.store.url != StoreUrl::Off;
        let defaults = RuntimeDefaults { has_store, ..RuntimeDefaults::default() };
        let mut connectors = load_connectors(&args.connectors, &defaults)?;
        if let Some(name) = &args.filter.connector {
            let names: Vec<String> = connectors.iter().map(|connector| connector.name.to_string()).collect();
            connectors.retain(|connector| *connector.name == **name);
            if connectors.is_empty() {
                let message = format!("--connector: there is no {name}, only {}", names.join(", "));
                return Err(CommandError::WrongUse(message));
            }
        }
        Ok(Self { runtime, connectors })
    }

    /// The topics that have the letters, each once.
    pub(super) fn topics(&self) -> Vec<Arc<str>> {
        let topics = self.connectors.iter().map(|connector| Arc::clone(&connector.topics.dead_letter_topic));
        topics.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The connectors.
    pub(super) fn connectors(&self) -> &[ConnectorConfig] {
        &self.connectors
    }

    /// Where their records come from; `to` is where all of them go instead.
    pub(super) fn destinations(&self, to: Option<&str>) -> Destinations {
        let sources = |connector: &ConnectorConfig| connector.topics.source_topics.iter().cloned().collect();
        let sources: BTreeMap<String, BTreeSet<Arc<str>>> =
            self.connectors.iter().map(|connector| (connector.name.to_string(), sources(connector))).collect();
        Destinations { to: to.map(Arc::from), sources }
    }
}

/// Calls `each` for the letters that are meant, as many as are wanted. Returns how many records no
/// connector wrote.
pub(super) fn for_each(
    args: &ReadArgs,
    mut each: impl FnMut(&DeadLetter) -> std::io::Result<()>,
) -> Result<u64, CommandError> {
    let sources = LetterSources::read(&args.letters)?;
    let (filter, mut others) = (&args.letters.filter, 0);
    let selection = filter.selection(args.provider.as_ref());
    let mut reader = LetterReader::new(&sources.runtime.kafka, GROUP, &sources.topics())?;
    if let Some(place) = &filter.place {
        reader = reader.only(place);
    }
    let mut left = filter.limit.map(std::num::NonZeroU64::get);
    while left != Some(0) {
        match reader.next_record()? {
            None => break,
            Some(Found::Other) => others += 1,
            Some(Found::Letter { letter, .. }) if selection.includes(&letter) => {
                each(&letter)?;
                left = left.map(|left| left - 1);
            }
            Some(Found::Letter { .. }) => {}
        }
    }
    Ok(others)
}
