//! Who answers, and why. A model is asked only by those who say so: a key in the environment is not enough.

use std::path::Path;
use std::{fs, io};

use super::{Args, DemoError};
use crate::cli::run;
use crate::config::Environment;
use crate::config::connector::{self, ConnectorConfig, RuntimeDefaults};
use crate::config::runtime::{self, RuntimeConfig};
use crate::domain::text;
use crate::llm::settings::{Cassettes, ProviderKind, ProviderSettings, RemoteSettings};

const CONNECTOR: &str = include_str!("../../../connectors/support-triage.yaml");
/// The provider that needs neither key nor network.
const OFFLINE: &str = "offline";
/// How a user asks a model instead.
const HINT: &str = "--provider gpt asks a model and costs money";

/// What the demonstration runs.
pub(super) struct Choice {
    pub(super) runtime: RuntimeConfig,
    pub(super) connector: ConnectorConfig,
    /// The providers that are asked.
    pub(super) providers: Vec<String>,
    /// Who answers, and why, in a sentence.
    pub(super) sentence: String,
}

/// Who said who answers.
enum Said<'a> {
    Option(&'a str),
    Config(&'a Path),
    Connector(String),
    Nobody,
}

/// Reads the connector and the runtime configuration.
///
/// # Errors
/// What is wrong with either, or with the provider that was asked for.
pub(super) fn choose(args: &Args) -> Result<Choice, DemoError> {
    let text = match &args.connector {
        Some(path) => {
            let failed = |source| DemoError::file(path, source);
            text::decode(&fs::read(path).map_err(failed)?).map_err(|fault| failed(io::Error::other(fault)))?
        }
        None => CONNECTOR.to_owned(),
    };
    let file = args.connector.as_deref().unwrap_or(Path::new("(built in)"));
    let said = who_said(args, file, &text);
    let mut runtime = read_runtime(args, &said)?;
    if let Said::Option(name) = &said {
        check(&runtime, name)?;
    }
    let named = match &said {
        Said::Option(name) => Some((*name).to_owned()),
        Said::Nobody => Some(OFFLINE.to_owned()),
        Said::Config(_) | Said::Connector(..) => None,
    };
    let mut defaults = RuntimeDefaults::from(&runtime);
    if named.is_some() {
        // What the connector says about its provider does not count.
        (defaults.providers, defaults.nobody_to_ask) = (None, None);
    }
    let mut connector = connector::read_text(file, &text, &defaults)?;
    connector.provider = named.or(connector.provider);
    let providers = match &connector.provider {
        Some(name) => vec![name.clone()],
        None => runtime.routing.fallback.clone(),
    };
    // Settings of those who are not asked must not keep the demonstration from starting.
    runtime.providers.retain(|provider| providers.contains(&provider.name));
    let sentence = sentence(&said, &runtime, &providers, connector.provider.is_some());
    Ok(Choice { runtime, connector, providers, sentence })
}

fn who_said<'a>(args: &'a Args, file: &Path, text: &str) -> Said<'a> {
    if let Some(name) = &args.provider {
        return Said::Option(name);
    }
    if let Some(path) = &args.config {
        return Said::Config(path);
    }
    // Findings are reported when it is read for good.
    let connector = connector::read_text(file, text, &RuntimeDefaults::default()).ok();
    match connector.and_then(|connector| connector.provider) {
        Some(name) => Said::Connector(name),
        None => Said::Nobody,
    }
}

/// The configuration of the process where somebody is asked for by name; otherwise neither file nor environment can put
/// a model in the offline extractor's place.
fn read_runtime(args: &Args, said: &Said<'_>) -> Result<RuntimeConfig, DemoError> {
    let is_offline = match said {
        Said::Option(name) => *name == OFFLINE && args.config.is_none(),
        Said::Connector(name) => name == OFFLINE,
        Said::Config(_) => false,
        Said::Nobody => true,
    };
    if is_offline {
        let environment = [("STRUCTURED_PROMPT_ROUTING__FALLBACK", OFFLINE)].into_iter().collect();
        return Ok(runtime::load(None, &environment)?);
    }
    Ok(runtime::load(run::config_file(args.config.as_deref()), &Environment::of_process())?)
}

fn check(runtime: &RuntimeConfig, name: &str) -> Result<(), DemoError> {
    if runtime.providers.iter().any(|provider| provider.name == name) {
        return Ok(());
    }
    if let Some(left_out) = runtime.left_out.iter().find(|left_out| left_out.provider == name) {
        return Err(DemoError::NoKey { provider: name.to_owned(), variable: left_out.variable.clone() });
    }
    let usable = runtime.providers.iter().map(|provider| provider.name.as_str());
    let known: Vec<&str> = usable.chain(runtime.left_out.iter().map(|out| out.provider.as_str())).collect();
    let wrong = runtime::unknown_provider(name, &known);
    Err(DemoError::UnknownProvider(format!("{}; {}", wrong.message, wrong.help)))
}

fn sentence(said: &Said<'_>, runtime: &RuntimeConfig, providers: &[String], is_named: bool) -> String {
    let settings: Vec<&ProviderSettings> = runtime.providers.iter().collect();
    let who: Vec<String> = settings.iter().map(|settings| description(settings)).collect();
    let why = match said {
        Said::Option(_) => "because --provider says so".to_owned(),
        Said::Config(path) if !is_named => {
            format!("by routing.fallback of {} and the keys that are set", path.display())
        }
        Said::Config(_) | Said::Connector(..) => "because options.provider of the connector says so".to_owned(),
        Said::Nobody => "because nothing else was asked for".to_owned(),
    };
    let cost = if providers == [OFFLINE] {
        HINT
    } else if matches!(runtime.cassettes, Cassettes::Replay(_)) {
        "recorded exchanges are replayed and nothing is sent"
    } else if settings.iter().all(|settings| is_free(settings)) {
        "its configured price is 0"
    } else {
        "each call costs money"
    };
    format!("Answers come from {}, {why}; {cost}.", who.join(", "))
}

fn description(settings: &ProviderSettings) -> String {
    match &settings.kind {
        ProviderKind::Offline => format!("{} (rules, no model)", settings.name),
        ProviderKind::Remote(RemoteSettings { model, base_url, .. }) => {
            format!("{} (model {model} at {})", settings.name, host(base_url))
        }
    }
}

/// Host and port: what stands before or behind them may be secret.
fn host(url: &str) -> &str {
    let authority = url.split("://").last().unwrap_or(url).split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

fn is_free(settings: &ProviderSettings) -> bool {
    match &settings.kind {
        ProviderKind::Offline => true,
        ProviderKind::Remote(remote) => remote.prices.input_per_1k == 0.0 && remote.prices.output_per_1k == 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_as_its_host() {
        assert_eq!(host("https://api.openai.com/v1"), "api.openai.com");
        assert_eq!(host("http://me:secret@127.0.0.1:8000/v1?key=secret"), "127.0.0.1:8000");
    }
}
