//! The message as words that can be looked up, whatever their case and accents.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Bytes of a message that are read. Prompts are limited to 10,000 characters by default; this keeps larger ones cheap.
const MAX_BYTES: usize = 48 * 1024;

/// Instructions before a `---` line are short; after more text than this the line is part of the message.
const MAX_PREAMBLE: usize = 2_000;

const TAGS: [&str; 12] = [
    "message",
    "ticket",
    "text",
    "document",
    "input",
    "content",
    "email",
    "mail",
    "body",
    "data",
    "user_input",
    "prompt",
];

/// The user's text within a rendered prompt: what stands between delimiters where there are any, otherwise all of it.
pub(super) fn isolate(prompt: &str) -> &str {
    let message = tagged(prompt)
        .or_else(|| between(prompt, "\"\"\"", "\"\"\""))
        .or_else(|| between(prompt, "```", "```").map(without_info_string))
        .or_else(|| after_rule(prompt))
        .unwrap_or(prompt)
        .trim();
    message.get(..floor(message, MAX_BYTES)).unwrap_or(message)
}

/// The last boundary between characters at or before byte `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

fn tagged(prompt: &str) -> Option<&str> {
    TAGS.iter().find_map(|tag| between(prompt, &format!("<{tag}>"), &format!("</{tag}>")))
}

/// From the first `open` to the last `close`, so that a message cannot end itself early.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let start = text.find(open)? + open.len();
    let end = text.rfind(close)?;
    text.get(start..end).filter(|inner| !inner.trim().is_empty())
}

fn without_info_string(fenced: &str) -> &str {
    fenced.split_once('\n').filter(|(info, _)| info.len() < 20).map_or(fenced, |(_, rest)| rest)
}

fn after_rule(prompt: &str) -> Option<&str> {
    let start = if prompt.starts_with("---\n") { 0 } else { prompt.find("\n---\n")? + 1 };
    let rest = prompt.get(start + 4..)?.trim();
    let rest = rest.strip_suffix("\n---").unwrap_or(rest);
    (start <= MAX_PREAMBLE && !rest.trim().is_empty()).then_some(rest)
}

/// Lower case without accents, so that `Kündigung`, `KUNDIGUNG` and `kündigung` are one word.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    text.chars().for_each(|c| fold_char(c, &mut folded));
    folded
}

fn fold_char(c: char, into: &mut String) {
    match c {
        _ if c.is_ascii() => into.push(c.to_ascii_lowercase()),
        'ß' => into.push_str("ss"),
        'æ' | 'Æ' => into.push_str("ae"),
        'œ' | 'Œ' => into.push_str("oe"),
        _ => into.extend(c.to_lowercase().nfd().filter(|c| !is_combining_mark(*c))),
    }
}

/// The words of a property name or an enum value: `orderId`, `order_id` and `Order ID` are `order id`.
pub(super) fn name_words(name: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut lower_before = false;
    for c in name.chars().take(200) {
        if c.is_uppercase() && lower_before {
            spaced.push(' ');
        }
        lower_before = c.is_lowercase() || c.is_ascii_digit();
        spaced.push(if c.is_alphanumeric() { c } else { ' ' });
    }
    fold(&spaced).split_whitespace().map(str::to_owned).collect()
}

/// A text and an index of its words.
#[derive(Debug)]
pub(super) struct Text<'a> {
    /// The text as written.
    pub(super) raw: &'a str,
    folded: String,
    /// Where each word is in the folded text.
    words: Vec<Range<usize>>,
    /// Indices of `words` in alphabetical order: a phrase is found by binary search.
    order: Vec<usize>,
}

impl<'a> Text<'a> {
    /// Indexes `raw`.
    pub(super) fn new(raw: &'a str) -> Self {
        let mut text = Self { raw, folded: String::with_capacity(raw.len()), words: Vec::new(), order: Vec::new() };
        let mut start: Option<usize> = None;
        for c in raw.chars() {
            // An apostrophe joins (don't), except after one letter, where it elides (l'argent).
            let joins = matches!(c, '\'' | '’') && start.is_some_and(|from| text.folded.len() > from + 1);
            if c.is_alphanumeric() || is_combining_mark(c) {
                start.get_or_insert(text.folded.len());
                fold_char(c, &mut text.folded);
            } else if !joins {
                text.close(start.take());
            }
        }
        text.close(start);
        text.order = (0..text.words.len()).collect();
        text.order.sort_by(|a, b| word_of(&text.folded, &text.words, *a).cmp(word_of(&text.folded, &text.words, *b)));
        text
    }

    fn close(&mut self, start: Option<usize>) {
        let end = self.folded.len();
        self.words.extend(start.filter(|start| *start < end).map(|start| start..end));
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The folded word at `index`, or an empty string.
    pub(super) fn word(&self, index: usize) -> &str {
        word_of(&self.folded, &self.words, index)
    }

    /// Indices of the words where `phrase` begins, in alphabetical order of what they match.
    pub(super) fn find<'b>(&'b self, phrase: &'b Phrase) -> impl Iterator<Item = usize> + 'b {
        let first = phrase.0.first();
        let from = first.map_or(self.order.len(), |stem| {
            self.order.partition_point(|index| self.word(*index) < stem.letters.as_str())
        });
        self.order
            .iter()
            .skip(from)
            .copied()
            .take_while(move |index| first.is_some_and(|stem| stem.matches(self.word(*index))))
            .filter(|index| phrase.0.iter().enumerate().all(|(offset, stem)| stem.matches(self.word(index + offset))))
    }

    /// Whether `phrase` occurs.
    pub(super) fn has(&self, phrase: &Phrase) -> bool {
        self.find(phrase).next().is_some()
    }
}

fn word_of<'t>(folded: &'t str, words: &[Range<usize>], index: usize) -> &'t str {
    words.get(index).and_then(|word| folded.get(word.clone())).unwrap_or_default()
}

/// Words in a row, each exact or, with a `*` at its end, a beginning.
#[derive(Debug)]
pub(super) struct Phrase(Vec<Stem>);

#[derive(Debug)]
struct Stem {
    letters: String,
    prefix: bool,
}

impl Stem {
    fn matches(&self, word: &str) -> bool {
        if self.prefix { word.starts_with(&self.letters) } else { word == self.letters }
    }
}

impl Phrase {
    /// Reads `pattern` with the same tokens as a text, so that phrases can be written the way people write.
    pub(super) fn new(pattern: &str) -> Self {
        let mut stems = Vec::new();
        for part in pattern.split_whitespace() {
            let text = Text::new(part);
            for index in 0..text.len() {
                let prefix = index + 1 == text.len() && part.ends_with('*');
                stems.push(Stem { letters: text.word(index).to_owned(), prefix });
            }
        }
        Self(stems)
    }

    /// Reads a comma-separated list.
    pub(super) fn list(patterns: &str) -> Vec<Self> {
        patterns.split(',').map(Self::new).filter(|phrase| !phrase.0.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_found_between_delimiters() {
        assert_eq!(isolate("Sort this.\n<message>\nHello </message> x\n</message>\nAnswer now."), "Hello </message> x");
        assert_eq!(isolate("Sort:\n\"\"\"\nHello\n\"\"\"\nJSON only."), "Hello");
        assert_eq!(isolate("Sort:\n```text\nHello\nyou\n```"), "Hello\nyou");
        assert_eq!(isolate("Sort this.\n---\nHello\n---\n"), "Hello");
        assert_eq!(isolate("Just a message"), "Just a message");
        assert_eq!(isolate("<message></message>"), "<message></message>");
        assert_eq!(isolate(&"é".repeat(1_000_000)).len(), MAX_BYTES);
    }

    #[test]
    fn phrases_are_found_whatever_their_case_accents_and_apostrophes() {
        let text = Text::new("I DON’T want it. J'ai payé l'abonnement, die Kündigung");
        for pattern in ["don't want", "payé", "l'abonnement", "kundig*", "want it"] {
            assert!(text.has(&Phrase::new(pattern)), "{pattern}");
        }
        assert!(!text.has(&Phrase::new("kundig")));
        assert!(!text.has(&Phrase::new("it want")));
        let at = text.find(&Phrase::new("kündigung")).next().unwrap();
        assert_eq!(text.word(at), "kundigung");
    }

    #[test]
    fn names_fall_into_words() {
        assert_eq!(name_words("orderId"), ["order", "id"]);
        assert_eq!(name_words("customer_e-mail"), ["customer", "e", "mail"]);
    }
}
