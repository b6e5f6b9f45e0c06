//! Identifiers that are divided in another way than in the answer: by spaces, hyphens, points, or the end of a line.

use std::ops::Range;

use super::boundaries::{is_token, is_word};
use super::squeezed_text::squeeze;
use super::whole_value::is_whole;

/// Letters and digits without which parts may as well be two numbers.
const LEAST_LENGTH: usize = 6;
/// The same for an identifier with letters, whose parts tell more.
const LEAST_LENGTH_WITH_LETTERS: usize = 3;
/// Letters that a part beside a space needs, so that it is no word of the sentence: `a 100`.
const LEAST_LETTERS: usize = 2;

/// A value that may be divided in other places.
#[derive(Debug)]
pub(super) struct Identifier {
    /// Folded, with its own separators.
    folded: String,
    /// Its letters and digits, folded.
    pub(super) squeezed: String,
    /// Its letters and digits as the answer has them.
    written: String,
    /// For each letter or digit, whether a separator stands before it.
    divided: Vec<bool>,
}

/// What is between two letters or digits of an identifier in a text.
struct Gap<'t> {
    text: &'t str,
    previous: char,
    next: char,
    /// Whether the answer divides the identifier here.
    is_divided: bool,
    /// Letters that end before it, or begin after it.
    letters: usize,
}

impl Identifier {
    /// Reads a value that has a digit and otherwise letters and separators.
    pub(super) fn of(value: &str, folded: &str) -> Option<Self> {
        let squeezed = squeeze(folded);
        let length = squeezed.chars().count();
        let has_digit = squeezed.contains(|c: char| c.is_ascii_digit());
        let has_letter = squeezed.contains(|c: char| !c.is_ascii_digit());
        let least = if has_letter { LEAST_LENGTH_WITH_LETTERS } else { LEAST_LENGTH };
        if !has_digit || length < least || !folded.chars().all(|c| is_word(c) || is_separating(c)) {
            return None;
        }
        let mut divided = Vec::with_capacity(length);
        let mut is_divided = false;
        for c in folded.chars() {
            if is_word(c) {
                divided.push(is_divided);
            }
            is_divided = !is_word(c);
        }
        Some(Self { folded: folded.to_owned(), squeezed, written: squeeze(value), divided })
    }

    /// Whether a part of a folded text, with the same letters and digits, is this identifier. `raw` is the part as it is
    /// written.
    pub(super) fn is_at(&self, text: &str, place: &Range<usize>, raw: &str) -> bool {
        let Some(part) = text.get(place.clone()) else { return false };
        let gaps = self.gaps(part);
        is_token(text, place)
            && is_whole(text, place, &self.folded)
            && is_whole(text, place, part)
            && gaps.iter().all(|gap| self.allows(gap, gaps.len(), raw))
    }

    fn gaps<'t>(&self, part: &'t str) -> Vec<Gap<'t>> {
        let mut gaps = Vec::new();
        let mut previous: Option<(usize, char)> = None;
        for (index, (at, c)) in part.char_indices().filter(|(_, c)| is_word(*c)).enumerate() {
            let end = previous.map_or(0, |(start, c)| start + c.len_utf8());
            if let Some((_, previous)) = previous.filter(|_| end < at) {
                let letters = |chars: &mut dyn Iterator<Item = char>| chars.take_while(|c| c.is_alphabetic()).count();
                let before = letters(&mut part.get(..end).unwrap_or_default().chars().rev());
                let after = letters(&mut part.get(at..).unwrap_or_default().chars());
                gaps.push(Gap {
                    text: part.get(end..at).unwrap_or_default(),
                    previous,
                    next: c,
                    is_divided: self.divided.get(index).copied().unwrap_or_default(),
                    letters: if before == 0 { after } else { before },
                });
            }
            previous = Some((at, c));
        }
        gaps
    }

    /// Whether the identifier may be divided like this, when it is in so many places.
    fn allows(&self, gap: &Gap<'_>, gaps: usize, raw: &str) -> bool {
        let marks = gap.text.trim_matches(' ');
        if gap.text.chars().count() > 3 || marks.chars().count() > 1 || !marks.chars().all(is_separating) {
            return false;
        }
        if gap.is_divided {
            return true;
        }
        let is_between_digits = gap.previous.is_ascii_digit() && gap.next.is_ascii_digit();
        if is_between_digits {
            // One point is that of a decimal number.
            return self.squeezed.len() >= LEAST_LENGTH && (marks != "." || gaps > 1);
        }
        if !gap.text.contains(' ') {
            return true;
        }
        let is_one_side_digit = gap.previous.is_ascii_digit() || gap.next.is_ascii_digit();
        is_one_side_digit && gap.letters >= LEAST_LETTERS && squeeze(raw) == self.written
    }
}

fn is_separating(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '/' | '_' | ':' | '#')
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::super::folded_text::fold;
    use super::super::squeezed_text::SqueezedText;
    use super::*;

    /// The part of `text`, which is ASCII without line ends, that is the identifier.
    fn found(text: &str, value: &str) -> Option<String> {
        let folded = fold(text);
        let identifier = Identifier::of(value, &fold(value))?;
        let is_right = |place: &Range<usize>| identifier.is_at(&folded, place, &text[place.clone()]);
        let places = SqueezedText::new(&folded).find(&identifier.squeezed, 8, &mut Budget::new(), is_right);
        places.first().map(|place| text[place.clone()].to_owned())
    }

    #[test]
    fn identifiers_are_found_however_they_are_divided() {
        for (text, value, expected) in [
            ("IBAN DE89 3704 0044 0532 0130 00.", "DE89370400440532013000", "DE89 3704 0044 0532 0130 00"),
            ("your INV 2026 17", "INV-2026-17", "INV 2026 17"),
            ("your inv2026/17", "INV-2026-17", "inv2026/17"),
            ("your INV 2026", "INV2026", "INV 2026"),
            ("order A-100", "A100", "A-100"),
            ("order 123-456-789", "123456789", "123-456-789"),
            ("VAT 123.456.789", "123456789", "123.456.789"),
            ("order 4711-0815", "4711 0815", "4711-0815"),
        ] {
            assert_eq!(found(text, value).as_deref(), Some(expected), "{value} in {text}");
        }
    }

    #[test]
    fn words_and_numbers_that_only_follow_each_other_are_no_identifier() {
        for (text, value) in [
            ("a 100 euro note", "A100"),
            ("order no 4711", "NO4711"),
            ("10-12 days", "1012"),
            ("1234.56", "123456"),
            ("X-INV-2026", "INV2026"),
            ("INV-2026-1", "INV2026"),
            ("INV 20261", "INV2026"),
            ("INV, 2026", "INV2026"),
        ] {
            assert_eq!(found(text, value), None, "{value} in {text}");
        }
    }
}
