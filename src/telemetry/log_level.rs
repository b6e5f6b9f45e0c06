//! Which lines are logged: directives as in `log.filter`, which can be changed while the process runs.

use std::fmt;
use std::sync::Arc;

use tracing_subscriber::{EnvFilter, Registry, reload};

/// Longest directives that are taken, in characters.
const MAX_CHARS: usize = 1_000;
/// What to write instead of directives that are none.
pub const HELP: &str = "write error, warn, info, debug, trace or off, for modules of their own as well: \
                        info,structured_prompt::kafka=debug";
/// What a directive says alone or behind `=`.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What is logged. Whoever has a copy can change it.
#[derive(Clone)]
pub struct LogLevel(Arc<reload::Handle<EnvFilter, Registry>>);

/// Why it stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogLevelError {
    /// The directives are wrong.
    #[error("this is no log level; {}", HELP)]
    Directives,
    /// There is no logger.
    #[error("the logger of this process has ended")]
    NoLogger,
}

impl LogLevel {
    /// The filter that a logger is given, and the way to change it.
    pub(crate) fn new(filter: EnvFilter) -> (reload::Layer<EnvFilter, Registry>, Self) {
        let (layer, handle) = reload::Layer::new(filter);
        (layer, Self(Arc::new(handle)))
    }

    /// The present directives.
    ///
    /// # Errors
    /// When the logger has ended.
    pub fn get(&self) -> Result<String, LogLevelError> {
        self.0.with_current(ToString::to_string).map_err(|_ended| LogLevelError::NoLogger)
    }

    /// Logs what these directives say from now on.
    ///
    /// # Errors
    /// When they are none, or the logger has ended.
    pub fn set(&self, directives: &str) -> Result<(), LogLevelError> {
        let filter = parse(directives)?;
        self.0.reload(filter).map_err(|_ended| LogLevelError::NoLogger)
    }
}

impl fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogLevel").field(&self.get()).finish()
    }
}

/// The filter that these directives make: `info`, or `info,structured_prompt::kafka=debug`. The library's own parser takes
/// a misspelt level for the name of a module, of which it then logs everything, and nothing else. So each directive has
/// to say its level.
///
/// # Errors
/// When they are none.
pub fn parse(directives: &str) -> Result<EnvFilter, LogLevelError> {
    let is_short = directives.chars().count() <= MAX_CHARS;
    if !is_short || !directives.split(',').all(is_directive) {
        return Err(LogLevelError::Directives);
    }
    EnvFilter::builder().parse(directives).map_err(|_wrong| LogLevelError::Directives)
}

/// `debug`, or `structured_prompt::kafka=debug`.
fn is_directive(text: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-');
    match text.split_once('=') {
        Some((module, level)) => !module.is_empty() && module.chars().all(is_legal) && LEVELS.contains(&level),
        None => LEVELS.contains(&text),
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn is_logged(level: tracing::Level) -> bool {
        match level {
            tracing::Level::DEBUG => tracing::enabled!(tracing::Level::DEBUG),
            _ => tracing::enabled!(tracing::Level::INFO),
        }
    }

    #[test]
    fn the_level_can_be_changed_while_the_logger_runs() {
        let (filter, level) = LogLevel::new(parse("info").unwrap());
        let _logger = tracing::subscriber::set_default(tracing_subscriber::registry().with(filter));
        assert!(is_logged(tracing::Level::INFO) && !is_logged(tracing::Level::DEBUG));
        level.set("structured_prompt::telemetry=debug").unwrap();
        assert!(is_logged(tracing::Level::DEBUG));
        assert_eq!(level.get().unwrap(), "structured_prompt::telemetry=debug");
        level.set("off").unwrap();
        assert!(!is_logged(tracing::Level::INFO));
    }

    #[test]
    fn what_is_no_level_changes_nothing() {
        let (filter, level) = LogLevel::new(parse("warn").unwrap());
        let long = format!("{}=info", "x".repeat(MAX_CHARS));
        for wrong in ["", "debgu", "INFO", "info,structured_prompt::kafka", "kafka=loud", "=info", "info,,debug", &long]
        {
            assert_eq!(level.set(wrong), Err(LogLevelError::Directives), "{wrong}");
        }
        assert_eq!(level.get().unwrap(), "warn");
        for right in ["off", "info,structured_prompt::kafka=debug", "hyper=error,sqlx-core=trace,warn"] {
            assert_eq!(level.set(right), Ok(()), "{right}");
        }
        drop(filter);
        assert_eq!(level.set("info"), Err(LogLevelError::NoLogger));
    }
}
