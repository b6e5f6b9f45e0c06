//! What others wrote, made safe for a terminal.

/// The text in one line, without what a terminal would obey.
pub(super) fn in_line(text: &str) -> String {
    text.chars().map(printable).collect()
}

/// A character, unless a terminal would obey it, or it changes the direction of writing: that can make one text look
/// like another.
pub(super) fn printable(character: char) -> char {
    let is_direction = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match character {
        '\t' => ' ',
        _ if character.is_control() || is_direction => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}
