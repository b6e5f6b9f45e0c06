//! The `cache` section.

use std::time::Duration;

use crate::cache::settings::CacheSettings;
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{flag, integer};

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
    section.finish();
    CacheSettings { memory_bytes: u64::from(megabytes) * 1024 * 1024, ttl, fold_case }
}
