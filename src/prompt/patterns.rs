//! Signs of an injection attempt in a text: SQL that is meant to run, script that is meant to run, and orders to the
//! model. They are hints. What protects is elsewhere: prompts are never executed, the model's answer never selects a topic
//! or an address, and the schema holds. So the patterns look for attack shapes, not for words that a support ticket, an
//! invoice or a bug report may well contain.
//!
//! - `expressions` is the table: name, expression, and where it counts.
//! - Code between backticks is quoted: SQL and markup in it count for nothing. Orders to the model count anywhere.
//! - A [`Place::Bare`] expression counts only where hardly anything else is said: a report that explains a statement on a
//!   line of its own is a report, the same statement as the whole message is not.
//! - An order to set instructions aside counts unless it goes on to say whose they are ("from your colleague").
//!
//! `tests/corpus` has the attacks and the harmless texts that all of this is weighed by.

mod expressions;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use expressions::{EXPRESSIONS, OWNED_BY_PEOPLE};

/// Words beside a bare statement from which on it is quoted in a report.
const PROSE: usize = 6;

const SIZE_LIMIT: usize = 16 * 1024 * 1024;

/// Where an expression counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Anywhere but in quoted code.
    Code,
    /// As a line of its own with little prose around it.
    Bare,
    /// Anywhere.
    Words,
    /// Anywhere, unless people are said to have given the instructions.
    Order,
}

static SET: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSetBuilder::new(EXPRESSIONS.iter().map(|(_, _, expression)| with_ascii_boundaries(expression)))
        .case_insensitive(true)
        .multi_line(true)
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .build()
        .ok()
});

/// The same expressions one by one, for those whose surroundings matter.
static SINGLE: LazyLock<Vec<Option<Regex>>> = LazyLock::new(|| {
    let single = |place: Place, expression: &str| {
        let wanted = matches!(place, Place::Bare | Place::Order);
        wanted.then(|| compiled(expression)).flatten()
    };
    EXPRESSIONS.iter().map(|(_, place, expression)| single(*place, expression)).collect()
});

static PEOPLE: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(OWNED_BY_PEOPLE));

/// Word boundaries of Unicode would take the fast engine away from every text that is not ASCII: a hundredfold of the time.
fn with_ascii_boundaries(expression: &str) -> String {
    expression.replace(r"\b", r"(?-u:\b)")
}

fn compiled(expression: &str) -> Option<Regex> {
    RegexBuilder::new(&with_ascii_boundaries(expression))
        .case_insensitive(true)
        .multi_line(true)
        .size_limit(SIZE_LIMIT)
        .build()
        .ok()
}

/// Names of the patterns that a text shows, each once, the most specific first. `content` is what of the prompt came
/// from the record, where that is known: a bare statement stands alone there, not between the words of a template.
/// Linear in the length of the text, whatever the text is.
pub fn suspicious(prompt: &str, content: Option<&str>) -> Vec<&'static str> {
    let Some(set) = SET.as_ref() else { return Vec::new() };
    // Whether any expression matches is found sooner than which ones do. Nothing can match in lines of the prompt where
    // nothing matches in the prompt.
    if !set.is_match(prompt) && content.is_none_or(|content| has_lines(prompt, content) || !set.is_match(content)) {
        return Vec::new();
    }
    let in_prompt = set.matches(prompt);
    let mut names = Vec::new();
    let of_content = content.map(|content| (content, true, set.matches(content)));
    for (text, is_content, matched) in std::iter::once((prompt, content.is_none(), in_prompt)).chain(of_content) {
        if !matched.matched_any() {
            continue;
        }
        let code = without_quoted_code(text);
        let in_code = if code.len() == text.len() { matched.clone() } else { set.matches(&code) };
        for (index, (name, place, _)) in EXPRESSIONS.iter().enumerate() {
            let single = SINGLE.get(index).and_then(Option::as_ref);
            let counts = match place {
                Place::Code => in_code.matched(index),
                Place::Words => matched.matched(index),
                Place::Bare => is_content && in_code.matched(index) && single.is_some_and(|bare| is_bare(bare, &code)),
                Place::Order => matched.matched(index) && single.is_some_and(|order| is_ordered(order, text)),
            };
            if counts && !names.contains(name) {
                names.push(*name);
            }
        }
    }
    names
}

/// Whether a text begins or ends with these lines, each of them whole. To look for them anywhere costs more than it saves.
fn has_lines(text: &str, lines: &str) -> bool {
    let is_end = |before: &str| before.is_empty() || before.ends_with('\n');
    let is_beginning = |after: &str| after.is_empty() || after.starts_with('\n');
    text.strip_suffix(lines).is_some_and(is_end) || text.strip_prefix(lines).is_some_and(is_beginning)
}

/// Whether the lines that match are nearly all of the text.
fn is_bare(bare: &Regex, text: &str) -> bool {
    let words = |text: &str| text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count();
    let matched: usize = bare.find_iter(text).map(|found| words(found.as_str())).sum();
    words(text) < matched + PROSE
}

/// Whether one of the orders is not about what people said.
fn is_ordered(order: &Regex, text: &str) -> bool {
    let by_people = |rest: &str| PEOPLE.as_ref().is_some_and(|people| people.is_match(rest));
    order.find_iter(text).any(|found| !by_people(text.get(found.end()..).unwrap_or_default()))
}

/// The text without what stands between backticks, on one line or in a fence.
fn without_quoted_code(text: &str) -> Cow<'_, str> {
    if !text.contains('`') {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at(at);
        let ticks = from.bytes().take_while(|byte| *byte == b'`').count();
        let (fence, inner) = from.split_at(ticks);
        let limit = if ticks >= 3 { inner } else { inner.split('\n').next().unwrap_or_default() };
        kept.push_str(before);
        // Without its end it quotes nothing; in quadratic time it would be looked for again and again.
        match limit.find(fence) {
            Some(end) => {
                kept.push_str(fence);
                kept.push_str(fence);
                rest = inner.get(end + ticks..).unwrap_or_default();
            }
            None => {
                let (unquoted, next) = inner.split_at(limit.len());
                kept.push_str(fence);
                kept.push_str(unquoted);
                rest = next;
            }
        }
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests;
