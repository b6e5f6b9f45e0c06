//! A text without the differences that say nothing: letter case, compatibility forms, white space, typographic quotes
//! and dashes, invisible characters, digits of other scripts. Each part of it leads back to the text as written.

use std::ops::Range;

use memchr::memmem;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::boundaries::{is_dash, is_hyphen, is_invisible, is_word};
use super::byte_search;
use super::digits::digit;

/// What becomes of a hyphen that ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEndHyphen {
    /// It belongs to the word: `INV-` and `2026` are `inv-2026`.
    Kept,
    /// It only breaks the word: `Rech-` and `nung` are `rechnung`.
    Removed,
}

/// A folded text and the way back.
#[derive(Debug)]
pub(super) struct FoldedText {
    /// The text after folding.
    pub(super) text: String,
    pieces: Vec<Piece>,
}

/// A part of the folded text and what it comes from, in bytes.
#[derive(Debug)]
struct Piece {
    folded: usize,
    raw: Range<usize>,
    /// Whether it has a byte for each byte of what was written. Otherwise it cannot be divided.
    is_even: bool,
}

impl FoldedText {
    /// Folds a text.
    pub(super) fn new(raw: &str, hyphen: LineEndHyphen) -> Self {
        let mut folded = Self { text: String::with_capacity(raw.len()), pieces: Vec::new() };
        let mut at = 0;
        while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
            let length = plain_length(rest);
            if length > 0 {
                let plain = rest.get(..length).unwrap_or_default();
                let from = folded.text.len();
                folded.text.push_str(plain);
                folded.text.get_mut(from..).unwrap_or_default().make_ascii_lowercase();
                folded.add(from, at..at + length, true);
                at += length;
            } else if let Some(length) = line_end_hyphen(raw, at) {
                if hyphen == LineEndHyphen::Kept {
                    folded.push("-", at..at + length);
                }
                at += length;
            } else if rest.starts_with(char::is_whitespace) {
                let length = rest.len() - rest.trim_start().len();
                folded.push(" ", at..at + length);
                at += length;
            } else {
                let cluster = rest.graphemes(true).next().unwrap_or(rest);
                folded.push_cluster(cluster, at);
                at += cluster.len();
            }
        }
        folded
    }

    /// What a part of the folded text comes from; `None` if it begins or ends within what cannot be divided.
    pub(super) fn raw(&self, part: &Range<usize>) -> Option<Range<usize>> {
        let first = self.piece(part.start)?;
        let last = self.piece(part.end.checked_sub(1)?)?;
        let start = match part.start - first.folded {
            0 => first.raw.start,
            within if first.is_even => first.raw.start + within,
            _ => return None,
        };
        let end = match self.end(last)? - part.end {
            0 => last.raw.end,
            beyond if last.is_even => last.raw.end - beyond,
            _ => return None,
        };
        Some(start..end)
    }

    fn piece(&self, at: usize) -> Option<&Piece> {
        let after = self.pieces.partition_point(|piece| piece.folded <= at);
        self.pieces.get(after.checked_sub(1)?)
    }

    /// Where a piece ends in the folded text.
    fn end(&self, piece: &Piece) -> Option<usize> {
        let after = self.pieces.partition_point(|other| other.folded <= piece.folded);
        Some(self.pieces.get(after).map_or(self.text.len(), |next| next.folded))
    }

    fn push(&mut self, text: &str, raw: Range<usize>) {
        let from = self.text.len();
        self.text.push_str(text);
        self.add(from, raw, false);
    }

    fn push_cluster(&mut self, cluster: &str, at: usize) {
        let from = self.text.len();
        let is_one = cluster.chars().nth(1).is_none();
        fold_into(cluster, &mut self.text);
        let length = self.text.len() - from;
        if length > 0 {
            let is_even = is_one && length == cluster.len() && self.text.get(from..).is_some_and(is_one_char);
            self.add(from, at..at + cluster.len(), is_even);
        }
    }

    /// Notes where the text from `folded` on comes from.
    fn add(&mut self, folded: usize, raw: Range<usize>, is_even: bool) {
        match self.pieces.last_mut() {
            Some(last) if is_even && last.is_even && last.raw.end == raw.start => last.raw.end = raw.end,
            _ => self.pieces.push(Piece { folded, raw, is_even }),
        }
    }
}

/// The folded form of a text, when nobody asks where its parts come from.
pub(super) fn fold(text: &str) -> String {
    FoldedText::new(text, LineEndHyphen::Kept).text
}

/// Whether folding depends on what becomes of hyphens at line ends.
pub(super) fn has_line_end_hyphen(text: &str) -> bool {
    text.match_indices('\n').any(|(at, _)| {
        let line = text.get(..at).unwrap_or_default().trim_end_matches([' ', '\t', '\r']);
        line.ends_with(is_hyphen)
    })
}

/// Bytes of plain text that are folded at once.
const PLAIN_WINDOW: usize = 256;

/// Length of the ASCII characters at the beginning that stand for themselves, apart from their case. The last one
/// before a character beyond ASCII may have marks on it.
fn plain_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    // No farther than this at a time, since what is cut off below is looked at again.
    let window = bytes.get(..bytes.len().min(PLAIN_WINDOW)).unwrap_or_default();
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') & !matches!(byte, b'-' | b'`');
    let mut length = byte_search::first(window, |byte| !is_plain(byte)).unwrap_or(window.len());
    // More than one space, or one before the end of the line, is folded.
    if let Some(at) = memmem::find(bytes.get(..length).unwrap_or_default(), b"  ") {
        length = at;
    }
    match bytes.get(length) {
        Some(b' ' | b'\t' | b'\n' | b'\r') if bytes.get(..length).is_some_and(|plain| plain.ends_with(b" ")) => {
            length - 1
        }
        Some(next) if !next.is_ascii() => length.saturating_sub(1),
        _ => length,
    }
}

/// Length of a hyphen at `at` with the end of the line after it, where a word goes on in the next line.
fn line_end_hyphen(text: &str, at: usize) -> Option<usize> {
    let (before, rest) = text.split_at_checked(at)?;
    let next = rest.strip_prefix(is_hyphen)?;
    let spaces = next.len() - next.trim_start_matches([' ', '\t']).len();
    let line = next.get(spaces..)?;
    let line = line.strip_prefix("\r\n").or_else(|| line.strip_prefix('\n'))?;
    let line = line.trim_start_matches([' ', '\t']);
    (before.ends_with(is_word) && line.starts_with(is_word)).then(|| rest.len() - line.len())
}

fn is_one_char(text: &str) -> bool {
    text.chars().nth(1).is_none()
}

/// Appends a grapheme cluster in NFKC and full case folding.
fn fold_into(cluster: &str, into: &mut String) {
    let known = |c: &char| !is_invisible(*c);
    let chars = cluster.chars().filter(known).map(|c| punctuation(c).unwrap_or(c));
    if cluster.chars().any(keeps_its_form) {
        into.extend(chars);
        return;
    }
    for c in chars.nfkc() {
        if let Some(value) = digit(c) {
            into.push(char::from(b'0' + value));
        } else if let Some(mark) = punctuation(c) {
            into.push(mark);
        } else {
            push_case_folded(c, into);
        }
    }
}

/// Full case folding: `ß` is `ss`, `ς` is `σ`. The dotless `ı` has a case of its own.
fn push_case_folded(c: char, into: &mut String) {
    if c == 'ı' {
        into.push(c);
    } else {
        into.extend(c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase));
    }
}

/// Characters that would turn into digits or letters beside those of a word: `5²` is not 52, `2½` not 21⁄2.
fn keeps_its_form(c: char) -> bool {
    if c.is_ascii() || c.is_alphabetic() || digit(c).is_some() {
        return false;
    }
    c.is_numeric() || matches!(c, '™' | '℠') || c.nfkd().any(|part| part.is_ascii_digit())
}

/// Quotes, apostrophes and dashes as those of a typewriter.
fn punctuation(c: char) -> Option<char> {
    match c {
        '‘' | '’' | '‚' | '‛' | '′' | '‵' | 'ʼ' | 'ʹ' | '`' | '´' | '‹' | '›' | '＇' => Some('\''),
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' | '〝' | '〞' | '＂' => Some('"'),
        c if is_dash(c) => Some('-'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the first `part` of the folded text comes from.
    fn written<'a>(raw: &'a str, hyphen: LineEndHyphen, part: &str) -> Option<&'a str> {
        let folded = FoldedText::new(raw, hyphen);
        let start = folded.text.find(part)?;
        raw.get(folded.raw(&(start..start + part.len()))?)
    }

    #[test]
    fn differences_that_say_nothing_are_folded_away() {
        for (raw, folded) in [
            ("Große  STRASSE", "grosse strasse"),
            ("ΟΔΟΣ οδος", "οδοσ οδοσ"),
            ("a \r\n\tb\u{A0}c", "a b c"),
            ("“it’s” – «ok»", "\"it's\" - \"ok\""),
            ("zero\u{200B}width soft\u{AD}hyphen", "zerowidth softhyphen"),
            ("ﬁne ＡＢＣ １２ ٣٤", "fine abc 12 34"),
            ("e\u{301}a\u{308} É", "éä é"),
            ("5² 2½ ① Foo™", "5² 2½ ① foo™"),
            ("ıİ", "ıi\u{307}"),
            ("INV-\n2026", "inv-2026"),
            ("- a -\nb", "- a - b"),
        ] {
            assert_eq!(fold(raw), folded, "{raw:?}");
        }
        assert_eq!(FoldedText::new("Rech-\r\n  nung", LineEndHyphen::Removed).text, "rechnung");
    }

    #[test]
    fn parts_lead_back_to_what_was_written() {
        use LineEndHyphen::{Kept, Removed};
        for (raw, hyphen, part, expected) in [
            ("Ein  GROẞES   Haus", Kept, "grosses haus", Some("GROẞES   Haus")),
            ("die Rech-\n nung 7", Removed, "rechnung", Some("Rech-\n nung")),
            ("x ﬁn", Kept, "fi", Some("ﬁ")),
            ("x ﬁn", Kept, "in", None),
            ("x ﬁn", Kept, " f", None),
            ("ÉÈ éè", Kept, "è", Some("È")),
            ("Cafe\u{301} au", Kept, "café", Some("Cafe\u{301}")),
            ("a\u{200B}b\u{200B}", Kept, "ab", Some("a\u{200B}b")),
        ] {
            assert_eq!(written(raw, hyphen, part), expected, "{part} in {raw:?}");
        }
        assert!(has_line_end_hyphen("Rech- \r\nnung") && !has_line_end_hyphen("Rech-nung\n"));
    }

    proptest! {
        #[test]
        fn a_part_is_the_folded_form_of_what_it_comes_from(
            raw in "([a-zA-Z0-9 ,.]|[éßﬁſİ²½™]|e\u{301}|\u{AD}|\u{200B}|각|가|👩\u{200D}💻|[٠-٩]|\\PC){0,40}",
            from in 0_usize..60, length in 1_usize..20,
        ) {
            let folded = FoldedText::new(&raw, LineEndHyphen::Kept);
            let start = folded.text.floor_char_boundary(from.min(folded.text.len()));
            let end = folded.text.ceil_char_boundary((start + length).min(folded.text.len()));
            if let Some(place) = folded.raw(&(start..end)).filter(|_| start < end) {
                let written = raw.get(place).unwrap();
                prop_assert_eq!(fold(written), &folded.text[start..end]);
            }
        }
    }
}
