//! The `cache` section.

use std::path::Path;
use std::time::Duration;

use crate::cache::settings::CacheSettings;
use crate::config::document::{Node, Origin};
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, flag, integer, text};
use crate::domain::secret::Secret;
use crate::store::settings::{Location, StoreUrl};

/// Some 30,000 answers of 2 kB: much for a laptop's memory to spare, little for a server's.
const DEFAULT_MEMORY_MB: u32 = 64;

/// A terabyte; more is a slip.
const MAX_MEMORY_MB: u32 = 1024 * 1024;

/// Long enough for retries and bursts of equal events, short enough that a changed model is noticed the same day.
pub(in crate::config) const DEFAULT_TTL: Duration = Duration::from_secs(3600);

pub(super) fn read(mut section: Section<'_>) -> CacheSettings {
    let megabytes = section.get("memory_mb", integer(0..=MAX_MEMORY_MB)).unwrap_or(DEFAULT_MEMORY_MB);
    let ttl = section.get("ttl", duration).unwrap_or(DEFAULT_TTL);
    let fold_case = section.get("fold_case", flag).unwrap_or(false);
    let redis_url = section.get("redis_url", redis_url);
    section.finish();
    CacheSettings { memory_bytes: u64::from(megabytes) * 1024 * 1024, ttl, fold_case, redis_url }
}

fn redis_url(node: &Node) -> Result<Secret, Problem> {
    let url = StoreUrl::parse(&text(node)?, Path::new(""));
    let in_file = !matches!(node.origin, Origin::Variable(_));
    if in_file && url.as_ref().is_ok_and(StoreUrl::has_password) {
        let help = "take it out and set the environment variable STRUCTURED_PROMPT_CACHE__REDIS_URL to the whole URL";
        return Err(Problem::new("a password must not stand in a file", help));
    }
    match url {
        Ok(StoreUrl::Durable(Location::Redis(url))) => Ok(url),
        Ok(_) | Err(_) => Err(Problem::new(
            "this is not the URL of a Redis server",
            "write for example redis://cache.internal:6379/0, with a password in STRUCTURED_PROMPT_CACHE__REDIS_URL",
        )),
    }
}
