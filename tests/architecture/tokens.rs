//! A source file as words.

/// Words, `::` and single characters of a source file with their lines; comments, strings and characters left out.
pub(super) fn tokens(source: &str) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped(rest);
        let length = skipped.unwrap_or_else(|| match first {
            ':' if rest.starts_with("::") => 2,
            _ => word(rest).max(first.len_utf8()),
        });
        let (token, after) = rest.split_at(length);
        if skipped.is_none() && !first.is_whitespace() {
            tokens.push((line, token.to_owned()));
        }
        line += token.matches('\n').count();
        rest = after;
    }
    tokens
}

/// Length of the word that a text begins with, zero when it begins with something else.
fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// Length of the comment or literal that a text begins with.
fn skipped(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(text.find("*/").map_or(text.len(), |end| end + 2));
    }
    let raw = text.strip_prefix("br").or_else(|| text.strip_prefix('r')).or_else(|| text.strip_prefix("cr"));
    if let Some(opening) = raw {
        let hashes = opening.bytes().take_while(|byte| *byte == b'#').count();
        if opening[hashes..].starts_with('"') {
            let start = text.len() - opening.len() + hashes + 1;
            let closing = format!("\"{}", "#".repeat(hashes));
            return Some(text[start..].find(&closing).map_or(text.len(), |end| start + end + closing.len()));
        }
    }
    if text.starts_with('"') {
        return Some(quoted(text, '"'));
    }
    // 'a' and '\n' are characters, 'a alone is a lifetime.
    let mut after_quote = text.strip_prefix('\'')?.chars();
    let first = after_quote.next()?;
    (first == '\\' || after_quote.next() == Some('\'')).then(|| quoted(text, '\''))
}

/// Length of a literal between two `quote`s, the second not after a backslash.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return index + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}
