//! Sentences worth quoting.

use std::sync::LazyLock;

use super::text::{Phrase, Text};

/// Sentences that are looked at.
const MAX_SENTENCES: usize = 40;

/// Beginnings of sentences that greet, introduce or say goodbye.
const EMPTY: [&str; 58] = [
    "hi",
    "hello",
    "hey",
    "dear",
    "good morning",
    "good afternoon",
    "good evening",
    "to whom",
    "greetings",
    "thanks in advance",
    "thank you in advance",
    "my name is",
    "i hope",
    "hope you",
    "hope this",
    "regards",
    "kind regards",
    "best regards",
    "cheers",
    "hallo",
    "guten tag",
    "guten morgen",
    "sehr geehrte",
    "sehr geehrter",
    "liebes",
    "liebe",
    "moin",
    "servus",
    "mein name ist",
    "vielen dank im voraus",
    "mit freundlichen",
    "viele grusse",
    "danke im voraus",
    "bonjour",
    "bonsoir",
    "madame",
    "monsieur",
    "chere",
    "cher",
    "je m'appelle",
    "merci d'avance",
    "cordialement",
    "j'espere que vous",
    "hola",
    "buenos dias",
    "buenas tardes",
    "buenas",
    "estimados",
    "estimado",
    "estimada",
    "me llamo",
    "gracias de antemano",
    "un saludo",
    "saludos",
    "best",
    "sincerely",
    "sent from",
    "quick question",
];

static EMPTY_PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| EMPTY.iter().map(|empty| Phrase::new(empty)).collect());

/// The sentences of `text`, in order. A line break ends a sentence only before an empty line or after a short line.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let ends = match c {
            '.' | '!' | '?' | '…' => next.is_none_or(char::is_whitespace) && !abbreviated(text, at),
            '\n' => next.is_none_or(|next| next == '\n' || next == '-' || next.is_uppercase()) || at - start < 30,
            _ => false,
        };
        if ends {
            let end = at + c.len_utf8();
            found.extend(text.get(start..end).map(str::trim).filter(|sentence| !sentence.is_empty()));
            start = end;
            if found.len() >= MAX_SENTENCES {
                return found;
            }
        }
    }
    found.extend(text.get(start..).map(str::trim).filter(|sentence| !sentence.is_empty()));
    found
}

/// `Nr.`, `e.g.`, `12.`: a point that ends no sentence.
fn abbreviated(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default().trim_start_matches(['(', '"']);
    let short = [
        "nr", "no", "mr", "mrs", "ms", "dr", "hr", "fr", "inc", "ltd", "e.g", "i.e", "z.b", "ca", "approx", "st", "ref",
    ];
    short.iter().any(|known| word.eq_ignore_ascii_case(known)) || word.len() == 1 && word != "I"
}

/// The first sentence that says something, cut to `most` characters; a second one if the first is very short.
pub(super) fn summary(text: &str, most: usize) -> Option<String> {
    let sentences = sentences(text);
    let first = sentences
        .iter()
        .position(|sentence| informs(sentence))
        .or_else(|| sentences.iter().position(|s| words(s) >= 1))?;
    let mut summary = without_greeting(sentences.get(first)?).to_owned();
    if let Some(next) = sentences.get(first + 1)
        && words(&summary) < 7
        && informs(next)
        && summary.chars().count() + next.chars().count() < most
    {
        summary = format!("{summary} {next}");
    }
    Some(cut(&summary.split_whitespace().collect::<Vec<_>>().join(" "), most))
}

/// The heading of `text`: a short first line that is no sentence, with more below it.
pub(super) fn title(text: &str) -> Option<&str> {
    let (first, rest) = text.trim().split_once('\n')?;
    let first = first.trim().trim_start_matches(['#', '*', ' ']).trim_end_matches(['*', ' ']);
    let greets = without_greeting(first).len() < first.len() || Text::new(first).len() <= 3 && !informs_or_names(first);
    let plain = !first.ends_with(['.', ',', '!', '?', ':', ';']) && !first.contains(": ");
    ((1..=10).contains(&words(first)) && plain && !greets && !rest.trim().is_empty()).then_some(first)
}

/// No greeting stands at the beginning.
fn informs_or_names(line: &str) -> bool {
    let text = Text::new(line);
    !EMPTY_PHRASES.iter().any(|empty| text.find(empty).any(|at| at == 0))
}

fn words(sentence: &str) -> usize {
    sentence.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

fn informs(sentence: &str) -> bool {
    let sentence = without_greeting(sentence);
    let text = Text::new(sentence);
    let label = sentence.split_once(": ").is_some_and(|(label, _)| words(label) <= 3 && words(sentence) <= 8);
    words(sentence) >= 4 && !label && !EMPTY_PHRASES.iter().any(|empty| text.find(empty).any(|at| at == 0))
}

/// Takes “Hi Anna, ” and “Hello - ” off the beginning.
fn without_greeting(sentence: &str) -> &str {
    let Some((greeting, rest)) = sentence.split_once([',', '!', '–', '-', ':']) else { return sentence };
    let text = Text::new(greeting);
    let greets = text.len() <= 4 && EMPTY_PHRASES.iter().any(|empty| text.find(empty).any(|at| at == 0));
    if greets && words(rest) >= 2 { rest.trim_start() } else { sentence }
}

/// At most `most` characters, ending at a word.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    let end = kept.rfind(char::is_whitespace).filter(|end| *end * 2 > kept.len()).unwrap_or(kept.len());
    let kept = kept.get(..end).unwrap_or(&kept).trim_end_matches([' ', ',', ';', ':', '-']);
    if most == 0 { String::new() } else { format!("{kept}…") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_skips_what_says_nothing() {
        for (text, wanted) in [
            ("Hi team,\n\nMy name is Ann. The lamp I bought flickers. Help!", "The lamp I bought flickers."),
            ("Hello, where is order Nr. 48213 now? Thanks", "where is order Nr. 48213 now?"),
            ("Guten Tag,\ndie Rechnung ist leider falsch.", "die Rechnung ist leider falsch."),
            ("Help", "Help"),
        ] {
            assert_eq!(summary(text, 200).as_deref(), Some(wanted));
        }
        assert_eq!(summary("one two three four five six", 15).as_deref(), Some("one two three…"));
        assert_eq!(summary(" \n", 10), None);
    }
}
