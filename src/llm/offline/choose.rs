//! Chooses among the values of an enum.

use serde_json::Value;

use super::amounts;
use super::facts::Facts;
use super::field::{Field, Fill};
use super::label_match;
use super::lexicon::{Concept, DOCUMENTS, NEUTRAL, SENTIMENT, TOPICS, URGENCY};
use super::text::{Phrase, Text, name_words};
use super::{neutral, numbers};
use crate::schema::node::Node;

/// Values of one enum that are considered.
const MAX_CHOICES: usize = 200;

/// Weight of one clear sign: below it a choice would be a guess.
const CERTAIN: f64 = 3.0;

/// Weight from which a choice is certain enough to count in full.
const CLEAR: f64 = 4.0;

/// The value of `field`'s enum that the text supports best.
pub(super) fn choose(field: &Field<'_>, facts: &Facts<'_>) -> Fill {
    let mut choices = field.node.choices();
    choices.truncate(MAX_CHOICES);
    let found = labelled(field, facts, &choices)
        .or_else(|| number(field, facts, &choices))
        .or_else(|| notation(field, facts, &choices))
        .or_else(|| scale(facts.text, &choices));
    if let Some(fill) = found {
        return fill;
    }
    let best = if field.is(&["format", "output"]) {
        requested(facts.text, &choices)
    } else {
        let weighed = scores(facts.text, &choices).into_iter();
        weighed
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .or_else(|| mentioned(facts.text, &choices))
    };
    match best {
        Some((weight, value)) => Fill::Found(value.clone(), (weight / CLEAR).clamp(0.3, 1.0)),
        None => {
            let silent = neutral::choice(&field.node).filter(|value| {
                value.as_str().is_some_and(|value| NEUTRAL.contains(&name_words(value).join("_").as_str()))
            });
            silent.map_or(Fill::Nothing, |value| Fill::Silent(value.clone()))
        }
    }
}

/// The only value whose words the text has.
fn mentioned<'v>(text: &Text<'_>, choices: &[(&'v Value, &str)]) -> Option<(f64, &'v Value)> {
    let named = |value: &&Value| value.as_str().is_some_and(|value| value.len() >= 3 && mentions(text, value));
    let mut named = choices.iter().map(|(value, _)| *value).filter(named);
    let only = named.next()?;
    named.next().is_none().then_some((3.0, only))
}

/// The form that is asked for: “as csv”, “in a table”. The mere word may mean a table to sit at.
fn requested<'v>(text: &Text<'_>, choices: &[(&'v Value, &str)]) -> Option<(f64, &'v Value)> {
    const BEFORE: [&str; 9] = ["as", "in", "als", "en", "comme", "como", "into", "format", "mit"];
    const ARTICLES: [&str; 8] = ["a", "an", "the", "eine", "einer", "une", "un", "una"];
    let asked = |value: &&Value| {
        let Some(name) = value.as_str() else { return false };
        let phrase = Phrase::new(&name_words(name).join(" "));
        text.find(&phrase).any(|at| {
            let before = |back: usize| at.checked_sub(back).map_or("", |index| text.word(index));
            BEFORE.contains(&before(1)) || (ARTICLES.contains(&before(1)) && BEFORE.contains(&before(2)))
        })
    };
    choices.iter().map(|(value, _)| *value).find(asked).map(|value| (4.0, value))
}

/// Every value that the text clearly supports, for arrays of enums.
pub(super) fn all(node: &Node<'_>, facts: &Facts<'_>) -> Vec<Value> {
    let choices = node.choices();
    scores(facts.text, &choices).into_iter().map(|(_, value)| value.clone()).collect()
}

/// `Priority: high`.
fn labelled(field: &Field<'_>, facts: &Facts<'_>, choices: &[(&Value, &str)]) -> Option<Fill> {
    let lines = label_match::matching(facts.labels(), field);
    lines.into_iter().find_map(|line| {
        let line = Text::new(line);
        let named = |value: &&Value| value.as_str().is_some_and(|value| mentions(&line, value));
        choices.iter().map(|(value, _)| *value).find(named).map(|value| Fill::Found(value.clone(), 1.0))
    })
}

fn mentions(text: &Text<'_>, value: &str) -> bool {
    let words = name_words(value);
    !words.is_empty() && text.has(&Phrase::new(&words.join(" ")))
}

/// A number among the values, such as a rating.
fn number(field: &Field<'_>, facts: &Facts<'_>, choices: &[(&Value, &str)]) -> Option<Fill> {
    if !choices.iter().any(|(value, _)| value.is_number()) {
        return None;
    }
    amounts::among(choices, field, facts).map(|value| Fill::Found(value.clone(), 0.8))
}

/// Languages and currencies, which have several names each.
fn notation(field: &Field<'_>, facts: &Facts<'_>, choices: &[(&Value, &str)]) -> Option<Fill> {
    let mut texts = choices.iter().filter_map(|(value, _)| Some((*value, value.as_str()?)));
    let value = if field.is(&["language", "lang", "locale"]) && !field.is(&["target", "output", "preferred"]) {
        let language = facts.language()?;
        texts.find(|(_, text)| language.is(text))?.0
    } else if field.is(&["currency"]) {
        let money = facts.money().first()?;
        let same = facts.money().iter().all(|other| other.currency == money.currency);
        texts.find(|(_, text)| same && numbers::currency(text) == Some(money.currency))?.0
    } else {
        return None;
    };
    Some(Fill::Found(value.clone(), 1.0))
}

/// Enums that are a scale of urgency or of mood.
fn scale(text: &Text<'_>, choices: &[(&Value, &str)]) -> Option<Fill> {
    let position = |scale: &[Concept]| -> Option<Vec<usize>> {
        let of = |value: &Value| {
            let name = value.as_str()?;
            scale.iter().position(|concept| means(concept, name))
        };
        choices.iter().map(|(value, _)| of(value)).collect()
    };
    if choices.len() >= 2
        && let Some(levels) = position(&URGENCY)
    {
        let (level, sure) = urgency(text);
        // The level itself, otherwise the nearest one.
        let (value, _) = choices.iter().zip(&levels).min_by_key(|(_, at)| at.abs_diff(level))?.0;
        return Some(if sure { Fill::Found((*value).clone(), 0.9) } else { Fill::Silent((*value).clone()) });
    }
    let moods = position(&SENTIMENT).filter(|_| choices.len() >= 2)?;
    let (mood, sure) = sentiment(text);
    let of = |wanted: usize| {
        choices.iter().zip(&moods).find(|(_, at)| **at == wanted).map(|((value, _), _)| (*value).clone())
    };
    let value = of(mood).or_else(|| of(1)).or_else(|| of(0))?;
    Some(if sure { Fill::Found(value, 0.8) } else { Fill::Silent(value) })
}

fn means(concept: &Concept, value: &str) -> bool {
    let words = name_words(value).join(" ");
    let words = Text::new(&words);
    concept.named.iter().any(|name| words.has(name))
}

/// How urgent the text is, from 0 (low) to 3 (critical), and whether it says so itself.
pub(super) fn urgency(text: &Text<'_>) -> (usize, bool) {
    let weight = |level: usize| URGENCY.get(level).map_or(0.0, |concept| concept.weigh(text));
    let (low, high, critical) = (weight(0), weight(2), weight(3));
    if critical >= 5.0 {
        (3, true)
    } else if high + critical >= 3.0 && high + critical > low {
        (2, true)
    } else if low >= 3.0 {
        (0, true)
    } else {
        (1, false)
    }
}

/// The mood: 0 negative, 1 neutral, 2 positive, 3 mixed, and whether the text shows it.
pub(super) fn sentiment(text: &Text<'_>) -> (usize, bool) {
    let weight = |pole: usize| SENTIMENT.get(pole).map_or(0.0, |concept| concept.weigh(text));
    let (negative, positive) = (weight(0), weight(2));
    if negative >= 5.0 && positive >= 5.0 && (negative - positive).abs() < 3.0 {
        return (3, true);
    }
    match negative - positive {
        balance if balance >= 2.5 => (0, true),
        balance if balance <= -2.5 => (2, true),
        _ => (1, false),
    }
}

/// The concepts that the text clearly speaks of with their weights, heaviest first.
pub(super) fn spoken_of(text: &Text<'_>, concepts: &'static [Concept]) -> Vec<(f64, &'static str)> {
    let weighed = concepts.iter().map(|topic| (topic.weigh(text), topic.name));
    let mut weighed: Vec<_> = weighed.filter(|(weight, _)| *weight >= 3.0).collect();
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    weighed
}

/// The values that the text clearly speaks of: the topics that their names mean, and two or more of the words that
/// describe them.
fn scores<'v>(text: &Text<'_>, choices: &[(&'v Value, &str)]) -> Vec<(f64, &'v Value)> {
    let concepts: Vec<&Concept> = TOPICS.iter().chain(DOCUMENTS.iter()).collect();
    let mut weighed: Vec<Option<f64>> = vec![None; concepts.len()];
    let mut score = |value: &Value, description: &str| {
        let Some(name) = value.as_str() else { return 0.0 };
        let words = name_words(name);
        let joined = words.join(" ");
        if NEUTRAL.contains(&words.join("_").as_str()) {
            return 0.0;
        }
        let topics = concepts.iter().zip(weighed.iter_mut()).filter(|(topic, _)| means(topic, &joined));
        let meant = topics.map(|(topic, known)| *known.get_or_insert_with(|| topic.weigh(text))).fold(0.0, f64::max);
        let telling = |word: &String| word.len() >= 5 && text.has(&Phrase::new(word));
        let described = name_words(description).iter().filter(|word| telling(word)).map(|_| 1.5).sum::<f64>();
        meant + described.min(4.5) + if meant > 0.0 && text.has(&Phrase::new(&joined)) { 2.0 } else { 0.0 }
    };
    let scored = choices.iter().map(|(value, description)| (score(value, description), *value));
    scored.filter(|(weight, _)| *weight >= CERTAIN).collect()
}
