//! The `providers` and `routing` sections: first as written, then with their keys.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::LeftOut;
use crate::config::document::{Node, Origin, Value};
use crate::config::environment::Environment;
use crate::config::nearest::nearest;
use crate::config::section::{Scribe, Section, Spot};
use crate::config::units::duration;
use crate::config::values::{Wrong, base_url, check_name, choice, integer, number, quoted, text, variable_name};
use crate::domain::secret::Secret;
use crate::llm::settings::{OpenAiSettings, ProviderKind, ProviderSettings};

const OPENAI_URL: &str = "https://api.openai.com/v1";
const OPENAI_KEY: &str = "OPENAI_API_KEY";

/// Answers of this size take a few seconds; what takes longer is more often stuck than slow.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Several times what the built-in schemas need, and a bound on what one runaway answer costs.
const DEFAULT_MAX_TOKENS: u32 = 1024;

/// The highest that any known model offers.
const MAX_TOKENS: u32 = 1_000_000;

const DEFAULT_MAX_RETRIES: u32 = 2;

/// US dollars per 1,000 tokens; on the high side, so that estimates do not flatter.
const DEFAULT_PRICE: f64 = 0.03;

/// A provider before its key is looked up.
pub(super) struct Written {
    pub(super) name: String,
    kind: Option<ProviderKind>,
    key: Key,
}

/// Where a key comes from.
enum Key {
    NotNeeded,
    Variable(String),
    File(PathBuf, Spot),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    OpenAi,
    Offline,
}

/// What a provider has where the file does not say: everything for the built-in ones, little for others.
#[derive(Default)]
struct Defaults {
    kind: Option<Kind>,
    base_url: Option<&'static str>,
    model: Option<&'static str>,
    keyless: bool,
}

impl Defaults {
    fn of(name: &str) -> Self {
        let openai = Some(Kind::OpenAi);
        match name {
            "gpt" => Self { kind: openai, model: Some("gpt-4.1"), ..Self::default() },
            "llama" => Self {
                kind: openai,
                base_url: Some("http://127.0.0.1:8000/v1"),
                model: Some("llama-3.3-70b"),
                keyless: true,
            },
            "offline" => Self { kind: Some(Kind::Offline), ..Self::default() },
            _ => Self::default(),
        }
    }
}

const BUILT_IN: [&str; 3] = ["gpt", "llama", "offline"];

/// Reads the providers: the built-in ones, changed and added to by name.
pub(super) fn read(scribe: &Scribe, root: &mut Section<'_>, base: &Path) -> Vec<Written> {
    let entries = root.names("providers", "<name>");
    let mut providers = Vec::new();
    for name in BUILT_IN.into_iter().filter(|name| entries.iter().all(|(entry, ..)| entry.key != *name)) {
        let spot = Spot { origin: Origin::Whole, path: format!("providers.{name}") };
        let section = Section::of(scribe, None, spot, "providers.<name>".to_owned());
        providers.push(provider(scribe, name, section, base));
    }
    for (entry, spot, pattern) in entries {
        if let Err(wrong) = check_name(&entry.key) {
            scribe.note(&spot, wrong);
        }
        let section = Section::of(scribe, Some(&entry.node), spot, pattern);
        providers.push(provider(scribe, &entry.key, section, base));
    }
    providers.sort_by(|a, b| a.name.cmp(&b.name));
    providers
}

fn provider(scribe: &Scribe, name: &str, mut section: Section<'_>, base: &Path) -> Written {
    let defaults = Defaults::of(name);
    let written = section.get("kind", kind);
    let known = written.or(defaults.kind);
    if known.is_none() && section.node("kind").is_none_or(|node| node.value == Value::Null) {
        section.missing("kind");
    }
    let (kind, key) = match known {
        Some(Kind::OpenAi) => {
            // The defaults of a built-in provider are for its own kind.
            let defaults = if defaults.kind == Some(Kind::OpenAi) { defaults } else { Defaults::default() };
            let key = key(scribe, &mut section, defaults.keyless, base);
            let settings = openai(&mut section, &defaults);
            section.finish();
            (settings.map(ProviderKind::OpenAi), key)
        }
        Some(Kind::Offline) => {
            section.finish();
            (Some(ProviderKind::Offline), Key::NotNeeded)
        }
        // What keys it may have is unknown: only the kind is reported.
        None => (None, Key::NotNeeded),
    };
    Written { name: name.to_owned(), kind, key }
}

fn kind(node: &Node) -> Result<Kind, Wrong> {
    const KINDS: &[(&str, Kind)] = &[("openai", Kind::OpenAi), ("offline", Kind::Offline)];
    const LATER: &[&str] = &["gemini", "anthropic"];
    choice(KINDS, LATER)(node).map_err(|wrong| {
        let later = matches!(&node.value, Value::Text { text, .. } if LATER.contains(&text.as_str()));
        let instead = "use kind openai against a compatible endpoint, or kind offline";
        if later { wrong.help(instead) } else { wrong }
    })
}

fn openai(section: &mut Section<'_>, defaults: &Defaults) -> Option<OpenAiSettings> {
    let model = match defaults.model {
        Some(model) => section.get("model", text).or_else(|| Some(model.to_owned())),
        None => section.require("model", text),
    };
    let base_url = section.get("base_url", base_url);
    let timeout = section.get("timeout", |node| {
        let limit = duration(node)?;
        let sane = (Duration::from_millis(1)..=Duration::from_secs(600)).contains(&limit);
        if sane { Ok(limit) } else { Err(Wrong::new("the limit is not between 1ms and 10m", "write for example 10s")) }
    });
    let max_tokens = section.get("max_tokens", integer(1..=MAX_TOKENS)).unwrap_or(DEFAULT_MAX_TOKENS);
    let temperature = section.get("temperature", number(0.0..=2.0));
    let max_retries = section.get("max_retries", integer(0..=10)).unwrap_or(DEFAULT_MAX_RETRIES);
    let mut price = section.section("price");
    let mut dollars = |key| price.get(key, number(0.0..=1000.0)).unwrap_or(DEFAULT_PRICE);
    let price_per_1k = (dollars("input_per_1k"), dollars("output_per_1k"));
    price.finish();
    Some(OpenAiSettings {
        base_url: base_url.unwrap_or_else(|| defaults.base_url.unwrap_or(OPENAI_URL).to_owned()),
        model: model?,
        api_key: None,
        timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
        max_tokens,
        temperature,
        max_retries,
        price_per_1k,
    })
}

fn key(scribe: &Scribe, section: &mut Section<'_>, keyless: bool, base: &Path) -> Key {
    let no_variable = section.node("api_key_env").is_some_and(|node| node.value == Value::Null);
    let variable = section.get("api_key_env", variable_name);
    let file = section.get("api_key_file", text);
    match (file, variable) {
        (Some(file), variable) => {
            let spot = section.spot_of("api_key_file");
            if variable.is_some() {
                scribe.note(&spot, Wrong::new("the key has two sources", "keep api_key_file or api_key_env, not both"));
            }
            Key::File(base.join(file), spot)
        }
        (None, Some(variable)) => Key::Variable(variable),
        (None, None) if keyless || no_variable => Key::NotNeeded,
        (None, None) => Key::Variable(OPENAI_KEY.to_owned()),
    }
}

/// Reads the fallback order; each name must be a provider's.
pub(super) fn read_routing(scribe: &Scribe, mut section: Section<'_>, providers: &[Written]) -> Vec<String> {
    let names = section.list("fallback", text);
    section.finish();
    let Some(names) = names else { return vec!["gpt".to_owned()] };
    let known: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    for (index, (name, spot)) in names.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            scribe.note(spot, unknown_provider(name, &known));
        } else if names.iter().take(index).any(|(earlier, _)| earlier == name) {
            scribe.note(spot, Wrong::new(format!("{name} is listed twice"), "keep the first"));
        }
    }
    names.into_iter().map(|(name, _)| name).collect()
}

/// A provider's name that leads nowhere.
pub(crate) fn unknown_provider(name: &str, known: &[&str]) -> Wrong {
    let help = nearest(name, known.iter().copied())
        .map_or_else(|| format!("known providers: {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
    Wrong::new(format!("there is no provider {}", quoted(name)), help)
}

/// Looks up the keys. A provider whose variable is not set is left out; a key file that cannot be read is a mistake.
pub(super) fn resolve(
    scribe: &Scribe,
    written: Vec<Written>,
    environment: &Environment,
) -> (Vec<ProviderSettings>, Vec<LeftOut>) {
    let (mut providers, mut left_out) = (Vec::new(), Vec::new());
    for Written { name, kind, key } in written {
        let Some(mut kind) = kind else { continue };
        let secret = match key {
            Key::NotNeeded => None,
            Key::Variable(variable) => match environment.get(&variable).map(str::trim).filter(|key| !key.is_empty()) {
                Some(key) => Some(Secret::new(key)),
                None => {
                    left_out.push(LeftOut { provider: name, variable });
                    continue;
                }
            },
            Key::File(path, spot) => {
                let text = scribe.text(&path, &spot);
                let key = text.as_deref().map(str::trim);
                if key == Some("") {
                    scribe.note(&spot, Wrong::new(format!("{} is empty", path.display()), "put the key in it"));
                }
                key.map(Secret::new)
            }
        };
        if let ProviderKind::OpenAi(settings) = &mut kind {
            settings.api_key = secret;
        }
        providers.push(ProviderSettings { name, kind });
    }
    (providers, left_out)
}

/// The fallback order without the providers that were left out.
pub(super) fn usable_routing(routing: Vec<String>, providers: &[ProviderSettings]) -> Vec<String> {
    routing.into_iter().filter(|name| providers.iter().any(|provider| provider.name == *name)).collect()
}
