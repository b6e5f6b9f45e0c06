//! Providers that a connector names.

use super::RuntimeDefaults;
use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::runtime::unknown_provider;
use crate::config::values::Problem;

/// Notes why a provider that is named cannot be asked, where that is known; `help` if all that it lacks is its key.
pub(super) fn check_provider(
    diagnostics: &Diagnostics,
    place: &Location,
    name: &str,
    defaults: &RuntimeDefaults,
    help: &str,
) {
    let Some(known) = &defaults.providers else { return };
    let problem = match known.get(name) {
        Some(None) => return,
        Some(Some(variable)) => {
            Problem::new(format!("the provider {name} cannot be used: {variable} is not set"), help)
        }
        None => unknown_provider(name, &known.keys().map(String::as_str).collect::<Vec<_>>()),
    };
    diagnostics.note(place, problem);
}
