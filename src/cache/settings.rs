//! What a user chooses about the cache.

use std::time::Duration;

/// The `cache` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// Bound for the answers kept in memory, in bytes. 0 turns the cache off.
    pub memory_bytes: u64,
    /// How long an answer is remembered where a connector does not say.
    pub ttl: Duration,
    /// Whether prompts that differ in letter case only are the same question.
    pub fold_case: bool,
}
