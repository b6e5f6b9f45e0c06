//! Signs of an injection attempt in a text: SQL, script, template expressions, paths and commands that are meant to be
//! executed, and orders to the model. They are hints. What protects is elsewhere: prompts are never executed, the
//! model's answer never selects a topic or an address, and the schema holds. So the patterns look for attack shapes,
//! not for words that a support ticket, an invoice or a bug report may well contain.
//!
//! - `expressions` is the table: name, expression, where it counts, and what a text must have for it to match.
//! - `needs` finds out which expressions have to be tried; for most texts none.
//! - Code between backticks is quoted: SQL and markup in it count for nothing. Orders to the model count anywhere.
//! - A [`Place::Bare`] expression counts only where hardly anything else is said: a report that explains a statement on
//!   a line of its own is a report, the same statement as the whole message is not.
//! - An order to set instructions aside counts unless it goes on to say whose they are ("from your colleague").
//!
//! `tests/corpus` has the attacks and the harmless texts that all of this is weighed by.

mod expressions;
mod needs;

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder};

use expressions::{Expression, OWNED_BY_PEOPLE, Place};
use needs::{Needs, Set};

/// Words beside a bare statement from which on it is quoted in a report.
const PROSE: usize = 6;

const SIZE_LIMIT: usize = 16 * 1024 * 1024;

static NEEDS: LazyLock<Needs> = LazyLock::new(|| Needs::of(expressions::all()));

/// All expressions in the order of the table.
static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| expressions::all().map(Pattern::of).collect());

/// Those that count only in what the record itself says.
static OF_CONTENT: LazyLock<Set> = LazyLock::new(|| {
    let is_of_content = |place| matches!(place, Place::Bare | Place::Content);
    let of_content = expressions::all().enumerate().filter(|(_, expression)| is_of_content(expression.place));
    of_content.fold(0, |set, (index, _)| set | 1 << index)
});

static PEOPLE: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(OWNED_BY_PEOPLE));

/// An expression, compiled when it is first tried: most processes never need most of them.
struct Pattern {
    expression: &'static Expression,
    regex: OnceLock<Option<Regex>>,
}

/// Names of the patterns that a text shows, each once, the most specific first. `content` is what of the prompt came
/// from the record, where that is known: a bare statement stands alone there, not between the words of a template.
/// Linear in the length of the text, whatever the text is.
pub fn suspicious(prompt: &str, content: Option<&str>) -> Vec<&'static str> {
    let mut names = Vec::new();
    let in_prompt = NEEDS.met_by(prompt);
    // A prompt without a template is the record's own text: everything counts in it, and once is enough.
    let Some(content) = content.filter(|content| *content != prompt) else {
        add_names(&mut names, prompt, in_prompt);
        return names;
    };
    add_names(&mut names, prompt, in_prompt & !*OF_CONTENT);
    // What the prompt has not, no part of it has.
    let in_content = if is_part(content, prompt) { in_prompt } else { NEEDS.met_by(content) };
    add_names(&mut names, content, in_content);
    names
}

/// Adds the patterns of a set that the text shows.
fn add_names(names: &mut Vec<&'static str>, text: &str, set: Set) {
    if set == 0 {
        return;
    }
    let code = without_quoted_code(text);
    let tried = PATTERNS.iter().enumerate().filter(|(index, _)| set >> index & 1 == 1);
    for (_, pattern) in tried {
        let Expression { name, place, .. } = pattern.expression;
        let counts = |regex: &Regex| match place {
            Place::Code => regex.is_match(&code),
            Place::Words | Place::Content => regex.is_match(text),
            Place::Bare => is_bare(regex, &code),
            Place::Order => is_ordered(regex, text),
        };
        if !names.contains(name) && pattern.regex().is_some_and(counts) {
            names.push(name);
        }
    }
}

impl Pattern {
    fn of(expression: &'static Expression) -> Self {
        Self { expression, regex: OnceLock::new() }
    }

    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compiled(self.expression.regex)).as_ref()
    }
}

fn compiled(expression: &str) -> Option<Regex> {
    // Word boundaries of Unicode would take the fast engine away from every text that is not ASCII: a hundredfold of
    // the time. So an expression has none before a letter that may not be ASCII.
    RegexBuilder::new(&expression.replace(r"\b", r"(?-u:\b)"))
        .case_insensitive(true)
        .multi_line(true)
        .ignore_whitespace(true)
        .size_limit(SIZE_LIMIT)
        .build()
        .ok()
}

/// Whether a text stands at one end of another, as it does in most prompts. To look for it anywhere costs more than it
/// saves.
fn is_part(part: &str, whole: &str) -> bool {
    whole.ends_with(part) || whole.starts_with(part)
}

/// Whether the lines that match are nearly all of the text.
fn is_bare(bare: &Regex, text: &str) -> bool {
    let words = |text: &str| text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count();
    let matched: usize = bare.find_iter(text).map(|found| words(found.as_str())).sum();
    matched > 0 && words(text) < matched + PROSE
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
        kept.push_str(before);
        kept.push_str(fence);
        let is_quoted = |end: &usize| ticks >= 3 || inner.get(..*end).is_some_and(|code| !code.contains('\n'));
        rest = if let Some(end) = inner.find(fence).filter(is_quoted) {
            kept.push_str(fence);
            inner.get(end + ticks..).unwrap_or_default()
        } else {
            // Without its end it quotes nothing; in quadratic time it would be looked for again and again.
            let line_end = if ticks >= 3 { None } else { inner.find('\n') };
            let (unquoted, next) = inner.split_at(line_end.unwrap_or(inner.len()));
            kept.push_str(unquoted);
            next
        };
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests;
