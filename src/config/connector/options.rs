//! The `options` section.

use std::time::Duration;

use super::RuntimeDefaults;
use crate::config::runtime::unknown_provider;
use crate::config::section::{Scribe, Section};
use crate::config::units::duration;
use crate::config::values::{Wrong, choice, integer, number, text};
use crate::pipeline::settings::{LowConfidencePolicy, PatternPolicy};

/// Longest prompt in characters: the limit that the pipeline's promises are made for.
const MAX_PROMPT_CHARS: u32 = 10_000;

/// The options as written, defaults filled in.
pub(super) struct Options {
    pub(super) provider: Option<String>,
    pub(super) temperature: Option<f64>,
    pub(super) max_tokens: Option<u32>,
    pub(super) max_prompt_chars: u32,
    pub(super) patterns: PatternPolicy,
    pub(super) confidence_threshold: Option<f64>,
    pub(super) on_low_confidence: LowConfidencePolicy,
    /// `None` takes the runtime's.
    pub(super) cache_ttl: Option<Duration>,
}

pub(super) fn read(scribe: &Scribe, mut section: Section<'_>, defaults: &RuntimeDefaults) -> Options {
    const PATTERNS: &[(&str, PatternPolicy)] =
        &[("flag", PatternPolicy::Flag), ("reject", PatternPolicy::Reject), ("off", PatternPolicy::Off)];
    const LOW_CONFIDENCE: &[(&str, LowConfidencePolicy)] =
        &[("flag", LowConfidencePolicy::Flag), ("dead-letter", LowConfidencePolicy::DeadLetter)];
    let provider = section.get("provider", text);
    if let (Some(name), Some(known)) = (&provider, &defaults.providers) {
        let wrong = match known.get(name) {
            Some(None) => None,
            Some(Some(variable)) => {
                let message = format!("the provider {name} cannot be used: {variable} is not set");
                Some(Wrong::new(message, "set the variable, name another provider, or leave the choice to the routing"))
            }
            None => Some(unknown_provider(name, &known.keys().map(String::as_str).collect::<Vec<_>>())),
        };
        if let Some(wrong) = wrong {
            scribe.note(&section.spot_of("provider"), wrong);
        }
    }
    if let (None, Some(why)) = (&provider, &defaults.nobody_to_ask) {
        let help = "set one of these variables, or name a provider here; `offline` needs no key, and is no model";
        scribe.note(&section.spot_of("provider"), Wrong::new(why.clone(), help));
    }
    let options = Options {
        provider,
        temperature: section.get("temperature", number(0.0..=2.0)),
        max_tokens: section.get("max_tokens", integer(1..=1_000_000)),
        max_prompt_chars: section.get("max_prompt_chars", integer(1..=MAX_PROMPT_CHARS)).unwrap_or(MAX_PROMPT_CHARS),
        patterns: section.get("suspicious_input", choice(PATTERNS, &[])).unwrap_or(PatternPolicy::Flag),
        confidence_threshold: section.get("confidence_threshold", number(0.0..=1.0)),
        on_low_confidence: section
            .get("on_low_confidence", choice(LOW_CONFIDENCE, &[]))
            .unwrap_or(LowConfidencePolicy::Flag),
        cache_ttl: section.get("cache_ttl", duration),
    };
    section.finish();
    options
}
