//! The variants, ready to be started: for each a runtime configuration and a connector.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, absolute};

use super::variant::VariantArgument;
use super::{Args, EvalError, files};
use crate::app::evaluation::Evaluator;
use crate::cli::run::config_file;
use crate::config::Environment;
use crate::config::connector::changes::{Changes, Setting};
use crate::config::connector::{ConnectorConfig, RuntimeDefaults, read_changed};
use crate::config::runtime::{self, RuntimeConfig};
use crate::llm::exchange_counts::{ExchangeCounts, Exchanges};
use crate::llm::settings::{Cassettes, ProviderKind, ProviderSettings};
use crate::store::settings::StoreUrl;

/// The provider that needs neither key nor network.
const OFFLINE: &str = "offline";

/// A variant that can be started.
pub(super) struct Prepared {
    pub(super) name: String,
    pub(super) runtime: RuntimeConfig,
    pub(super) connector: ConnectorConfig,
    /// Who answers, and what it costs, in a sentence.
    pub(super) sentence: String,
}

impl Prepared {
    /// What is particular to it, in words.
    pub(super) fn settings(&self, evaluator: &Evaluator) -> Vec<(String, String)> {
        let (template, schema) = (evaluator.template(), evaluator.schema());
        let providers = self.runtime.providers.iter().map(described).collect::<Vec<_>>().join(" or ");
        let versioned = |name: &str, version: &str| format!("{name}@{version}");
        let settings = [
            ("provider", providers),
            ("template", versioned(template.name(), template.version())),
            ("schema", versioned(schema.name(), schema.version())),
        ];
        let temperature = self.connector.spec.generation.temperature;
        let temperature = temperature.map(|temperature| ("temperature", temperature.to_string()));
        settings.into_iter().chain(temperature).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Where its answers come from.
    pub(super) fn answers(&self) -> Answers {
        if self.runtime.providers.iter().all(|provider| provider.kind == ProviderKind::Offline) {
            return Answers::Made;
        }
        match &self.runtime.cassettes {
            Cassettes::Off | Cassettes::Record(_) => Answers::Made,
            Cassettes::Replay(_) | Cassettes::Scripted(_) => Answers::Replayed,
            Cassettes::RecordMissing { counts, .. } => Answers::Counted(counts.get()),
        }
    }
}

/// Where the answers of a variant come from.
pub(super) enum Answers {
    /// All of them are made in this run, or by rules.
    Made,
    /// All of them were recorded before.
    Replayed,
    /// Some of them were, perhaps; so many were so far.
    Counted(Exchanges),
}

/// Reads the connector and the runtime configuration once for each variant.
pub(super) fn prepare(args: &Args) -> Result<Vec<Prepared>, EvalError> {
    let text = files::read(&args.connector)?;
    // As it is written, whoever it names: findings about that are those of the variant that asks them.
    let written = read_changed(&args.connector, &text, &Changes::default(), &RuntimeDefaults::default())?;
    let as_it_is = VariantArgument { name: written.name.to_string(), changes: Changes::default(), model: None };
    let variants = if args.variants.is_empty() { vec![as_it_is] } else { args.variants.clone() };
    let mut names = HashSet::new();
    if let Some(twice) = variants.iter().find(|variant| !names.insert(variant.name.clone())) {
        return Err(EvalError::WrongUse(format!("there are two variants {}; give each a name of its own", twice.name)));
    }
    variants.into_iter().map(|variant| one(args, &text, &written, variant)).collect()
}

fn one(args: &Args, text: &str, written: &ConnectorConfig, variant: VariantArgument) -> Result<Prepared, EvalError> {
    let VariantArgument { name, mut changes, model } = variant.clone();
    let mut runtime = runtime::load(config_file(args.config.as_deref()), &Environment::of_process())?;
    if args.config.is_none() {
        // An evaluation makes no database.
        runtime.store.url = StoreUrl::Memory;
        if variant.provider().or(written.provider.as_deref()).is_none() {
            changes.settings.push((Setting::Provider, OFFLINE.to_owned()));
        }
    }
    let provider = changes.settings.iter().find(|(setting, _)| *setting == Setting::Provider).map(|(_, name)| name);
    let asked = match provider.or(written.provider.as_ref()) {
        Some(name) => vec![name.clone()],
        None => runtime.routing.fallback.clone(),
    };
    if let Some(directory) = &args.record {
        let lacks_key = runtime.left_out.iter().any(|left_out| asked.contains(&left_out.provider));
        let store = runtime.store.clone();
        if lacks_key && count(directory) > 0 {
            let directory = absolute(directory)?.to_string_lossy().into_owned();
            let environment = Environment::of_process().replaying(&directory);
            runtime = RuntimeConfig { store, ..runtime::load(config_file(args.config.as_deref()), &environment)? };
        } else {
            runtime.cassettes =
                Cassettes::RecordMissing { directory: directory.clone(), counts: ExchangeCounts::default() };
        }
    }
    let defaults = RuntimeDefaults { has_store: args.config.is_some(), ..RuntimeDefaults::from(&runtime) };
    let connector = read_changed(&args.connector, text, &changes, &defaults)?;
    // Settings of those who are not asked must not keep the evaluation from starting.
    runtime.providers.retain(|provider| asked.contains(&provider.name));
    if let Some(model) = model {
        set_model(&mut runtime, &model, &name)?;
    }
    let sentence = sentence(&runtime);
    Ok(Prepared { name, runtime, connector, sentence })
}

/// Asks the one provider for another model.
fn set_model(runtime: &mut RuntimeConfig, model: &str, variant: &str) -> Result<(), EvalError> {
    let wrong = |why: &str| Err(EvalError::WrongUse(format!("--variant {variant}: model: {why}")));
    match runtime.providers.as_mut_slice() {
        [ProviderSettings { kind: ProviderKind::Remote(remote), .. }] => {
            model.clone_into(&mut remote.model);
            Ok(())
        }
        [_] => wrong("the offline extractor has no model; name a provider"),
        _ => wrong("it is not clear whose; name the provider, too"),
    }
}

fn described(settings: &ProviderSettings) -> String {
    match &settings.kind {
        ProviderKind::Offline => format!("{} (rules, no model)", settings.name),
        ProviderKind::Remote(remote) => format!("{} (model {})", settings.name, remote.model),
    }
}

/// Who answers, and what it costs.
fn sentence(runtime: &RuntimeConfig) -> String {
    let who: Vec<String> = runtime.providers.iter().map(described).collect();
    let is_free = |settings: &ProviderSettings| match &settings.kind {
        ProviderKind::Offline => true,
        ProviderKind::Remote(remote) => remote.prices.input_per_1k == 0.0 && remote.prices.output_per_1k == 0.0,
    };
    let cost = match &runtime.cassettes {
        Cassettes::Replay(_) | Cassettes::Scripted(_) => "recorded answers are used and nothing is sent",
        _ if runtime.providers.iter().all(is_free) => "that costs nothing",
        Cassettes::RecordMissing { .. } => "each call costs money, but for those that are recorded",
        Cassettes::Off | Cassettes::Record(_) => "each call costs money; --record keeps the answers for later runs",
    };
    format!("asks {}; {cost}", who.join(" or "))
}

/// The recorded answers in a directory.
fn count(directory: &Path) -> usize {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "json")).count()
}
