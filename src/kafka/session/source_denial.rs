//! Whether the cluster denies us a source.

use std::time::Instant;

/// Whether some source may not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum SourceDenial {
    /// Nothing is known of one.
    #[default]
    No,
    /// One is, and is tried again then.
    Until(Instant),
    /// It is being tried, and permitted if nothing is said until then.
    Tried(Instant),
}
