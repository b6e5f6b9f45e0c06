//! The `store` section.

use std::path::Path;
use std::time::Duration;

use crate::config::document::Origin;
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, text};
use crate::store::settings::{StoreSettings, StoreUrl};

/// Needs nothing but a directory that can be written to.
const DEFAULT_URL: &str = "sqlite://data/structured-prompt.db";
/// As long as topics usually keep their records: what can be read again is remembered.
const DEFAULT_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn read(mut section: Section<'_>, base: &Path) -> StoreSettings {
    let url = section.get("url", |node| {
        let url = text(node)?;
        // A variable is in no file: its paths start where the process does.
        let in_file = !matches!(node.origin, Origin::Variable(_));
        let base = if in_file { base } else { Path::new("") };
        let parsed = StoreUrl::parse(&url, base).map_err(|bad| Problem::new(bad.message, bad.help))?;
        if in_file && parsed.has_password() {
            let help = "take it out and set the environment variable STRUCTURED_PROMPT_STORE__URL to the whole URL";
            return Err(Problem::new("a password must not stand in a file", help));
        }
        Ok(parsed)
    });
    let retention = section.get("retention", |node| match duration(node)? {
        Duration::ZERO => {
            Err(Problem::new("what is forgotten at once is not remembered", "to remember nothing, write url: none"))
        }
        retention => Ok(retention),
    });
    section.finish();
    let default = || StoreUrl::parse(DEFAULT_URL, Path::new("")).unwrap_or(StoreUrl::Off);
    StoreSettings { url: url.unwrap_or_else(default), retention: retention.unwrap_or(DEFAULT_RETENTION) }
}
