//! What a user chooses about the cache.

use std::time::Duration;

use crate::file_watch::current_secret::CurrentSecret;

/// The `cache` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// Bound for the answers kept in memory, in bytes. 0 keeps none there.
    pub memory_bytes: u64,
    /// How long an answer is remembered where a connector does not say.
    pub ttl: Duration,
    /// Whether prompts that differ in letter case only are the same question.
    pub fold_case: bool,
    /// The Redis server in which processes share answers.
    pub redis_url: Option<CurrentSecret>,
}
