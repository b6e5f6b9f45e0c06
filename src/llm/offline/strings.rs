//! Strings, by what the property's name and format want.

use serde_json::Value;

use super::choose;
use super::facts::Facts;
use super::field::Field;
use super::identifiers::{self, About};
use super::label_match::{is_entry_of_another, matching, named_before, pick};
use super::lexicon::{DOCUMENTS, SENTIMENT, TOPICS, URGENCY};
use super::neutral::fits_string;
use super::want::{Want, want};
use super::{dates, language, names, numbers, prose};

/// Characters of free text where the schema sets no limit.
const FREE_TEXT: usize = 300;

/// The text that `field` is after, and how sure that is.
#[allow(clippy::wildcard_enum_match_arm, reason = "the wants that are named are the exceptions")]
pub(super) fn find(field: &Field<'_>, facts: &Facts<'_>) -> Option<(String, f64)> {
    let want = want(field);
    let fits = |text: &String| fits_string(&field.node, text);
    let lines = matching(facts.labels(), field);
    let labelled = lines.into_iter().take(8).find_map(|line| entered(want, line, field, facts).into_iter().find(fits));
    if let Some(text) = labelled {
        return Some((text, 1.0));
    }
    let raw = facts.raw();
    let typed = |found: Vec<(usize, String)>, sure: f64| {
        let found = found.into_iter().filter(|(_, text)| fits(text)).collect();
        pick(found, field, facts).map(|text| (text, sure))
    };
    match want {
        Want::Email => typed(placed(raw, identifiers::emails(raw)), 1.0),
        Want::Url => typed(placed(raw, identifiers::urls(raw)), 1.0),
        Want::Phone => typed(placed(raw, identifiers::phones(raw)), 0.8),
        Want::Ip => typed(placed(raw, identifiers::ips(raw)), 1.0),
        Want::Uuid => typed(placed(raw, identifiers::uuids(raw)), 1.0),
        Want::Date | Want::DateTime => {
            let found = facts.dates().iter().filter(|date| !of_the_document(field) || date.stands_alone(raw));
            typed(found.map(|date| (date.at, written(date, want))).collect(), 0.8)
        }
        Want::Money => {
            let amounts = facts
                .money()
                .iter()
                .filter_map(|money| Some((money.span.start, raw.get(money.span.clone())?.to_owned())));
            typed(amounts.collect(), 0.8)
        }
        Want::Company => letterhead(field, facts)
            .filter(|name| fits(name))
            .map(|name| (name, 0.6))
            .or_else(|| typed(placed(raw, names::companies(raw)), 0.8)),
        Want::Person => typed(placed(raw, names::people(raw)), 0.8),
        Want::Product => typed(placed(raw, names::products(raw, facts.german())), 0.6),
        Want::Identifier(about) => identifier(about, field, facts),
        Want::Plain => typed(codes(field, facts), 0.7),
        Want::Percent | Want::Rating => None,
        _ => spoken(want, field, facts).filter(|(text, _)| fits(text)),
    }
}

/// What the value of a label says about `want`; best first.
#[allow(clippy::wildcard_enum_match_arm, reason = "the wants that are named are the exceptions")]
fn entered(want: Want, line: &str, field: &Field<'_>, facts: &Facts<'_>) -> Vec<String> {
    match want {
        Want::Email => owned(identifiers::emails(line)),
        Want::Url => owned(identifiers::urls(line)),
        Want::Phone => owned(identifiers::phones(line)),
        Want::Ip => owned(identifiers::ips(line)),
        Want::Uuid => owned(identifiers::uuids(line)),
        Want::Date | Want::DateTime => {
            dates::dates(line, facts.day_first()).iter().map(|date| written(date, want)).collect()
        }
        Want::Currency => {
            let code = numbers::currency(line).or_else(|| Some(numbers::money(line).first()?.currency));
            code.map(str::to_owned).into_iter().collect()
        }
        Want::Language => {
            language::named(line).map(|language| language.written_for(&field.node, &field.words)).into_iter().collect()
        }
        Want::Identifier(about) => {
            let found = identifiers::identifiers(line);
            let of =
                |wanted: About| found.iter().filter(move |one| one.about == wanted).map(|one| one.value.to_owned());
            let word = line.split_whitespace().next().unwrap_or_default().trim_matches(['#', '.', ',']);
            let word = word.chars().any(|c| c.is_ascii_digit()).then(|| word.to_owned());
            of(about).chain(of(About::Unknown)).chain(word).collect()
        }
        Want::Summary | Want::Subject => vec![prose::cut(line, longest(field))],
        // “VAT: 2.00” is no tax number.
        Want::Plain if field.is(&["number"]) && numbers::is_amount(line) => Vec::new(),
        _ => {
            let text = line.trim_end_matches(['.', ';', ',']);
            // Account numbers are printed in groups.
            vec![text.to_owned(), text.split_whitespace().collect()]
        }
    }
}

/// What the words of the message say, where no value stands in it as it is.
#[allow(clippy::wildcard_enum_match_arm, reason = "the wants that are named are the exceptions")]
fn spoken(want: Want, field: &Field<'_>, facts: &Facts<'_>) -> Option<(String, f64)> {
    let raw = facts.raw();
    let name = |name: Option<&'static str>, sure: f64| name.map(|name| (name.to_owned(), sure));
    match want {
        Want::Currency => {
            let mut currencies = facts.money().iter().map(|money| money.currency);
            let first = currencies.next()?;
            currencies.all(|other| other == first).then(|| (first.to_owned(), 1.0))
        }
        Want::Language if field.is(&["target", "output", "to", "into", "preferred", "translation"]) => None,
        Want::Language => facts.language().map(|language| (language.written_for(&field.node, &field.words), 1.0)),
        Want::Summary => prose::summary(raw, longest(field)).map(|text| (text, 0.6)),
        Want::Subject => prose::summary(raw, longest(field).min(80)).map(|text| (text, 0.6)),
        Want::Title => prose::title(raw).map(|title| (title.to_owned(), 0.7)),
        Want::Whole => Some((prose::cut(raw, field.node.count("maxLength").unwrap_or(usize::MAX)), 0.8)),
        Want::Topic => name(choose::spoken_of(facts.text, &TOPICS).first().map(|(_, name)| *name), 0.6),
        Want::Document => name(choose::spoken_of(facts.text, &DOCUMENTS).first().map(|(_, name)| *name), 0.6),
        Want::Mood => {
            let (mood, sure) = choose::sentiment(facts.text);
            name(SENTIMENT.get(mood).filter(|_| sure).map(|mood| mood.name), 0.6)
        }
        Want::Level => {
            let (level, sure) = choose::urgency(facts.text);
            name(URGENCY.get(level).filter(|_| sure).map(|level| level.name), 0.6)
        }
        _ => None,
    }
}

/// An identifier that a word such as “order” names, or the only one of which the text does not say what it is.
fn identifier(about: About, field: &Field<'_>, facts: &Facts<'_>) -> Option<(String, f64)> {
    let of = |wanted: About| {
        let found = facts.identifiers().iter().filter(move |one| one.about == wanted);
        found.map(|one| one.value).filter(|text| fits_string(&field.node, text)).collect::<Vec<_>>()
    };
    let named = of(about);
    if let Some(first) = named.first() {
        return Some(((*first).to_owned(), if named.len() == 1 { 1.0 } else { 0.6 }));
    }
    let nameless = of(About::Unknown);
    let [only] = nameless.as_slice() else { return None };
    let at = place(facts.raw(), only);
    let is_free = field.is_only && !is_entry_of_another(facts.labels(), field, at);
    is_free.then(|| ((*only).to_owned(), 0.6))
}

/// The company in the first lines, for a property that means who wrote the document.
fn letterhead(field: &Field<'_>, facts: &Facts<'_>) -> Option<String> {
    if !field.under(&["vendor"]) && !field.is(&["vendor"]) {
        return None;
    }
    let mut head = facts.raw().lines().map(str::trim).filter(|line| !line.is_empty()).take(2);
    let name = head.find_map(|line| names::companies(line).first().copied().filter(|name| name.len() == line.len()))?;
    Some(name.to_owned())
}

/// Words with digits that the word before names, for numbers of things (`patient 4411`), and words that match the
/// schema's own pattern.
fn codes(field: &Field<'_>, facts: &Facts<'_>) -> Vec<(usize, String)> {
    let raw = facts.raw();
    let pattern = field.node.get("pattern").and_then(Value::as_str).and_then(super::pattern::of_schema);
    let is_number = field.is(&["number", "reference"]);
    let bare = |word: &'_ str| word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '#').to_owned();
    let words = raw.split_whitespace().take(4_000).map(|word| (place(raw, word), bare(word)));
    let rate =
        |at: usize, word: &str| raw.get(at + word.len()..).is_some_and(|after| after.trim_start().starts_with('%'));
    let telling = words.filter(|(at, word)| word.chars().any(|c| c.is_ascii_digit()) && !rate(*at, word));
    let telling = telling.filter(|(_, word)| !numbers::is_amount(word));
    let fits = |at: usize, word: &str| match &pattern {
        Some(pattern) => pattern.is_match(word),
        None => is_number && named_before(&facts.words_before(at), field),
    };
    telling.filter(|(at, word)| fits(*at, word)).collect()
}

/// Whether the property is the date that a document bears, not one that it speaks of.
fn of_the_document(field: &Field<'_>) -> bool {
    ["document", "issue", "issued", "invoice", "submitted", "submission", "letter"].iter().any(|word| field.says(word))
}

fn written(date: &dates::Date, want: Want) -> String {
    if want == Want::DateTime { date.to_date_time() } else { date.to_date() }
}

/// Where `part`, a slice of `whole`, begins.
pub(super) fn place(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize)
}

fn placed(whole: &str, found: Vec<&str>) -> Vec<(usize, String)> {
    found.into_iter().map(|part| (place(whole, part), part.to_owned())).collect()
}

fn longest(field: &Field<'_>) -> usize {
    field.node.count("maxLength").unwrap_or(FREE_TEXT)
}

fn owned(found: Vec<&str>) -> Vec<String> {
    found.into_iter().map(str::to_owned).collect()
}
