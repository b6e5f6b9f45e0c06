//! What one search may cost, whatever the text and the answer are.

/// Bytes that one search may look at: ten thousand values in a text of 25 KB, or a few hundred in one of a megabyte.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// What it costs to read what stands around a token or a group of digits: as much as searching so many bytes.
pub(super) const READ_AROUND: usize = 512;

/// What is left for one search.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: usize,
    is_cut: bool,
}

impl Budget {
    /// All of it.
    pub(super) fn new() -> Self {
        Self { bytes: MAX_BYTES, is_cut: false }
    }

    /// Takes `bytes`; false, and nothing is left, if there are not so many.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.unwrap_or_default();
        self.is_cut |= left.is_none();
        left.is_some()
    }

    /// Notes that something was not looked at: a text has more of it than is read.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Whether something was not looked at since the last time that this was asked.
    pub(super) fn take_cut(&mut self) -> bool {
        std::mem::take(&mut self.is_cut)
    }
}

/// What a text has of some kind: dates, or times.
#[derive(Debug)]
pub(super) struct AllOf<T> {
    /// Those that were found, in the order of the text.
    pub(super) found: Vec<T>,
    /// Whether the text may have more.
    pub(super) is_cut: bool,
}
