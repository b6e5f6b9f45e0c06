//! One form for texts that mean the same, so that they are limited, matched and cached alike.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Bytes that are looked at together. Without a branch for each of them the compiler uses vector instructions.
const BLOCK: usize = 64;

/// The text in Unicode NFC, with LF line ends, without control and invisible formatting characters, trimmed. What is
/// normal already is not copied.
///
/// Removed are control characters other than LF and tab, the zero-width space, word joiner and byte order mark, the
/// bidirectional embeddings, overrides and isolates (which can make a text read differently from what a model sees),
/// and the tag characters that can hide ASCII. The joiners U+200C and U+200D stay: Persian and emoji need them.
pub fn normalise(text: String) -> String {
    // What is not special combines with nothing before it. To leave it out can only bring combining characters closer
    // together, which makes the quick check stricter.
    let mut has_dropped = false;
    let special = special(&text).inspect(|&c| has_dropped |= is_dropped(c));
    if is_nfc_quick(special) == IsNormalized::Yes && !has_dropped {
        return trimmed(text);
    }
    trimmed(unix_lines(&text).filter(|&c| !is_dropped(c)).nfc().collect())
}

/// The characters that may not be normal, or not where they stand.
fn special(text: &str) -> impl Iterator<Item = char> + '_ {
    let blocks = text.as_bytes().chunks(BLOCK).zip((0..).step_by(BLOCK));
    let suspects = blocks.filter(|(block, _)| !block.iter().fold(true, |plain, byte| plain & is_plain(*byte)));
    suspects.flat_map(move |(block, start)| {
        let places = block.iter().zip(start..).filter(|(byte, _)| !is_plain(**byte));
        places.filter_map(move |(_, place)| text.get(place..)?.chars().next())
    })
}

/// Whether a byte alone shows that its character is normal: printable ASCII, LF, tab, and the letters up to U+02FF,
/// which cover the languages of Western and Central Europe. Not so the characters that begin with C2, some of which are
/// control characters. A byte within a character says nothing, its first one has been looked at.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\t' | 0x80..=0xBF | 0xC3..=0xCB)
}

/// Without white space at the ends, in the same memory.
fn trimmed(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    let start = text.len() - text.trim_start().len();
    text.drain(..start);
    text
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
    fn what_is_normal_stays_in_its_memory() {
        for text in ["", "Hello\n\tworld", "  trimmed \n", "déjà « vu »", "日本語 👩‍👩‍👧", "نمی‌خواهم"]
        {
            let owned = text.to_owned();
            let memory = owned.as_ptr();
            let normal = normalise(owned);
            assert_eq!((normal.as_str(), normal.as_ptr()), (text.trim(), memory), "{text:?}");
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
            assert_eq!(normalise(text.to_owned()), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "(\\PC|[\\x00-\\x20]|[\u{200b}-\u{2069}\u{300}-\u{310}\u{feff}e\r\n])*") {
            let once = normalise(text);
            prop_assert_eq!(normalise(once.clone()), once.as_str());
            prop_assert!(!once.contains('\r'));
        }
    }
}
