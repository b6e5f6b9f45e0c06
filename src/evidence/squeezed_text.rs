//! A text without anything but letters and digits, in which identifiers are found however they are divided.

use std::ops::Range;

use super::boundaries::is_word;
use super::budget::Budget;
use super::exact;

/// How many times longer an identifier may be with its separators.
const MAX_SPREAD: usize = 5;

/// The letters and digits of a folded text.
#[derive(Debug)]
pub(super) struct SqueezedText {
    text: String,
    /// Where each byte is in the folded text.
    places: Vec<usize>,
}

impl SqueezedText {
    /// Takes the letters and digits of a folded text.
    pub(super) fn new(folded: &str) -> Self {
        let mut squeezed = Self { text: String::with_capacity(folded.len()), places: Vec::with_capacity(folded.len()) };
        for (at, c) in folded.char_indices().filter(|(_, c)| is_word(*c)) {
            squeezed.text.push(c);
            squeezed.places.extend(at..at + c.len_utf8());
        }
        squeezed
    }

    /// The parts of the folded text whose letters and digits are `wanted`, those that `is_right` accepts, `most` at
    /// most.
    pub(super) fn find(
        &self,
        wanted: &str,
        most: usize,
        budget: &mut Budget,
        is_right: impl Fn(&Range<usize>) -> bool,
    ) -> Vec<Range<usize>> {
        let folded = |place: &Range<usize>| {
            let (first, last) = (self.places.get(place.start)?, self.places.get(place.end.checked_sub(1)?)?);
            Some(*first..*last + 1)
        };
        let longest = MAX_SPREAD * wanted.len();
        let is_right =
            |place: &Range<usize>| folded(place).is_some_and(|place| place.len() <= longest && is_right(&place));
        exact::places(&self.text, wanted, most, budget, is_right).iter().filter_map(folded).collect()
    }
}

/// Only the letters and digits of a folded text.
pub(super) fn squeeze(folded: &str) -> String {
    folded.chars().filter(|c| is_word(*c)).collect()
}
