//! Regular expressions that are part of this program.

use regex::Regex;

/// Compiles one of them.
#[allow(clippy::unwrap_used, reason = "literal patterns, each compiled by a test")]
pub(crate) fn literal(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}
