//! How a part of a text stands beside what is around it.

/// Whether a part of a text stands for itself, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It does.
    Alone,
    /// It may as well be a part of something longer.
    Unsure,
    /// It is a part of something longer.
    Part,
}
