//! Telephone numbers, whatever stands between their digits, with the country's code in its several writings.

use std::ops::Range;

use super::boundaries::is_token;

/// Digits of a telephone number: with fewer or more it is something else.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=17;

/// Country codes of two digits; those that begin with 1 or 7 have one digit, all others three.
const TWO_DIGITS: &[&str] = &[
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
];

/// A telephone number as an answer has it.
#[derive(Debug)]
pub(super) struct Phone {
    /// The digits that a text may have for it, the most complete first.
    pub(super) writings: Vec<Writing>,
}

/// Digits that mean a telephone number.
#[derive(Debug)]
pub(super) struct Writing {
    /// Without anything between them.
    pub(super) digits: String,
    /// Whether the country's code is among them.
    has_country: bool,
}

impl Phone {
    /// Reads digits with a plus, parentheses or separators.
    pub(super) fn of(folded: &str) -> Option<Self> {
        let is_phone = folded.chars().all(|c| c.is_ascii_digit() || is_separator(c) || c == '+');
        let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
        // Digits alone may be anything, unless they are those of a call to another country.
        let is_told = digits.len() < folded.len() || digits.strip_prefix("00").is_some_and(is_international);
        if !is_phone || !is_told || !DIGITS.contains(&digits.len()) {
            return None;
        }
        let plus = folded.trim_start_matches(['(', ' ']).starts_with('+');
        let international = if plus { Some(digits.as_str()) } else { digits.strip_prefix("00") };
        let Some(number) = international else {
            return Some(Self { writings: vec![Writing { digits, has_country: false }] });
        };
        let code = match number.get(..2)? {
            code if code.starts_with(['1', '7']) => number.get(..1)?,
            code if TWO_DIGITS.contains(&code) => code,
            _ => number.get(..3)?,
        };
        // `+49 (0)30 …`: the zero is for calls within the country.
        let rest = number.get(code.len()..)?;
        let rest = if folded.contains("(0)") { rest.strip_prefix('0').unwrap_or(rest) } else { rest };
        let writing = |prefix: &str, has_country| Writing { digits: format!("{prefix}{rest}"), has_country };
        let trunk = format!("{code}0");
        let abroad = format!("00{code}");
        let mut writings = vec![writing(&abroad, true), writing(&trunk, true), writing(code, true)];
        // Few digits without the country's code may be anything.
        if rest.len() >= *DIGITS.start() {
            writings.extend([writing("0", false), writing("", false)]);
        }
        Some(Self { writings })
    }
}

/// Whether these digits are a whole number with its country's code (ITU-T E.164): no code begins with zero, and the
/// countries of 1 and 7 have numbers of one length.
fn is_international(digits: &str) -> bool {
    match digits.as_bytes().first() {
        Some(b'1' | b'7') => digits.len() == 11,
        Some(b'2'..=b'9') => (9..=15).contains(&digits.len()),
        _ => false,
    }
}

impl Writing {
    /// Whether a part of a folded text, with these digits, is the number and not a part of a longer one.
    pub(super) fn is_at(&self, text: &str, place: &Range<usize>) -> bool {
        let (Some(part), Some(before), Some(after)) =
            (text.get(place.clone()), text.get(..place.start), text.get(place.end..))
        else {
            return false;
        };
        let gaps = part.split(|c: char| c.is_ascii_digit());
        let is_divided_like_one = gaps.into_iter().all(|gap| gap.len() <= 3 && gap.chars().all(is_separator));
        let goes_on =
            after.strip_prefix(['-', '/', '.']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let outside = before.trim_end_matches(is_separator);
        let is_glued = before.strip_suffix(['-', '/', '.']).is_some_and(|rest| rest.ends_with(char::is_alphanumeric));
        // Another country's code may stand before a number that has none.
        let is_foreign = !self.has_country && outside.ends_with(|c: char| c.is_ascii_digit() || c == '+');
        is_token(text, place) && is_divided_like_one && !goes_on && !is_glued && !is_foreign
    }
}

/// A place of digits with the plus and the parenthesis that belong to them.
pub(super) fn with_prefix(text: &str, place: Range<usize>) -> Range<usize> {
    let before = text.get(..place.start).unwrap_or_default();
    let has_closing = text.get(place.clone()).is_some_and(|part| part.contains(')') && !part.contains('('));
    let start = before.strip_suffix('+').map_or(place.start, str::len);
    let before = text.get(..start).unwrap_or_default();
    let start = before.strip_suffix('(').filter(|_| has_closing).map_or(start, str::len);
    start..place.end
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '(' | ')' | '.' | '/' | '-')
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::super::squeezed_text::SqueezedText;
    use super::*;

    fn found<'t>(text: &'t str, value: &str) -> Option<&'t str> {
        let squeezed = SqueezedText::new(text);
        let phone = Phone::of(value)?;
        let places = phone.writings.iter().find_map(|writing| {
            let is_right = |place: &Range<usize>| writing.is_at(text, place);
            squeezed.find(&writing.digits, 8, &mut Budget::new(), is_right).into_iter().next()
        });
        text.get(with_prefix(text, places?))
    }

    #[test]
    fn numbers_are_found_with_and_without_separators_and_country_code() {
        for (text, value, expected) in [
            ("call 030/123 45-67", "030 1234567", "030/123 45-67"),
            ("call +49 (0)30 1234567.", "+49301234567", "+49 (0)30 1234567"),
            ("call 0049 30 1234567", "+49 30 1234567", "0049 30 1234567"),
            ("call 030 1234567", "+49 30 1234567", "030 1234567"),
            ("call (555) 010-9999", "+1 555 010 9999", "(555) 010-9999"),
            ("tel.: +49 30 1234567", "+49 (0) 30 1234567", "+49 30 1234567"),
            ("912 345 678", "+34 912 345 678", "912 345 678"),
            ("+49 30 1234567", "0049301234567", "+49 30 1234567"),
        ] {
            assert_eq!(found(text, value), Some(expected), "{value} in {text}");
        }
    }

    #[test]
    fn another_number_is_not_found() {
        for (text, value) in [
            ("+44 30 1234567", "+49 30 1234567"),
            ("030 1234567-12", "030 1234567"),
            ("030 12345678", "030 1234567"),
            ("9-030 1234567", "030 1234567"),
            ("030, 1234567", "030 1234567"),
            ("+49 30 1234567", "030 1234567"),
            ("1 234", "12-34"),
            ("send 1 lamp", "000001"),
            ("234 lamps", "001234"),
            ("order 2345678", "0012345678"),
            ("order 456789", "0023456789"),
            ("box 1234", "+49 1234"),
        ] {
            assert_eq!(found(text, value), None, "{value} in {text}");
        }
    }
}
