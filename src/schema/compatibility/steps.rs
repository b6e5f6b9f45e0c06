//! How much a comparison may cost.

use std::cell::Cell;

/// Steps that a comparison may still take. A step is about one keyword looked up in one schema.
pub(super) struct Steps(Cell<usize>);

impl Steps {
    pub(super) fn new(limit: usize) -> Self {
        Self(Cell::new(limit))
    }

    /// Takes some, unless there are too few left: then there are none any more.
    pub(super) fn take(&self, steps: usize) -> bool {
        let left = self.0.get().checked_sub(steps);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Whether there are none left: then not everything was looked at.
    pub(super) fn are_spent(&self) -> bool {
        self.0.get() == 0
    }
}
