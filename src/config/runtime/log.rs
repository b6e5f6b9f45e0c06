//! The `log` section.

use crate::config::section::Section;
use crate::config::values::{Problem, choice, text};
use crate::telemetry::log_level;
use crate::telemetry::settings::{LogFormat, LogSettings};

pub(super) fn read(mut section: Section<'_>) -> LogSettings {
    const FORMATS: &[(&str, LogFormat)] =
        &[("auto", LogFormat::Auto), ("json", LogFormat::Json), ("text", LogFormat::Text)];
    let format = section.get("format", choice(FORMATS, &[])).unwrap_or(LogFormat::Auto);
    let filter = section.get("filter", |node| {
        let filter = text(node)?;
        match log_level::parse(&filter) {
            Ok(_) => Ok(filter),
            Err(_) => Err(Problem::new("this is no log level", log_level::HELP)),
        }
    });
    section.finish();
    LogSettings { format, filter: filter.unwrap_or_else(|| "info".to_owned()) }
}
