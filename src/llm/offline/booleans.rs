//! Yes or no, by the words of the property's name.

use serde_json::Value;

use super::choose;
use super::facts::Facts;
use super::field::{Field, Fill};
use super::label_match;
use super::lexicon::{HUMAN, TOPICS};
use super::text::{Phrase, Text};
use super::{identifiers, names};

const YES: [&str; 10] = ["yes", "true", "ja", "oui", "si", "y", "x", "checked", "on", "1"];
const NO: [&str; 9] = ["no", "false", "nein", "non", "n", "unchecked", "off", "0", "none"];

/// Whether what `field` names is so. Silence means no only where the words that would say yes are known.
pub(super) fn decide(field: &Field<'_>, facts: &Facts<'_>) -> Fill {
    if let Some(answer) = labelled(field, facts) {
        return Fill::Found(Value::Bool(answer), 1.0);
    }
    let text = facts.text;
    let yes = if field.is(&["urgent", "urgency", "emergency", "critical"]) {
        choose::urgency(text).0 >= 2
    } else if HUMAN.iter().any(|human| field.means(human)) {
        needs_human(text)
    } else if field.is(&["negative", "angry", "unhappy", "frustrated"]) {
        choose::sentiment(text) == (0, true)
    } else if field.is(&["positive", "happy", "satisfied"]) {
        choose::sentiment(text) == (2, true)
    } else if field.is(&["attachment", "attachments", "attached"]) {
        ATTACHED.iter().any(|sign| text.has(&Phrase::new(sign)))
    } else if field.is(&["personal"]) {
        let raw = facts.raw();
        let named = !names::people(raw).is_empty() || !identifiers::emails(raw).is_empty();
        return if named || !identifiers::phones(raw).is_empty() {
            Fill::Found(Value::Bool(true), 0.8)
        } else {
            Fill::Nothing
        };
    } else {
        match topic(field, text) {
            Some(yes) => yes,
            None => return Fill::Nothing,
        }
    };
    if yes { Fill::Found(Value::Bool(true), 0.8) } else { Fill::Silent(Value::Bool(false)) }
}

const ATTACHED: [&str; 9] =
    ["attached", "attachment*", "enclosed", "anbei", "im anhang", "angehangt", "ci-joint*", "piece jointe", "adjunt*"];

fn labelled(field: &Field<'_>, facts: &Facts<'_>) -> Option<bool> {
    label_match::matching(facts.labels(), field).into_iter().find_map(|value| {
        let value = Text::new(value);
        let first = value.word(0);
        if YES.contains(&first) { Some(true) } else { NO.contains(&first).then_some(false) }
    })
}

/// A person asks for one, threatens with law, is in danger or beside themselves.
fn needs_human(text: &Text<'_>) -> bool {
    let asked = HUMAN.iter().map(|human| human.weigh(text)).sum::<f64>();
    asked >= 4.5 || choose::urgency(text) == (3, true)
}

/// Whether the text is about the topic of that name; `None` if there is no such topic.
fn topic(field: &Field<'_>, text: &Text<'_>) -> Option<bool> {
    let mut topics = TOPICS.iter().filter(|topic| field.means(topic)).peekable();
    topics.peek()?;
    Some(topics.any(|topic| topic.weigh(text) >= 3.0))
}
