//! Whether digits of a text stand for themselves, or belong to something longer: an identifier, a time, a telephone or
//! account number. A number is not found within one of those.

use std::ops::Range;

use super::boundaries::{is_dash, is_short_word, is_word};
use super::digit_groups;
use super::digits::is_digit;
use super::number_pair::NumberPair;
use super::standing::Standing;

/// Bytes in which the beginning of a web address is looked for.
const ADDRESS_WINDOW: usize = 256;

/// How the digits at `place` stand in a text. They may have marks and spaces between them.
pub(super) fn standing(text: &str, place: &Range<usize>) -> Standing {
    before(text, place.start).max(after(text, place.end)).max(digit_groups::standing(text, place))
}

/// What comes before digits that begin at byte `at`.
fn before(text: &str, at: usize) -> Standing {
    let mut chars = text.get(..at).unwrap_or_default().char_indices().rev();
    let Some((mark_at, mark)) = chars.next() else { return Standing::Alone };
    if matches!(mark, '_' | '@') {
        return Standing::Part;
    }
    let Some((_, beyond)) = chars.next() else { return Standing::Alone };
    if is_pair_mark(mark) && is_digit(beyond) {
        return NumberPair::around(text, mark_at, mark).standing();
    }
    let is_identifier = (mark == '/' || is_dash(mark)) && (is_word(beyond) || beyond == '_');
    let is_in_number = is_number_mark(mark) && is_digit(beyond);
    if is_in_number || (is_identifier && !(mark == '/' && is_in_web_address(text, at))) {
        Standing::Part
    } else {
        Standing::Alone
    }
}

/// What comes after digits that end at byte `at`.
fn after(text: &str, at: usize) -> Standing {
    let rest = text.get(at..).unwrap_or_default();
    let mut chars = rest.chars();
    let (Some(mark), next) = (chars.next(), chars.next()) else { return Standing::Alone };
    if matches!(mark, '_' | '@') {
        return Standing::Part;
    }
    let Some(next) = next else { return Standing::Alone };
    if is_pair_mark(mark) && is_digit(next) {
        return NumberPair::around(text, at, mark).standing();
    }
    let is_identifier =
        (mark == '/' || is_dash(mark)) && is_short_word(rest.get(mark.len_utf8()..).unwrap_or_default());
    let is_in_number = is_number_mark(mark) && is_digit(next);
    if is_in_number || (is_identifier && !is_in_web_address(text, at)) { Standing::Part } else { Standing::Alone }
}

/// Whether it may stand between two numbers: `10-12`, `4/5`, `3:1`.
fn is_pair_mark(c: char) -> bool {
    matches!(c, '/' | ':') || is_dash(c)
}

fn is_number_mark(c: char) -> bool {
    matches!(c, '.' | ',' | '\'' | '’' | '٫' | '٬')
}

/// Whether byte `at` is within a web address, whose parts stand for themselves: `shop.example/orders/4711`.
fn is_in_web_address(text: &str, at: usize) -> bool {
    let before = text.get(text.floor_char_boundary(at.saturating_sub(ADDRESS_WINDOW))..at).unwrap_or_default();
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    word.contains("://") || word.contains("www.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, digits: &str) -> Standing {
        let start = text.find(digits).unwrap();
        standing(text, &(start..start + digits.len()))
    }

    #[test]
    fn digits_in_prose_stand_for_themselves() {
        for (text, digits) in [
            ("order 4711.", "4711"),
            ("#4711", "4711"),
            ("No.4711", "4711"),
            ("Menge:7", "7"),
            ("(12.50 €)", "12.50"),
            ("a 7-day trial", "7"),
            ("4711-Lampe", "4711"),
            ("100/Monat", "100"),
            ("10-12 days", "10"),
            ("10–12", "12"),
            ("rated 4/5", "4"),
            ("Bewertung: 2/10", "2"),
            ("3/5 stars", "3"),
            ("17/20", "17"),
            ("85/100", "85"),
            ("0/5", "5"),
            ("1000-2000 EUR", "2000"),
            ("https://shop.example/orders/4711", "4711"),
        ] {
            assert_eq!(of(text, digits), Standing::Alone, "{digits} in {text}");
        }
    }

    #[test]
    fn digits_of_identifiers_and_times_are_a_part_of_them() {
        for (text, digits) in [
            ("A-100", "100"),
            ("order 20-4417", "20"),
            ("order 20-4417", "4417"),
            ("77/B", "77"),
            ("RE/77", "77"),
            ("4711-a", "4711"),
            ("4711_x", "4711"),
            ("x_4711", "4711"),
            ("14:30", "30"),
            ("2026-03-12", "03"),
            ("4c31-1234-abcd", "1234"),
            ("anna.77@example.com", "77"),
            ("10-08 days", "10"),
            ("1234-5678", "1234"),
            ("12.50", "50"),
        ] {
            assert_eq!(of(text, digits), Standing::Part, "{digits} in {text}");
        }
    }

    #[test]
    fn two_numbers_without_a_word_after_them_may_be_an_identifier() {
        for (text, digits) in [
            ("20-44", "20"),
            ("7/12", "7"),
            ("am 3/10 bestellt", "3"),
            ("on 5/20", "20"),
            ("3:1", "3"),
            ("2 500 ml", "500"),
        ] {
            assert_eq!(of(text, digits), Standing::Unsure, "{digits} in {text}");
        }
    }
}
