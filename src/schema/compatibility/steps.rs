//! How much a comparison may cost.

use std::cell::Cell;

/// Steps that a comparison may still take. A step is about one keyword looked up in one schema.
pub(super) struct Steps {
    left: Cell<usize>,
    /// What was really looked at, whether steps were taken for it or not.
    #[cfg(test)]
    looks: Cell<usize>,
}

impl Steps {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            left: Cell::new(limit),
            #[cfg(test)]
            looks: Cell::default(),
        }
    }

    /// Takes some, unless there are too few left: then there are none any more.
    pub(super) fn take(&self, steps: usize) -> bool {
        let left = self.left.get().checked_sub(steps);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Whether there are none left: then not everything was looked at.
    pub(super) fn are_spent(&self) -> bool {
        self.left.get() == 0
    }
}

/// Most looks of a comparison: four times what one took that used up all of its steps.
#[cfg(test)]
const MOST_LOOKS: usize = 20 * super::MAX_STEPS;

#[cfg(test)]
impl Steps {
    /// Counts keywords that are looked up and values that are compared. A comparison that does so far more often than it
    /// has steps for might not end for hours, so it ends here.
    pub(super) fn count_looks(&self, times: usize) {
        self.looks.set(self.looks.get() + times);
        assert!(self.looks.get() <= MOST_LOOKS, "more is looked at than there are steps for");
    }
}
