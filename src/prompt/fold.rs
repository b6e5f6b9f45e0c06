//! One form for prompts that are taken for the same question.

/// How much is made lower case at once.
const CHUNK: usize = 64;

/// Passes the prompt on in pieces, with each run of white space as one space and none at the ends, without regard to
/// letter case if `fold_case` says so. Nothing is allocated: most prompts have line feeds, and each one is hashed.
/// Only remembered answers are looked up by this form; a provider is sent the prompt as it is.
pub fn fold(prompt: &str, fold_case: bool, mut pass_on: impl FnMut(&[u8])) {
    if fold_case {
        fold_space(prompt, |piece| lower_case(piece, &mut pass_on));
    } else {
        fold_space(prompt, |piece| pass_on(piece.as_bytes()));
    }
}

fn fold_space(prompt: &str, pass_on: impl FnMut(&str)) {
    let prompt = prompt.trim();
    if is_plain(prompt) {
        let lines = prompt.split('\n').map(|line| line.trim_matches(' '));
        join(lines.filter(|line| !line.is_empty()), pass_on);
    } else {
        join(prompt.split_whitespace(), pass_on);
    }
}

/// Whether the only white space is single spaces and line feeds, as in most prompts: then no look at each word is
/// needed, which takes ten times as long. Said too seldom, it costs time and nothing else.
fn is_plain(text: &str) -> bool {
    // All white space beyond ASCII begins with one of four bytes. Without an early end the compiler checks many at
    // once.
    let is_other = |byte| !matches!(byte, b'\n' | b' '..=0xc1 | 0xc3..=0xe0 | 0xe4..);
    text.bytes().fold(true, |is_plain, byte| is_plain & !is_other(byte)) && !text.contains("  ")
}

fn join<'a>(parts: impl Iterator<Item = &'a str>, mut pass_on: impl FnMut(&str)) {
    for (index, part) in parts.enumerate() {
        if index > 0 {
            pass_on(" ");
        }
        pass_on(part);
    }
}

fn lower_case(piece: &str, mut pass_on: impl FnMut(&[u8])) {
    let mut lower = [0; CHUNK];
    if piece.is_ascii() {
        for chunk in piece.as_bytes().chunks(CHUNK) {
            let lower = &mut lower[..chunk.len()];
            lower.copy_from_slice(chunk);
            lower.make_ascii_lowercase();
            pass_on(lower);
        }
        return;
    }
    // Sigma has another lower case at the end of a word. Here both are one letter, so that no look ahead is needed.
    let lower_chars = piece.chars().flat_map(char::to_lowercase).map(|char| if char == 'ς' { 'σ' } else { char });
    for char in lower_chars {
        pass_on(char.encode_utf8(&mut lower).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All pieces together.
    fn folded(prompt: &str, fold_case: bool) -> String {
        let mut bytes = Vec::new();
        fold(prompt, fold_case, |piece| bytes.extend_from_slice(piece));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn white_space_is_folded_and_letter_case_only_when_told_to() {
        for (prompt, expected) in [
            ("one line", "one line"),
            ("Two  lines\n\tof it ", "Two lines of it"),
            ("a\n\n\nb", "a b"),
            ("é\u{3000}è\u{a0}ê", "é è ê"),
        ] {
            assert_eq!(folded(prompt, false), expected, "{prompt:?}");
        }
        assert_eq!(folded("GRÜSSE  an\nAll", true), "grüsse an all");
        assert_eq!(folded("ΟΔΟΣ", true), folded("οδος", true));
        assert_eq!(folded(&"LONG".repeat(CHUNK), true), "long".repeat(CHUNK));
    }

    proptest! {
        #[test]
        fn its_pieces_are_the_words_with_single_spaces(
            prompt in "([a-zA-Zéσςİ]|ΟΔΟΣ|[ \n\t\u{a0}\u{3000}\u{b}\u{85}\u{2028}\u{1680}]|\\PC){0,40}"
        ) {
            let words = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(folded(&prompt, true), words.to_lowercase().replace('ς', "σ"));
            prop_assert_eq!(folded(&prompt, false), words);
        }
    }
}
