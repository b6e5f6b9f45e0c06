//! Identifiers and addresses that are found within longer ones are not what the text says.

use std::ops::Range;

use super::boundaries::{is_dash, is_word};
use super::digit_groups;
use super::digits::is_digit;
use super::number_reading;
use super::standing::Standing;
use super::whole_number;

/// Digits from which on groups of them are a telephone number, whose extension follows a hyphen.
const LEAST_PHONE_DIGITS: usize = 6;

/// Letters that the name of a currency or unit after a number has at most.
const LONGEST_UNIT: usize = 4;

/// What a value is, as far as it matters for where it begins and ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A number and nothing else.
    Number,
    /// A number with a currency or unit.
    Amount,
    /// Digits in groups, as telephone numbers are written.
    Phone,
    Other,
}

/// Whether the place is a value of its own, or a part of a longer one of the same form: `A-100` in `A-100-7`, `a@b.co`
/// in `a@b.co.uk`, `12` in `A-12`, `12.50` in `-12.50`.
pub(super) fn standing(text: &str, place: &Range<usize>, value: &str) -> Standing {
    let (Some(before), Some(after)) = (text.get(..place.start), text.get(place.end..)) else { return Standing::Part };
    let connectors = connectors(value);
    let is_joined =
        !connectors.is_empty() && (goes_on(before.chars().rev(), connectors) || goes_on(after.chars(), connectors));
    if is_joined {
        return Standing::Part;
    }
    match Form::of(value) {
        Form::Number => whole_number::standing(text, place).max(sign(before, after, value)),
        Form::Amount => sign(before, after, value),
        Form::Phone => digit_groups::standing(text, place),
        Form::Other => Standing::Alone,
    }
}

/// Whether the place is not surely a part of a longer value.
pub(super) fn is_whole(text: &str, place: &Range<usize>, value: &str) -> bool {
    standing(text, place, value) != Standing::Part
}

/// Whether a number that is written without a sign has one in the text: before it, after it, or by parentheses.
fn sign(before: &str, after: &str, value: &str) -> Standing {
    let number = before.trim_end_matches(is_currency_symbol);
    let mut chars = number.chars().rev();
    let is_minus = chars.next().is_some_and(is_dash) && !chars.next().is_some_and(|c| is_word(c) || is_dash(c));
    let is_decimal = value.contains(['.', ',']);
    let is_in_parentheses = before.ends_with('(') && after.starts_with(')');
    let ends_in_minus =
        after.strip_prefix(is_dash).is_some_and(|rest| !rest.starts_with(|c: char| is_word(c) || is_dash(c)));
    if is_minus {
        Standing::Part
    } else if is_decimal && (ends_in_minus || (is_in_parentheses && Form::of(value) == Form::Number)) {
        Standing::Unsure
    } else {
        Standing::Alone
    }
}

fn is_currency_symbol(c: char) -> bool {
    matches!(c, '€' | '$' | '£' | '¥' | '₹' | '₩' | '₽')
}

impl Form {
    fn of(value: &str) -> Self {
        if !value.contains(is_digit) {
            return Self::Other;
        }
        let amount = value.trim_start_matches(is_currency_symbol).trim_start();
        let is_of_number = |c: char| is_digit(c) || matches!(c, '.' | ',' | '\'' | ' ' | '\u{A0}' | '\u{202F}');
        let unit = amount.trim_start_matches(is_of_number);
        let number = amount.get(..amount.len() - unit.len()).unwrap_or_default().trim_end();
        let is_number = number.starts_with(is_digit)
            && (number.chars().all(is_digit)
                || number_reading::read(&number.replace(['\u{A0}', '\u{202F}'], " ")).is_some());
        let is_unit = || {
            unit.chars().count() <= LONGEST_UNIT
                && unit.chars().all(|c| c.is_alphabetic() || is_currency_symbol(c) || c == '%')
        };
        match (is_number, number.len() == value.len()) {
            (true, true) => Self::Number,
            (true, false) if is_unit() => Self::Amount,
            _ if is_phone(value) => Self::Phone,
            _ => Self::Other,
        }
    }
}

/// The characters that join parts of values such as this one.
fn connectors(value: &str) -> &'static [char] {
    let is_one_word = || !value.contains(char::is_whitespace);
    if value.contains("://") && is_one_word() {
        &['/', '.', '-', '_', '?', '&', '=', '%', '#', '~', '+', ':', '@']
    } else if value.contains('@') && is_one_word() {
        &['.', '-', '_', '+', '%', '@']
    } else if is_phone(value) {
        &['-', '/', '.']
    } else if value.contains(is_digit) {
        let has = |connector: char| {
            let inner = |(at, _): (usize, &str)| {
                let after = value.get(at + connector.len_utf8()..).unwrap_or_default();
                at > 0 && after.starts_with(char::is_alphanumeric)
            };
            value.match_indices(connector).any(inner)
        };
        match (has('-'), has('.') || has('/') || has('_'), has(':')) {
            (_, _, true) => &['-', '.', '/', '_', ':'],
            (true, true, false) => &['-', '.', '/', '_'],
            (true, false, false) => &['-'],
            (false, true, false) => &['.', '/', '_'],
            (false, false, false) => &[],
        }
    } else {
        &[]
    }
}

/// Whether it is digits in groups, as telephone numbers are written.
fn is_phone(value: &str) -> bool {
    let digits = value.chars().filter(|c| is_digit(*c)).count();
    let has_groups = value.contains([' ', '(', '+']);
    digits >= LEAST_PHONE_DIGITS
        && has_groups
        && value.chars().all(|c| is_digit(c) || matches!(c, ' ' | '(' | ')' | '+' | '/' | '.' | '-'))
}

/// Whether a connector and a letter or digit come next.
fn goes_on(mut chars: impl Iterator<Item = char>, connectors: &[char]) -> bool {
    chars.next().is_some_and(|c| connectors.contains(&c)) && chars.next().is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole_in(text: &str, value: &str) -> bool {
        let start = text.find(value).unwrap();
        is_whole(text, &(start..start + value.len()), value)
    }

    #[test]
    fn a_part_of_a_longer_identifier_or_address_is_not_whole() {
        for (text, value) in [
            ("order A-100-7", "A-100"),
            ("version 1.2.3", "1.2"),
            ("10.0.0.1.5", "10.0.0.1"),
            ("14:30:00", "14:30"),
            ("030 1234567-12", "030 1234567"),
            ("anna@x.co.uk", "anna@x.co"),
            ("maria.anna@x.de", "anna@x.de"),
            ("https://x.de/kontakt", "https://x.de"),
            ("order 20-4417", "4417"),
            ("A-100", "100"),
            ("-12.50 €", "12.50"),
            ("-€12.50", "12.50"),
            ("-12.50 EUR", "12.50 EUR"),
            ("−12,50", "12,50"),
            ("+49 30 1234567", "30 1234567"),
            ("14:30", "30"),
        ] {
            assert!(!is_whole_in(text, value), "{value} in {text}");
        }
        for (text, value) in [
            ("order A-100.", "A-100"),
            ("order 4711-Lamp", "4711"),
            ("anna@x.de.", "anna@x.de"),
            ("(https://x.de/)", "https://x.de"),
            ("ACME-Holding-Group", "ACME-Holding"),
            ("Anna-Maria", "Anna"),
            ("- 12.50 €", "12.50"),
            ("10-12 days", "12"),
            ("order 0815", "0815"),
        ] {
            assert!(is_whole_in(text, value), "{value} in {text}");
        }
    }

    #[test]
    fn a_number_that_may_have_a_sign_or_go_on_is_not_sure() {
        for (text, value) in [("(12.50)", "12.50"), ("12.50- total", "12.50"), ("2 500 ml", "500"), ("20-44", "44")] {
            let start = text.find(value).unwrap();
            assert_eq!(standing(text, &(start..start + value.len()), value), Standing::Unsure, "{value} in {text}");
        }
    }
}
