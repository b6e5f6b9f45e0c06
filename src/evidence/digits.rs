//! Decimal digits of all scripts that people write numbers with.

/// The zero of each script; its nine other digits follow.
const ZEROS: [char; 27] = [
    '0', '\u{660}', '\u{6F0}', '\u{7C0}', '\u{966}', '\u{9E6}', '\u{A66}', '\u{AE6}', '\u{B66}', '\u{BE6}', '\u{C66}',
    '\u{CE6}', '\u{D66}', '\u{DE6}', '\u{E50}', '\u{ED0}', '\u{F20}', '\u{1040}', '\u{1090}', '\u{17E0}', '\u{1810}',
    '\u{1946}', '\u{19D0}', '\u{1A80}', '\u{1A90}', '\u{A9D0}', '\u{FF10}',
];

/// The value of a decimal digit of any script.
pub(crate) fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then(|| c as u8 - b'0');
    }
    let after = ZEROS.partition_point(|zero| *zero <= c);
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    u8::try_from(u32::from(c) - u32::from(*zero)).ok().filter(|value| *value <= 9)
}

/// Whether it is a decimal digit of any script.
pub(super) fn is_digit(c: char) -> bool {
    digit(c).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_have_their_value() {
        for (text, value) in [("0", 0), ("7", 7), ("٣", 3), ("۹", 9), ("५", 5), ("๘", 8), ("４", 4)] {
            assert_eq!(text.chars().next().and_then(digit), Some(value), "{text}");
        }
        for c in ['a', '²', '½', '①', '三', '/', ':', '\u{66A}'] {
            assert_eq!(digit(c), None, "{c}");
        }
        assert!(ZEROS.is_sorted());
    }
}
