//! One form for prompts that are taken for the same question.

use std::borrow::Cow;

/// The prompt with each run of white space as one space and none at the ends, in lower case if `fold_case` says so.
/// Only remembered answers are looked up by it; a provider is sent the prompt as it is.
pub fn fold(prompt: &str, fold_case: bool) -> Cow<'_, str> {
    let spaced = fold_space(prompt);
    if fold_case { Cow::Owned(spaced.to_lowercase()) } else { spaced }
}

fn fold_space(prompt: &str) -> Cow<'_, str> {
    let prompt = prompt.trim();
    if !is_plain(prompt) {
        return Cow::Owned(joined(prompt.split_whitespace(), prompt.len()));
    }
    if !prompt.contains('\n') {
        return Cow::Borrowed(prompt);
    }
    let lines = prompt.split('\n').map(|line| line.trim_matches(' ')).filter(|line| !line.is_empty());
    Cow::Owned(joined(lines, prompt.len()))
}

/// Whether the only white space is single spaces and line feeds, as in most prompts: then no look at each word is
/// needed, which takes ten times as long. Said too seldom, it costs time and nothing else.
fn is_plain(text: &str) -> bool {
    // All white space beyond ASCII begins with one of four bytes. Without an early end the compiler checks many at
    // once.
    let is_other = |byte| !matches!(byte, b'\n' | b' '..=0xc1 | 0xc3..=0xe0 | 0xe4..);
    text.bytes().fold(true, |is_plain, byte| is_plain & !is_other(byte)) && !text.contains("  ")
}

fn joined<'a>(parts: impl Iterator<Item = &'a str>, capacity: usize) -> String {
    let mut text = String::with_capacity(capacity);
    for part in parts {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn white_space_is_folded_and_letter_case_only_when_told_to() {
        for (prompt, folded) in [
            ("one line", "one line"),
            ("Two  lines\n\tof it ", "Two lines of it"),
            ("a\n\n\nb", "a b"),
            ("é\u{3000}è\u{a0}ê", "é è ê"),
        ] {
            assert_eq!(fold(prompt, false), folded, "{prompt:?}");
        }
        assert_eq!(fold("GRÜSSE  an\nAll", true), "grüsse an all");
        assert!(matches!(fold("as it is", false), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn it_is_the_words_with_single_spaces(prompt in "([a-zé]|[ \n\t\u{a0}\u{3000}\u{b}\u{85}\u{2028}\u{1680}]|\\PC){0,40}") {
            let words: Vec<&str> = prompt.split_whitespace().collect();
            prop_assert_eq!(fold(&prompt, false), words.join(" "));
        }
    }
}
