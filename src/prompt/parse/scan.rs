//! Walks over JSON-like text by bytes, aware of strings, without parsing it. Structural characters are ASCII, so every
//! position found is a character boundary.

/// How far a bracketed text reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// It closes after this many bytes.
    Closed(usize),
    /// It does not close.
    Unclosed,
    /// It is nested too deep.
    TooDeep,
}

/// Bytes outside strings, with their positions; `None` at the end if a string is open there.
struct Outside<'a> {
    bytes: std::iter::Enumerate<std::slice::Iter<'a, u8>>,
    in_string: bool,
}

impl<'a> Outside<'a> {
    fn of(text: &'a str) -> Self {
        Self { bytes: text.as_bytes().iter().enumerate(), in_string: false }
    }
}

impl Iterator for Outside<'_> {
    type Item = (usize, u8);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (at, &byte) = self.bytes.next()?;
            match (self.in_string, byte) {
                (true, b'\\') => {
                    self.bytes.next();
                }
                (true, b'"') => self.in_string = false,
                (true, _) => {}
                (false, b'"') => {
                    self.in_string = true;
                    return Some((at, byte));
                }
                (false, _) => return Some((at, byte)),
            }
        }
    }
}

/// How far the bracket with which `text` begins reaches.
pub(super) fn extent(text: &str, max_depth: usize) -> Extent {
    let mut depth = 0_usize;
    for (at, byte) in Outside::of(text) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth > max_depth {
            return Extent::TooDeep;
        }
        if depth == 0 {
            return Extent::Closed(at + 1);
        }
    }
    Extent::Unclosed
}

/// The closing bracket that `text` lacks at its end, if it lacks exactly one and does not end within a string.
pub(super) fn only_missing_bracket(text: &str) -> Option<char> {
    let mut open = Vec::new();
    let mut outside = Outside::of(text);
    for (_, byte) in outside.by_ref() {
        match byte {
            b'{' => open.push('}'),
            b'[' => open.push(']'),
            b'}' | b']' => {
                open.pop().filter(|expected| *expected == char::from(byte))?;
            }
            _ => {}
        }
    }
    match open.as_slice() {
        [missing] if !outside.in_string => Some(*missing),
        _ => None,
    }
}

/// The text without commas that come right before a closing bracket.
pub(super) fn without_trailing_commas(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut copied, mut comma) = (0, None);
    for (at, byte) in Outside::of(text) {
        match (byte, comma) {
            (b',', _) => comma = Some(at),
            (b'}' | b']', Some(position)) => {
                kept.push_str(text.get(copied..position).unwrap_or_default());
                copied = position + 1;
                comma = None;
            }
            (b' ' | b'\t' | b'\r' | b'\n', _) => {}
            _ => comma = None,
        }
    }
    kept.push_str(text.get(copied..).unwrap_or_default());
    kept
}
