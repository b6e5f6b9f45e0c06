//! The text of a file, whoever saved it.

use std::fmt;

/// Why bytes are not read as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    /// They are in another encoding of Unicode: its name.
    Encoding(&'static str),
    /// A byte that does not belong to UTF-8; line, and column in characters, both from 1.
    NotUtf8(usize, usize),
    /// A zero byte, which no text has; line and column.
    Nul(usize, usize),
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(name) => write!(f, "it is {name}, and only UTF-8 is read"),
            Self::NotUtf8(line, column) => write!(f, "line {line}, column {column} is not UTF-8"),
            Self::Nul(line, column) => write!(f, "line {line}, column {column} is a zero byte"),
        }
    }
}

impl std::error::Error for TextFault {}

/// The bytes as text, without a byte-order mark. Ends of lines stay as they are.
///
/// # Errors
/// What they are instead, or where they stop being text.
pub fn decode(bytes: &[u8]) -> Result<String, TextFault> {
    if let Some(name) = other_encoding(bytes) {
        return Err(TextFault::Encoding(name));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (line, column) = place(bytes.get(..error.valid_up_to()).unwrap_or_default());
        TextFault::NotUtf8(line, column)
    })?;
    if let Some(at) = text.find('\0') {
        let (line, column) = place(bytes.get(..at).unwrap_or_default());
        return Err(TextFault::Nul(line, column));
    }
    Ok(text.to_owned())
}

/// By their marks, or by the zero bytes that ASCII has in them: all files of ours begin with ASCII.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some("UTF-16"),
        _ => None,
    }
}

/// Line and column of what follows valid text.
fn place(before: &[u8]) -> (usize, usize) {
    let text = std::str::from_utf8(before).unwrap_or_default();
    let line = text.rsplit('\n').next().unwrap_or_default();
    (text.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_is_read_with_and_without_a_mark() {
        assert_eq!(decode(b"\xef\xbb\xbfsk-one\r\n").unwrap(), "sk-one\r\n");
        assert_eq!(decode("é: \u{feff}".as_bytes()).unwrap(), "é: \u{feff}", "a mark within the text is a character");
        assert_eq!(decode(b"").unwrap(), "");
        assert_eq!(decode(b"\xef\xbb\xbf").unwrap(), "");
    }

    #[test]
    fn anything_else_is_refused_by_name_or_place() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        for text in ["\u{feff}a: 1", "a: 1"] {
            for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                assert_eq!(decode(&utf16(text, bytes)), Err(TextFault::Encoding("UTF-16")), "{text}");
            }
        }
        assert_eq!(decode(b"\xff\xfe\0\0a\0\0\0"), Err(TextFault::Encoding("UTF-32")));
        assert_eq!(decode(b"a: 1\n\xc3\xa9: \xe9\n"), Err(TextFault::NotUtf8(2, 4)));
        assert_eq!(decode(b"sk-one\0"), Err(TextFault::Nul(1, 7)));
        assert_eq!(decode(b"\xef\xbb\xbfa\n\xff"), Err(TextFault::NotUtf8(2, 1)));
    }
}
