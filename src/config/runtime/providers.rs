//! The `providers` section: first as written, then with keys and proxies.

mod keys;
mod kinds;
mod proxies;

use std::path::Path;

use super::LeftOut;
use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::document::{Node, Origin, Value};
use crate::config::environment::Environment;
use crate::config::section::Section;
use crate::config::values::{Problem, check_name, choice, integer, quoted};
use crate::domain::nearest::nearest;
use crate::llm::settings::{ProviderKind, ProviderSettings, RemoteSettings};
use crate::pipeline::route::settings::Ceilings;
use keys::Keys;
use kinds::Defaults;
pub(crate) use kinds::Kind;
use proxies::Proxies;

/// Further attempts after a transient error: enough for a passing one, few enough for another provider to take over
/// soon.
const DEFAULT_MAX_RETRIES: u32 = 2;

/// No provider lets one account have more; beyond it is a slip.
const MAX_CEILING: u32 = 1_000_000_000;

/// A provider before its keys are looked up.
pub(super) struct Written {
    pub(super) name: String,
    pub(super) kind: Option<Kind>,
    remote: Option<RemoteSettings>,
    ceilings: Ceilings,
    max_retries: u32,
    keys: Keys,
}

impl Written {
    /// Whether its key is there, or it needs none.
    pub(super) fn has_key(&self, environment: &Environment) -> bool {
        self.keys.are_there(environment)
    }

    /// The settings of a model behind an HTTP API.
    pub(super) fn remote(&self) -> Option<&RemoteSettings> {
        self.remote.as_ref()
    }
}

const BUILT_IN: [&str; 5] = ["claude", "gemini", "gpt", "llama", "offline"];

/// Reads the providers: the built-in ones, changed and added to by name.
pub(super) fn read(diagnostics: &Diagnostics, root: &mut Section<'_>, base: &Path) -> Vec<Written> {
    let entries = root.names("providers", "<name>");
    let mut providers = Vec::new();
    for name in BUILT_IN.into_iter().filter(|name| entries.iter().all(|(entry, ..)| entry.key != *name)) {
        let location = Location { origin: Origin::Whole, path: format!("providers.{name}") };
        let section = Section::of(diagnostics, None, location, "providers.<name>".to_owned());
        providers.push(provider(diagnostics, name, section, base));
    }
    for (entry, location, pattern) in entries {
        if let Err(problem) = check_name(&entry.key) {
            diagnostics.note(&location, problem);
        }
        let section = Section::of(diagnostics, Some(&entry.node), location, pattern);
        providers.push(provider(diagnostics, &entry.key, section, base));
    }
    providers.sort_by(|a, b| a.name.cmp(&b.name));
    providers
}

fn provider(diagnostics: &Diagnostics, name: &str, mut section: Section<'_>, base: &Path) -> Written {
    let built_in = Defaults::of(name);
    let written = section.get("kind", kind);
    let known = written.or(built_in.as_ref().map(|defaults| defaults.kind));
    if known.is_none() && section.node("kind").is_none_or(|node| node.value == Value::Null) {
        section.missing("kind");
    }
    let mut provider = Written {
        name: name.to_owned(),
        kind: known,
        remote: None,
        ceilings: Ceilings::default(),
        max_retries: DEFAULT_MAX_RETRIES,
        keys: Keys::NotNeeded,
    };
    // Without a kind it is unknown what keys it may have: only that is reported.
    let Some(kind) = known else { return provider };
    if kind != Kind::Offline {
        // The defaults of a built-in provider are for its own kind.
        let defaults = built_in.filter(|defaults| defaults.kind == kind).unwrap_or_else(|| Defaults::of_kind(kind));
        provider.keys = keys::read(diagnostics, &mut section, defaults.key_variable, base);
        provider.remote = kinds::remote(&mut section, &defaults);
        provider.max_retries = section.get("max_retries", integer(0..=10)).unwrap_or(DEFAULT_MAX_RETRIES);
    }
    provider.ceilings = ceilings(section.section("ceilings"));
    section.finish();
    provider
}

fn kind(node: &Node) -> Result<Kind, Problem> {
    const KINDS: &[(&str, Kind)] = &[
        ("gemini", Kind::Gemini),
        ("anthropic", Kind::Anthropic),
        ("openai", Kind::OpenAi),
        ("offline", Kind::Offline),
    ];
    choice(KINDS, &[])(node)
}

fn ceilings(mut section: Section<'_>) -> Ceilings {
    let ceilings = Ceilings {
        concurrency: section.get("concurrency", integer(1..=100_000)),
        requests_per_minute: section.get("requests_per_minute", integer(1..=MAX_CEILING)),
        tokens_per_minute: section.get("tokens_per_minute", integer(1..=MAX_CEILING)),
    };
    section.finish();
    ceilings
}

/// A provider's name that leads nowhere.
pub(crate) fn unknown_provider(name: &str, known: &[&str]) -> Problem {
    let help = nearest(name, known.iter().copied())
        .map_or_else(|| format!("known providers: {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
    Problem::new(format!("there is no provider {}", quoted(name)), help)
}

/// Checks the variables that name proxies.
pub(super) fn check_proxies(diagnostics: &Diagnostics, environment: &Environment) {
    Proxies::read(diagnostics, environment);
}

/// Looks up the keys. A provider none of whose variables is set is left out, unless answers are replayed; a key file
/// that cannot be read is a mistake.
pub(super) fn resolve(
    diagnostics: &Diagnostics,
    written: Vec<Written>,
    environment: &Environment,
    is_replay: bool,
) -> (Vec<ProviderSettings>, Vec<LeftOut>) {
    let proxies = Proxies::read(diagnostics, environment);
    let (mut providers, mut left_out) = (Vec::new(), Vec::new());
    for Written { name, kind, remote, ceilings, max_retries, keys } in written {
        let kind = match (kind, remote) {
            (Some(Kind::Offline), _) => ProviderKind::Offline,
            (_, Some(mut remote)) => {
                match keys.resolve(diagnostics, environment) {
                    Ok(found) => remote.api_keys = found,
                    Err(_) if is_replay => {}
                    Err(variable) => {
                        left_out.push(LeftOut { provider: name, variable });
                        continue;
                    }
                }
                remote.proxy = proxies.of(&remote.base_url).map(Box::new);
                ProviderKind::Remote(remote)
            }
            _ => continue,
        };
        providers.push(ProviderSettings { name, kind, ceilings, max_retries });
    }
    (providers, left_out)
}
