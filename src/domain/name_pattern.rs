//! Patterns of names, as users write them to say which remembered answers they mean.

use std::str::Chars;

/// A pattern in which `*` stands for any text, none included, and `?` for one character. Letter case matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    /// The pattern written like this. Every text is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole name is one that the pattern stands for. Takes at most the product of both lengths.
    pub fn matches(&self, name: &str) -> bool {
        let (mut pattern, mut rest) = (self.0.chars(), name.chars());
        // Where to go on when what follows the last `*` does not fit: after that `*`, which takes one character more.
        let mut retry: Option<(Chars<'_>, Chars<'_>)> = None;
        loop {
            let unread = rest.clone();
            match (pattern.next(), rest.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    rest = unread;
                    retry = Some((pattern.clone(), rest.clone()));
                }
                (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {}
                _ => {
                    let Some((after_star, taken)) = &mut retry else { return false };
                    if taken.next().is_none() {
                        return false;
                    }
                    (pattern, rest) = (after_star.clone(), taken.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::cpu_time::CpuTime;

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        for (pattern, name, is_match) in [
            ("invoice_*", "invoice_2026", true),
            ("invoice_*", "invoice_", true),
            ("invoice_*", "invoice", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "é", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("*voice*6", "invoice_2026", true),
            ("*ab", "aab", true),
            ("a*b*c", "a.b.b.c", true),
            ("a*b*c", "a.b.b.d", false),
            ("Invoice", "invoice", false),
            ("[ab]", "a", false),
            ("a**", "a", true),
        ] {
            assert_eq!(NamePattern::new(pattern).matches(name), is_match, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        let began_at = CpuTime::now();
        assert!(!NamePattern::new("a*".repeat(100) + "b").matches(&"a".repeat(2000)));
        assert!(began_at.elapsed() < Duration::from_secs(5), "{:?}", began_at.elapsed());
    }

    fn matches_slowly(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, rest) => rest.is_none(),
            (Some(('*', after)), _) => (0..=name.len()).any(|skipped| matches_slowly(after, &name[skipped..])),
            (Some((wanted, after)), Some((found, rest))) => {
                (*wanted == '?' || wanted == found) && matches_slowly(after, rest)
            }
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn it_matches_what_the_plain_definition_does(pattern in "[ab?*]{0,8}", name in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(NamePattern::new(pattern.as_str()).matches(&name), matches_slowly(&chars(&pattern), &chars(&name)));
        }
    }
}
