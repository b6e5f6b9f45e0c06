//! Walks over JSON-like text by bytes, aware of strings and comments, without parsing it. Structural characters are
//! ASCII, so every position found is a character boundary.

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

/// Bytes outside strings and comments, with their positions; a string is shown by its opening quote. JSON has no
/// comments, so nothing that is JSON is read differently for them.
struct Outside<'a> {
    text: &'a str,
    at: usize,
    in_string: bool,
    /// Comments that were passed.
    comments: usize,
}

impl<'a> Outside<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: 0, in_string: false, comments: 0 }
    }
}

impl Iterator for Outside<'_> {
    type Item = (usize, u8);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let at = self.at;
            let byte = *self.text.as_bytes().get(at)?;
            self.at += 1;
            match (self.in_string, byte) {
                (true, b'\\') => self.at += 1,
                (true, b'"') => self.in_string = false,
                (true, _) => {}
                (false, b'"') => {
                    self.in_string = true;
                    return Some((at, byte));
                }
                (false, b'/') => match self.text.get(at..).and_then(comment) {
                    Some(length) => {
                        self.comments += 1;
                        self.at = at + length;
                    }
                    None => return Some((at, byte)),
                },
                (false, _) => return Some((at, byte)),
            }
        }
    }
}

/// Length of the comment with which `text` begins: `// …` up to the end of the line, or `/* … */`. One that does not
/// end reaches to the end of the text.
pub(super) fn comment(text: &str) -> Option<usize> {
    let (end, of_end) = match text.get(..2)? {
        "//" => ("\n", 0),
        "/*" => ("*/", 2),
        _ => return None,
    };
    Some(text.get(2..)?.find(end).map_or(text.len(), |at| 2 + at + of_end))
}

/// Whether a text has a comment.
pub(super) fn has_comment(text: &str) -> bool {
    let mut outside = Outside::of(text);
    outside.by_ref().for_each(drop);
    outside.comments > 0
}

/// The text without white space and comments before it.
pub(super) fn trim_start(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some(length) = comment(rest) {
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    rest
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

/// What stands in an object, or in the one with which an array begins.
pub(super) fn inner_object(text: &str) -> &str {
    let inner = trim_start(text.get(1..).unwrap_or_default());
    match inner.strip_prefix('{') {
        Some(object) if text.starts_with('[') => trim_start(object),
        _ => inner,
    }
}
