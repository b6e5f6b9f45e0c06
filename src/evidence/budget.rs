//! What one search may cost, whatever the text and the answer are.

/// Bytes that one search may look at: ten thousand values in a text of 25 KB, or a few hundred in one of a megabyte.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// What is left for one search.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: usize,
}

impl Budget {
    /// All of it.
    pub(super) fn new() -> Self {
        Self { bytes: MAX_BYTES }
    }

    /// Takes `bytes`; false, and nothing is left, if there are not so many.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.unwrap_or_default();
        left.is_some()
    }

    /// Whether nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.bytes == 0
    }
}
