//! A place where a text has a value.

use std::ops::Range;

/// A place in a text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) place: Range<usize>,
    /// Whether what stands there can be read in no other way.
    pub(super) is_sure: bool,
}
