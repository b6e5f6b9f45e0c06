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
    if is_folded(prompt) {
        return Cow::Borrowed(prompt);
    }
    let mut folded = String::with_capacity(prompt.len());
    // By lines, since most of them need no look at each word.
    for line in prompt.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        if is_folded(line) {
            folded.push_str(line);
            continue;
        }
        for (index, word) in line.split_whitespace().enumerate() {
            if index > 0 {
                folded.push(' ');
            }
            folded.push_str(word);
        }
    }
    Cow::Owned(folded)
}

/// Whether a trimmed text is ASCII without other white space than single spaces. A text that is not may be folded all
/// the same: it is only looked at more closely.
fn is_folded(text: &str) -> bool {
    // Without an early end the compiler checks many bytes at once.
    text.bytes().fold(true, |printable, byte| printable & matches!(byte, b' '..=b'~')) && !text.contains("  ")
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
        fn it_is_the_words_with_single_spaces(prompt in "([a-zé]|[ \n\t\u{a0}\u{3000}\u{b}\u{85}]|\\PC){0,40}") {
            let words: Vec<&str> = prompt.split_whitespace().collect();
            prop_assert_eq!(fold(&prompt, false), words.join(" "));
        }
    }
}
