//! Identifiers and addresses that are found within longer ones are not what the text says.

use std::ops::Range;

use super::digits::is_digit;

/// Digits from which on groups of them are a telephone number, whose extension follows a hyphen.
const LEAST_PHONE_DIGITS: usize = 6;

/// Whether the place is not a part of a longer value of the same form: `A-100` in `A-100-7`, `a@b.co` in `a@b.co.uk`.
pub(super) fn is_whole(text: &str, place: &Range<usize>, value: &str) -> bool {
    let connectors = connectors(value);
    if connectors.is_empty() {
        return true;
    }
    let (Some(before), Some(after)) = (text.get(..place.start), text.get(place.end..)) else { return false };
    !goes_on(before.chars().rev(), connectors) && !goes_on(after.chars(), connectors)
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
        ] {
            assert!(is_whole_in(text, value), "{value} in {text}");
        }
    }
}
