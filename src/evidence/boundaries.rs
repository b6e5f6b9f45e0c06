//! Where a token of a text begins and ends, in scripts with and without spaces between words.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::GraphemeCursor;

use super::digits::is_digit;

/// Bytes around a place that decide whether it is between two grapheme clusters. Longer clusters exist in theory only.
const CLUSTER_WINDOW: usize = 256;

/// Invisible characters that are looked past for a neighbour.
const MAX_INVISIBLE: usize = 16;

/// Letters from which on a word after a hyphen is one, and no part of an identifier.
const LEAST_WORD: usize = 3;

/// What Korean attaches to a noun: particles, titles and the copula.
const KOREAN_ENDINGS: [&str; 40] = [
    "은",
    "는",
    "이",
    "가",
    "을",
    "를",
    "의",
    "에",
    "에서",
    "에게",
    "께",
    "께서",
    "로",
    "으로",
    "와",
    "과",
    "랑",
    "이랑",
    "도",
    "만",
    "까지",
    "부터",
    "보다",
    "처럼",
    "마다",
    "조차",
    "밖에",
    "한테",
    "씨",
    "님",
    "씨가",
    "씨는",
    "님이",
    "님은",
    "입니다",
    "이고",
    "이며",
    "이다",
    "이라고",
    "라고",
];

/// Numerals of Chinese and Japanese that are letters for Unicode.
const HAN_NUMERALS: &str = "〇一二三四五六七八九十百千万萬億亿兆";

/// Whether a part of `text` is whole tokens: a letter or digit at its ends does not go on outside, a number is not cut
/// at its point, and no grapheme cluster is cut.
pub(super) fn is_token(text: &str, part: &Range<usize>) -> bool {
    let (Some(inner), Some(before), Some(after)) =
        (text.get(part.clone()), text.get(..part.start), text.get(part.end..))
    else {
        return false;
    };
    let (Some(first), Some(last)) = (inner.chars().next(), inner.chars().next_back()) else { return false };
    let previous = visible(before.chars().rev());
    let next = visible(after.chars());
    let goes_on = previous.is_some_and(|previous| joins(previous, first))
        || next.is_some_and(|next| joins(last, next) && !is_korean_ending(after));
    let is_in_number = (is_digit(first) && ends_in_number(before)) || (is_digit(last) && begins_in_number(after));
    let is_in_word = (is_word(first) && is_divided_before(before)) || (is_word(last) && is_divided_after(after));
    let is_part = goes_on || is_in_number || is_in_word;
    !is_part && is_between_clusters(text, part.start) && is_between_clusters(text, part.end)
}

/// Whether a letter, digit or combining mark.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() || is_combining_mark(c) }
}

/// Whether two neighbours belong to one word or number.
pub(super) fn joins(left: char, right: char) -> bool {
    if !is_word(left) || !is_word(right) {
        return false;
    }
    if left.is_ascii() && right.is_ascii() {
        return true;
    }
    if is_digit(left) || is_digit(right) {
        let letter = if is_digit(left) { right } else { left };
        return !is_spaceless(letter) && !is_hangul(letter);
    }
    let is_han_number = HAN_NUMERALS.contains(left) && HAN_NUMERALS.contains(right);
    is_han_number || !(is_spaceless(left) || is_spaceless(right))
}

/// Whether characters of this kind are not seen: zero-width spaces and joiners, soft hyphens, marks of direction.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

fn visible(chars: impl Iterator<Item = char>) -> Option<char> {
    chars.take(MAX_INVISIBLE).find(|c| !is_invisible(*c))
}

/// Whether a number before goes on after this text: `12.` before a digit.
fn ends_in_number(before: &str) -> bool {
    let mut chars = before.chars().rev();
    chars.next().is_some_and(is_number_separator) && chars.next().is_some_and(is_digit)
}

fn begins_in_number(after: &str) -> bool {
    let mut chars = after.chars();
    chars.next().is_some_and(is_number_separator) && chars.next().is_some_and(is_digit)
}

fn is_number_separator(c: char) -> bool {
    matches!(c, '.' | ',' | '\'' | '’' | '٫' | '٬')
}

/// Whether a word begins here that the end of the line divides: `Rech-` and `nung`.
fn is_divided_after(after: &str) -> bool {
    let line = after.strip_prefix(is_hyphen).map(|rest| rest.trim_start_matches([' ', '\t', '\r']));
    let next = line.and_then(|line| line.strip_prefix('\n')).map(|line| line.trim_start_matches([' ', '\t']));
    next.is_some_and(|next| next.starts_with(is_word))
}

/// Whether a word ends here that the end of the line divides.
fn is_divided_before(before: &str) -> bool {
    let line = before.trim_end_matches([' ', '\t']).strip_suffix('\n');
    let word = line.and_then(|line| line.trim_end_matches([' ', '\t', '\r']).strip_suffix(is_hyphen));
    word.is_some_and(|word| word.ends_with(is_word))
}

/// Whether a text begins with a word so short that it is a part of an identifier: `4711-a`, but not `7-day`.
pub(super) fn is_short_word(text: &str) -> bool {
    let letters = text.chars().take(LEAST_WORD).take_while(|c| is_word(*c) && !is_digit(*c)).count();
    (1..LEAST_WORD).contains(&letters)
}

/// Whether a number may begin after this text, since it ends with nothing that a number goes on from.
pub(super) fn may_begin_number(before: &str) -> bool {
    !before.ends_with(|c: char| is_word(c) || matches!(c, '-' | '/' | '.' | ',' | ':' | '#' | '_'))
}

/// Whether it is a hyphen or a dash. Some of them are minus signs as well.
pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '﹘' | '﹣' | '－')
}

/// Whether it may divide a word at the end of a line.
pub(super) fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{AD}' | '\u{2010}')
}

/// Scripts that are written without spaces between words: there a word begins and ends anywhere.
fn is_spaceless(c: char) -> bool {
    let is_letter = match u32::from(c) {
        0..0x0E00 => false,
        // Thai, Lao, Myanmar, Khmer, Tai scripts.
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x1950..=0x19DF | 0x1A20..=0x1AAF => true,
        // Kana, also half as wide.
        0x3040..=0x30FF | 0x31F0..=0x31FF | 0xFF66..=0xFF9F | 0x1B000..=0x1B16F => true,
        // Han.
        0x3005..=0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF => true,
        _ => false,
    };
    is_letter && !is_digit(c)
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{AC00}'..='\u{D7A3}')
}

/// Whether the word goes on with nothing but what Korean attaches to a noun.
fn is_korean_ending(after: &str) -> bool {
    let length: usize = after.chars().take(5).take_while(|c| is_hangul(*c)).map(char::len_utf8).sum();
    let Some((ending, rest)) = after.split_at_checked(length) else { return false };
    !rest.starts_with(is_word) && KOREAN_ENDINGS.contains(&ending)
}

/// Whether no grapheme cluster is cut at byte `at`.
pub(super) fn is_between_clusters(text: &str, at: usize) -> bool {
    let neighbours = text.as_bytes().get(at.saturating_sub(1)..(at + 1).min(text.len())).unwrap_or_default();
    if neighbours.iter().all(u8::is_ascii) {
        return true;
    }
    let from = text.floor_char_boundary(at.saturating_sub(CLUSTER_WINDOW));
    let to = text.ceil_char_boundary((at + CLUSTER_WINDOW).min(text.len()));
    let Some(window) = text.get(from..to) else { return false };
    GraphemeCursor::new(at - from, window.len(), true).is_boundary(window, 0).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the first `part` in `text` is whole tokens.
    fn is_whole(text: &str, part: &str) -> bool {
        let start = text.find(part).unwrap();
        is_token(text, &(start..start + part.len()))
    }

    #[test]
    fn a_letter_or_digit_at_an_edge_must_not_go_on() {
        for (text, part) in [
            ("order 4711.", "4711"),
            ("(Anna)", "Anna"),
            ("Anna's", "Anna"),
            ("12,50 €", "12,50"),
            ("4711, 4712", "4711"),
            ("#4711", "4711"),
            ("a-b", "b"),
        ] {
            assert!(is_whole(text, part), "{part} in {text}");
        }
        for (text, part) in [
            ("order 47110", "4711"),
            ("Annas", "Anna"),
            ("12.50", "12"),
            ("12.50", "50"),
            ("1'200", "200"),
            ("12\u{200B}34", "12"),
            ("Zoë", "Zo"),
            ("5kg", "5"),
            ("Rech-\r\n nung", "Rech"),
            ("Rech-\nnung", "nung"),
        ] {
            assert!(!is_whole(text, part), "{part} in {text}");
        }
    }

    #[test]
    fn words_end_anywhere_in_scripts_without_spaces() {
        for (text, part) in [
            ("東京都港区", "港区"),
            ("2026年3月", "2026"),
            ("トムさん", "トム"),
            ("ผมชื่อสมชายครับ", "สมชาย"),
            ("서울에서 만나요", "서울"),
            ("5개 주세요", "5"),
        ] {
            assert!(is_whole(text, part), "{part} in {text}");
        }
        for (text, part) in [("二十三", "二十"), ("서울대학교", "서울"), ("๑๒๓", "๑๒")] {
            assert!(!is_whole(text, part), "{part} in {text}");
        }
    }

    #[test]
    fn grapheme_clusters_are_not_cut() {
        for (text, part) in [("e\u{301}", "e"), ("👩\u{200D}💻", "👩"), ("👍🏽", "👍"), ("🇩🇪🇫🇷", "🇪🇫"), ("กำ", "ก")]
        {
            assert!(!is_whole(text, part), "{part} in {text}");
        }
        assert!(is_whole("🇩🇪🇫🇷", "🇫🇷"));
        assert!(is_whole("ok 👍🏽", "👍🏽"));
    }
}
