//! JSON that may stand in a header.

use std::fmt::Write as _;

/// The same JSON in printable ASCII: with JSON's own escape for everything else.
pub(super) fn json(text: String) -> String {
    let is_printable = |char: char| matches!(char, ' '..='~');
    if text.chars().all(is_printable) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + text.len() / 2);
    for char in text.chars() {
        if is_printable(char) {
            escaped.push(char);
        } else {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // A string takes everything.
                write!(escaped, "\\u{unit:04x}").unwrap_or_default();
            }
        }
    }
    escaped
}
