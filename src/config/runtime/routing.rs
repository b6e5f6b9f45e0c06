//! The `routing` section.

use super::providers::{Written, unknown_provider};
use crate::config::diagnostics::Diagnostics;
use crate::config::section::Section;
use crate::config::values::{Problem, choice, text};
use crate::llm::settings::{Prices, ProviderSettings};
use crate::pipeline::route::settings::{RoutingSettings, Strategy};

/// Words for strategies, in connectors too.
pub(crate) const STRATEGIES: &[(&str, Strategy)] = &[
    ("least-busy", Strategy::LeastBusy),
    ("cost", Strategy::Cost),
    ("latency", Strategy::Latency),
    ("priority", Strategy::Priority),
];

/// Who stands in for whom where the file does not say.
const DEFAULT_FALLBACK: [&str; 3] = ["gemini", "claude", "gpt"];

/// The provider that costs are compared with where the file does not say.
const DEFAULT_REFERENCE: &str = "gpt";

/// Reads the routing; each name must be a provider's.
pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>, providers: &[Written]) -> RoutingSettings {
    let known: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    let strategy = section.get("strategy", choice(STRATEGIES, &[])).unwrap_or_default();
    let names = section.list("fallback", text);
    for (index, (name, location)) in names.iter().flatten().enumerate() {
        if !known.contains(&name.as_str()) {
            diagnostics.note(location, unknown_provider(name, &known));
        } else if names.iter().flatten().take(index).any(|(earlier, _)| earlier == name) {
            diagnostics.note(location, Problem::new(format!("{name} is listed twice"), "keep the first"));
        }
    }
    let reference = section.get("reference", text);
    if let Some(name) = reference.as_deref().filter(|name| !known.contains(name)) {
        diagnostics.note(&section.location_of("reference"), unknown_provider(name, &known));
    }
    section.finish();
    let fallback = match names {
        Some(names) => names.into_iter().map(|(name, _)| name).collect(),
        None => DEFAULT_FALLBACK.map(str::to_owned).into(),
    };
    let reference = reference.unwrap_or_else(|| DEFAULT_REFERENCE.to_owned());
    RoutingSettings { strategy, fallback, reference: prices(&reference, providers) }
}

/// Prices are known also of a provider whose key is not set.
fn prices(reference: &str, providers: &[Written]) -> Option<Prices> {
    let provider = providers.iter().find(|provider| provider.name == reference)?;
    Some(provider.remote()?.prices)
}

/// The routing without the providers that were left out.
pub(super) fn usable(routing: RoutingSettings, providers: &[ProviderSettings]) -> RoutingSettings {
    let is_usable = |name: &String| providers.iter().any(|provider| provider.name == *name);
    RoutingSettings { fallback: routing.fallback.into_iter().filter(is_usable).collect(), ..routing }
}
