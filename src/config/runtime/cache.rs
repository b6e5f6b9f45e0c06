//! The `cache` section.

use std::path::Path;
use std::time::Duration;

use crate::cache::settings::CacheSettings;
use crate::config::diagnostics::Diagnostics;
use crate::config::document::{Node, Origin};
use crate::config::secret_file;
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, flag, integer, text};
use crate::file_watch::current_secret::CurrentSecret;
use crate::store::settings::{Location, StoreUrl};

/// Some 30,000 answers of 2 kB: much for a laptop's memory to spare, little for a server's.
const DEFAULT_MEMORY_MB: u32 = 64;

/// A terabyte; more is a slip.
const MAX_MEMORY_MB: u32 = 1024 * 1024;

/// Long enough for retries and bursts of equal events, short enough that a changed model is noticed the same day.
pub(in crate::config) const DEFAULT_TTL: Duration = Duration::from_secs(3600);

const NO_REDIS: &str = "this is not the URL of a Redis server";
const EXAMPLE: &str =
    "write for example redis://cache.internal:6379/0, with a password in STRUCTURED_PROMPT_CACHE__REDIS_URL";

pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>, base: &Path) -> CacheSettings {
    let megabytes = section.get("memory_mb", integer(0..=MAX_MEMORY_MB)).unwrap_or(DEFAULT_MEMORY_MB);
    let ttl = section.get("ttl", duration).unwrap_or(DEFAULT_TTL);
    let fold_case = section.get("fold_case", flag).unwrap_or(false);
    let redis_url = section.get("redis_url", redis_url);
    let redis_url = url_in_file(diagnostics, &mut section, base).or(redis_url);
    section.finish();
    CacheSettings { memory_bytes: u64::from(megabytes) * 1024 * 1024, ttl, fold_case, redis_url }
}

fn redis_url(node: &Node) -> Result<CurrentSecret, Problem> {
    let url = StoreUrl::parse(&text(node)?, Path::new(""));
    let in_file = !matches!(node.origin, Origin::Variable(_));
    if in_file && url.as_ref().is_ok_and(StoreUrl::has_password) {
        let help = "take it out; set the environment variable STRUCTURED_PROMPT_CACHE__REDIS_URL to the whole URL, or \
                    cache.redis_url_file";
        return Err(Problem::new("a password must not stand in a file", help));
    }
    match url {
        Ok(StoreUrl::Durable(Location::Redis(url))) => Ok(url),
        Ok(_) | Err(_) => Err(Problem::new(NO_REDIS, EXAMPLE)),
    }
}

/// The URL in a file of its own.
fn url_in_file(diagnostics: &Diagnostics, section: &mut Section<'_>, base: &Path) -> Option<CurrentSecret> {
    let path = section.get("redis_url_file", |node| Ok(secret_file::path(node, text(node)?, base)))?;
    let location = section.location_of("redis_url_file");
    let setting = location.path.clone();
    let written = secret_file::read(diagnostics, (setting.clone(), &location), path.clone(), Box::new(check_url))?;
    Location::Redis(written).in_file(setting, path).secret().cloned()
}

fn check_url(url: &str) -> Result<(), String> {
    match StoreUrl::parse(url, Path::new("")) {
        Ok(StoreUrl::Durable(Location::Redis(_))) => Ok(()),
        Ok(_) | Err(_) => Err(format!("{NO_REDIS}; {EXAMPLE}")),
    }
}
