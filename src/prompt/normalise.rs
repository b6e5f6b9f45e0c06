//! One form for texts that mean the same, so that they are limited, matched and cached alike.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The text in Unicode NFC, with LF line ends, without control and invisible formatting characters, trimmed. Borrowed
/// when only the ends had to go.
///
/// Removed are control characters other than LF and tab, the zero-width space, word joiner and byte order mark, the
/// bidirectional embeddings, overrides and isolates (which can make a text read differently from what a model sees),
/// and the tag characters that can hide ASCII. The joiners U+200C and U+200D stay: Persian and emoji need them.
pub fn normalise(text: &str) -> Cow<'_, str> {
    if is_plain_ascii(text) {
        return Cow::Borrowed(text.trim());
    }
    if !text.chars().any(is_dropped) && is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text.trim());
    }
    let normal: String = unix_lines(text).filter(|&c| !is_dropped(c)).nfc().collect();
    let trimmed = normal.trim();
    if trimmed.len() == normal.len() { Cow::Owned(normal) } else { Cow::Owned(trimmed.to_owned()) }
}

/// Printable ASCII, LF and tab only: already normal but for its ends.
fn is_plain_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
}

/// CR LF and lone CR as LF.
fn unix_lines(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut after_return = false;
    text.chars().filter_map(move |c| {
        let joined = c == '\n' && after_return;
        after_return = c == '\r';
        match c {
            '\n' if joined => None,
            '\r' => Some('\n'),
            other => Some(other),
        }
    })
}

/// Whether a character is removed. CR is among them: where it ends a line, [`unix_lines`] has replaced it before.
fn is_dropped(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{200B}' | '\u{2060}' | '\u{FEFF}' => true,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
        '\u{E0000}'..='\u{E007F}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        for text in ["", "Hello\n\tworld", "  trimmed \n", "déjà vu", "日本語 👩‍👩‍👧", "نمی‌خواهم"]
        {
            assert!(matches!(normalise(text), Cow::Borrowed(normal) if normal == text.trim()), "{text:?}");
        }
    }

    #[test]
    fn what_means_the_same_becomes_the_same() {
        let cases = [
            ("cafe\u{301}", "café"),
            ("a\r\nb\rc\nd\r\r\ne", "a\nb\nc\nd\n\ne"),
            ("a\u{0}b\u{7}c\u{85}d\u{7f}", "abcd"),
            ("\u{FEFF}start", "start"),
            ("in\u{200B}vis\u{2060}ible", "invisible"),
            ("\u{202E}drowssap\u{202C} \u{2066}x\u{2069}", "drowssap x"),
            ("hi\u{E0069}\u{E0067}", "hi"),
            ("\u{a0}\u{3000} wide \u{2003}\r\n", "wide"),
            ("\u{0}\r\n \u{FEFF}", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(normalise(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "(\\PC|[\\x00-\\x20]|[\u{200b}-\u{2069}\u{300}-\u{310}\u{feff}e\r\n])*") {
            let once = normalise(&text).into_owned();
            prop_assert_eq!(normalise(&once), once.as_str());
            prop_assert!(!once.contains('\r'));
        }
    }
}
