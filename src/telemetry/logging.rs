//! Log lines: JSON for machines, a readable form on a terminal.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd as _;
use std::sync::OnceLock;

use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::util::TryInitError;
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

use super::json_lines::JsonLines;
use super::log_level::{self, LogLevel, LogLevelError};
use super::log_output::LogOutput;
use super::settings::{LogFormat, LogSettings};

/// What the process's logger logs. It is one for the process, as the logger is.
static INSTALLED: OnceLock<LogLevel> = OnceLock::new();

/// Where log lines go: a service logs to standard output, a command whose output is data logs to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter's directives are wrong.
    #[error("log.filter `{filter}`: {source}")]
    Filter {
        /// The filter as configured.
        filter: String,
        /// What it should be.
        source: LogLevelError,
    },
    /// Standard output or error cannot be used.
    #[error("nothing can be logged: {0}")]
    Output(io::Error),
    /// Logging had been set up before.
    #[error(transparent)]
    Twice(#[from] TryInitError),
}

/// What the process's logger logs, where there is one.
pub fn installed() -> Option<LogLevel> {
    INSTALLED.get().cloned()
}

/// Installs the process's logger.
///
/// # Errors
/// When the filter does not parse, standard output or error cannot be used, or a logger is there already.
pub fn init(settings: &LogSettings, target: Target) -> Result<(), LoggingError> {
    let filter = log_level::parse(&settings.filter)
        .map_err(|source| LoggingError::Filter { filter: settings.filter.clone(), source })?;
    let is_terminal = match target {
        Target::Stdout => io::stdout().is_terminal(),
        Target::Stderr => io::stderr().is_terminal(),
    };
    let output = match target {
        Target::Stdout => LogOutput::open(io::stdout().as_fd()),
        Target::Stderr => LogOutput::open(io::stderr().as_fd()),
    };
    let output = output.map_err(LoggingError::Output)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(output);
    let as_json = match settings.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !is_terminal,
    };
    let layer = if as_json {
        lines.fmt_fields(JsonFields::new()).event_format(JsonLines).boxed()
    } else {
        // https://no-color.org: set and not empty.
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        lines.compact().with_ansi(is_terminal && !is_plain).boxed()
    };
    let (filter, level) = LogLevel::new(filter);
    tracing_subscriber::registry().with(filter).with(layer).try_init()?;
    // Nobody else can have set it: then there would have been a logger.
    drop(INSTALLED.set(level));
    Ok(())
}
