//! The `OTEL_…` variables, which have no section: whoever runs a collector sets them for all processes alike.

use crate::config::diagnostics::Diagnostics;
use crate::config::environment::Environment;
use crate::config::finding::{Finding, Place};
use crate::telemetry::traces::settings::{self, TraceSettings};

pub(super) fn read(diagnostics: &Diagnostics, environment: &Environment) -> Option<TraceSettings> {
    let errors = match settings::read(|name| environment.get(name)) {
        Ok(settings) => return settings,
        Err(errors) => errors,
    };
    for error in errors {
        diagnostics.add(Finding {
            place: Place::Variable(error.variable),
            key_path: String::new(),
            message: error.problem,
            help: error.help.to_owned(),
        });
    }
    None
}
