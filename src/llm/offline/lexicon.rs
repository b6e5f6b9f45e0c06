//! What words mean, as data: topics, urgency, mood and kinds of document in English, German, French and Spanish.
//!
//! Phrases are compared without case and accents; `*` at the end of a word stands for any ending.

use std::sync::LazyLock;

use super::text::{Phrase, Text};

/// Something a text can be about.
pub(super) struct Concept {
    /// The name to give it where a schema asks for free text.
    pub(super) name: &'static str,
    /// Words by which names of enum values and properties mean it.
    pub(super) named: Vec<Phrase>,
    /// Phrases with what they weigh: a request 5, a clear sign 3, a hint 1.
    signs: Vec<(f64, Phrase)>,
}

impl Concept {
    fn new(row: &Row) -> Self {
        let weighted = |weight, phrases| Phrase::list(phrases).into_iter().map(move |phrase| (weight, phrase));
        let signs = weighted(5.0, row.asks).chain(weighted(3.0, row.clear)).chain(weighted(1.0, row.hints)).collect();
        Self { name: row.name, named: Phrase::list(row.named), signs }
    }

    /// How much `text` speaks of this. What comes early counts more; what is negated counts nothing.
    pub(super) fn weigh(&self, text: &Text<'_>) -> f64 {
        let weigh = |(weight, phrase): &(f64, Phrase)| {
            let first = text.find(phrase).take(64).filter(|at| !negated(text, *at)).min()?;
            Some(weight * if first < 14 { 1.4 } else { 1.0 })
        };
        self.signs.iter().filter_map(weigh).sum()
    }
}

/// Whether the word at `at` follows a negation: `no refund`, `not a complaint`, `don't want a refund`.
fn negated(text: &Text<'_>, at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map_or("", |index| text.word(index));
    let no = |word: &str| {
        matches!(
            word,
            "not"
                | "no"
                | "isnt"
                | "never"
                | "kein"
                | "keine"
                | "keinen"
                | "nicht"
                | "pas"
                | "sin"
                | "ohne"
                | "without"
                | "nothing"
        )
    };
    let article = |word: &str| {
        matches!(word, "a" | "an" | "any" | "the" | "my" | "de" | "un" | "une" | "una" | "eine" | "to" | "about")
    };
    let unwanted = |word: &str| matches!(word, "dont" | "not" | "nicht" | "pas" | "no");
    let skip = 1 + usize::from(article(before(1)));
    // “I have not received the refund” is about the refund; “I do not want the refund” is not.
    no(before(skip))
        || (matches!(before(skip), "want" | "need" | "asking" | "wanting" | "quiero" | "veux")
            && unwanted(before(skip + 1)))
        || (before(skip) == "for" && before(skip + 1) == "asking" && unwanted(before(skip + 2)))
}

/// One concept as it is written down.
struct Row {
    name: &'static str,
    named: &'static str,
    asks: &'static str,
    clear: &'static str,
    hints: &'static str,
}

mod moods;
mod topics;

fn compiled(rows: &[Row]) -> Vec<Concept> {
    rows.iter().map(Concept::new).collect()
}

/// What messages are about.
pub(super) static TOPICS: LazyLock<Vec<Concept>> = LazyLock::new(|| compiled(topics::MESSAGES));
/// Kinds of document.
pub(super) static DOCUMENTS: LazyLock<Vec<Concept>> = LazyLock::new(|| compiled(topics::DOCUMENTS));
/// Levels of urgency: low, normal, high, critical.
pub(super) static URGENCY: LazyLock<Vec<Concept>> = LazyLock::new(|| compiled(moods::URGENCY));
/// Negative, neutral, positive, mixed.
pub(super) static SENTIMENT: LazyLock<Vec<Concept>> = LazyLock::new(|| compiled(moods::SENTIMENT));
/// Signs that a person must take over.
pub(super) static HUMAN: LazyLock<Vec<Concept>> = LazyLock::new(|| compiled(moods::HUMAN));

/// Names of values that stand for “none of these”.
pub(super) const NEUTRAL: [&str; 22] = [
    "other",
    "unknown",
    "neutral",
    "normal",
    "medium",
    "none",
    "general",
    "general_inquiry",
    "unspecified",
    "misc",
    "miscellaneous",
    "n/a",
    "na",
    "not_specified",
    "undefined",
    "moderate",
    "average",
    "standard",
    "default",
    "unclear",
    "sonstiges",
    "autre",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(name: &str, text: &str) -> f64 {
        TOPICS.iter().find(|topic| topic.name == name).unwrap().weigh(&Text::new(text))
    }

    #[test]
    fn negation_takes_the_weight_away() {
        assert!(weight("refund", "I want a refund") > 5.0);
        assert_eq!(weight("refund", "I do not want a refund"), 0.0);
        assert_eq!(weight("refund", "no refund please"), 0.0);
        assert!(weight("refund", "I have still not received the refund") > 0.0);
    }

    #[test]
    fn every_concept_has_a_name_and_signs() {
        for concept in
            TOPICS.iter().chain(DOCUMENTS.iter()).chain(URGENCY.iter()).chain(SENTIMENT.iter()).chain(HUMAN.iter())
        {
            assert!(!concept.named.is_empty(), "{}", concept.name);
        }
    }
}
