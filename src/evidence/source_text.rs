//! A text that values are looked for in, with what is computed of it once.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::evidence::Span;

use super::Source;
use super::budget::{AllOf, Budget};
use super::dates::{self, Date};
use super::folded_text::{FoldedText, LineEndHyphen, has_line_end_hyphen};
use super::numbers::Numbers;
use super::squeezed_text::SqueezedText;
use super::times::{self, Time};

/// Bytes between the places at which code points are counted beforehand.
const STRIDE: usize = 512;

/// A source and what was found out about it so far.
pub(super) struct SourceText<'a> {
    /// The text as written.
    pub(super) raw: &'a str,
    pointer: &'a str,
    name: OnceCell<Arc<str>>,
    /// Code points before every [`STRIDE`]th byte; none where each byte is one.
    counts: OnceCell<Option<Vec<u32>>>,
    folded: OnceCell<FoldedText>,
    joined: OnceCell<Option<FoldedText>>,
    squeezed: OnceCell<SqueezedText>,
    numbers: OnceCell<Numbers>,
    dates: OnceCell<AllOf<Date>>,
    times: OnceCell<AllOf<Time>>,
}

impl<'a> SourceText<'a> {
    /// Nothing is computed yet.
    pub(super) fn new(source: &'a Source<'_>) -> Self {
        Self {
            raw: &source.text,
            pointer: &source.pointer,
            name: OnceCell::new(),
            counts: OnceCell::new(),
            folded: OnceCell::new(),
            joined: OnceCell::new(),
            squeezed: OnceCell::new(),
            numbers: OnceCell::new(),
            dates: OnceCell::new(),
            times: OnceCell::new(),
        }
    }

    /// The source's name, shared by all fields that it has.
    pub(super) fn name(&self) -> Arc<str> {
        self.name.get_or_init(|| Arc::from(self.pointer)).clone()
    }

    /// The text without differences that say nothing.
    pub(super) fn folded(&self) -> &FoldedText {
        self.folded.get_or_init(|| FoldedText::new(self.raw, LineEndHyphen::Kept))
    }

    /// The same with words put together that the end of a line divides; `None` if there are none.
    pub(super) fn joined(&self) -> Option<&FoldedText> {
        let joined = || has_line_end_hyphen(self.raw).then(|| FoldedText::new(self.raw, LineEndHyphen::Removed));
        self.joined.get_or_init(joined).as_ref()
    }

    /// Its letters and digits.
    pub(super) fn squeezed(&self) -> &SqueezedText {
        self.squeezed.get_or_init(|| SqueezedText::new(&self.folded().text))
    }

    /// Its numbers.
    pub(super) fn numbers(&self, budget: &mut Budget) -> &Numbers {
        self.numbers.get_or_init(|| Numbers::new(self.folded(), self.raw, budget))
    }

    /// Its dates.
    pub(super) fn dates(&self) -> &AllOf<Date> {
        self.dates.get_or_init(|| dates::dates(&self.folded().text))
    }

    /// Its times of day.
    pub(super) fn times(&self) -> &AllOf<Time> {
        self.times.get_or_init(|| times::times(&self.folded().text))
    }

    /// A range of bytes in code points.
    pub(super) fn span(&self, bytes: &Range<usize>) -> Span {
        Span { start: self.code_points_before(bytes.start), end: self.code_points_before(bytes.end) }
    }

    fn code_points_before(&self, at: usize) -> u32 {
        match self.counts.get_or_init(|| counts(self.raw)) {
            None => saturated(at),
            Some(counts) => {
                let before = at / STRIDE;
                let rest = self.raw.as_bytes().get(before * STRIDE..at).unwrap_or_default();
                counts.get(before).copied().unwrap_or_default().saturating_add(code_points(rest))
            }
        }
    }
}

fn counts(text: &str) -> Option<Vec<u32>> {
    if text.is_ascii() {
        return None;
    }
    let mut counts = vec![0_u32];
    let mut total = 0_u32;
    for stride in text.as_bytes().chunks(STRIDE) {
        total = total.saturating_add(code_points(stride));
        counts.push(total);
    }
    Some(counts)
}

/// Code points that begin within these bytes of UTF-8.
fn code_points(bytes: &[u8]) -> u32 {
    saturated(bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count())
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_are_counted_in_code_points(text in "(a|é|好|👩|\u{301}){0,1200}", at in 0_usize..5000) {
            let at = text.floor_char_boundary(at.min(text.len()));
            let source = Source { pointer: "".into(), text: text.as_str().into() };
            let span = SourceText::new(&source).span(&(at..text.len()));
            prop_assert_eq!(span.start as usize, text[..at].chars().count());
            prop_assert_eq!(span.end as usize, text.chars().count());
        }
    }
}
