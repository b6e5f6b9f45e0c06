//! The `store` section.

use std::path::Path;
use std::time::Duration;

use crate::config::diagnostics::Diagnostics;
use crate::config::document::Origin;
use crate::config::secret_file;
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, text};
use crate::store::settings::{BadUrl, Location, StoreSettings, StoreUrl};

/// Needs nothing but a directory that can be written to.
const DEFAULT_URL: &str = "sqlite://data/structured-prompt.db";
/// As long as topics usually keep their records: what can be read again is remembered.
const DEFAULT_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>, base: &Path) -> StoreSettings {
    let url = section.get("url", |node| {
        let url = text(node)?;
        // A variable is in no file: its paths start where the process does.
        let in_file = !matches!(node.origin, Origin::Variable(_));
        let base = if in_file { base } else { Path::new("") };
        let parsed = StoreUrl::parse(&url, base).map_err(|bad| Problem::new(bad.message, bad.help))?;
        if in_file && parsed.has_password() {
            let help = "take it out; set the environment variable STRUCTURED_PROMPT_STORE__URL to the whole URL, or \
                        store.url_file";
            return Err(Problem::new("a password must not stand in a file", help));
        }
        Ok(parsed)
    });
    let url = url_in_file(diagnostics, &mut section, base).or(url);
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

/// The URL of a server, in a file of its own.
fn url_in_file(diagnostics: &Diagnostics, section: &mut Section<'_>, base: &Path) -> Option<StoreUrl> {
    let path = section.get("url_file", |node| Ok(secret_file::path(node, text(node)?, base)))?;
    let location = section.location_of("url_file");
    let setting = location.path.clone();
    let written = secret_file::read(diagnostics, (setting.clone(), &location), path.clone(), Box::new(check_server))?;
    let StoreUrl::Durable(place) = StoreUrl::parse(written.get().expose(), Path::new("")).ok()? else { return None };
    Some(StoreUrl::Durable(place.in_file(setting, path)))
}

fn check_server(url: &str) -> Result<(), String> {
    match StoreUrl::parse(url, Path::new("")) {
        Ok(StoreUrl::Durable(Location::Postgres(_) | Location::Redis(_))) => Ok(()),
        Ok(StoreUrl::Durable(Location::Sqlite(_)) | StoreUrl::Off | StoreUrl::Memory) => {
            Err("this is no server's URL, and needs no file of its own; write it in store.url".to_owned())
        }
        Err(BadUrl { message, help }) => Err(format!("{message}; {help}")),
    }
}
