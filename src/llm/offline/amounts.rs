//! Numbers: amounts of money, percentages, ratings and counts.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::facts::Facts;
use super::field::{Field, Fill};
use super::label_match::{self, pick};
use super::labels;
use super::neutral::fits_number;
use super::numbers::{self, to_json};
use super::pattern::literal;
use super::text::name_words;
use super::want::{Want, want};

static RATING: LazyLock<Regex> = LazyLock::new(|| {
    literal(
        r"(?i)\b(\d{1,2}(?:[.,]\d)?)\s*(?:(?:/|out of|von|sur|de)\s*(?:5|10)\b|(?:stars?|sterne?n?|étoiles?|estrellas?)\b)",
    )
});

/// A number that the text gives for `field`.
pub(super) fn number(field: &Field<'_>, facts: &Facts<'_>) -> Fill {
    match value(field, facts) {
        Some((value, sure)) if fits_number(&field.node, value) => Fill::Found(to_json(value), sure),
        Some(_) | None => Fill::Nothing,
    }
}

/// The same without regard to the schema's limits.
#[allow(clippy::wildcard_enum_match_arm, reason = "the wants that are named are the exceptions")]
pub(super) fn value(field: &Field<'_>, facts: &Facts<'_>) -> Option<(f64, f64)> {
    let want = want(field);
    let lines = label_match::matching(facts.labels(), field);
    let labelled =
        lines.into_iter().find_map(|line| entered(line, want)).filter(|value| fits_number(&field.node, *value));
    if let Some(value) = labelled {
        return Some((value, 1.0));
    }
    let raw = facts.raw();
    match want {
        Want::Money => {
            let found = facts.money().iter().map(|money| (money.span.start, money.amount)).collect();
            let bare = || counted(field, facts).filter(|_| facts.money().is_empty());
            pick(found, field, facts).or_else(bare).map(|value| (value, 0.8))
        }
        Want::Percent => {
            let found =
                numbers::percentages(raw).into_iter().map(|percent| (percent.span.start, percent.value)).collect();
            pick(found, field, facts).map(|value| (value, 0.8))
        }
        Want::Rating => {
            let found = RATING.captures_iter(raw).filter_map(|captures| {
                let number = captures.get(1)?;
                Some((number.start(), numbers::parse(number.as_str(), false)?))
            });
            pick(found.collect(), field, facts).map(|value| (value, 0.8))
        }
        _ => counted(field, facts).map(|value| (value, 0.7)),
    }
}

/// The number of a labelled value. A percentage beside an amount is the rate, not the amount.
fn entered(line: &str, want: Want) -> Option<f64> {
    let percentages = numbers::percentages(line);
    if want == Want::Percent {
        return percentages
            .first()
            .map(|percent| percent.value)
            .or_else(|| Some(numbers::numerals(line).first()?.value));
    }
    let (value, at) = match numbers::money(line).first() {
        Some(money) => (money.amount, money.span.start),
        None => {
            let rate = |at: usize| percentages.iter().any(|percent| percent.span.contains(&at)) && want == Want::Money;
            let lone = numbers::numerals(line).into_iter().find(|number| !rate(number.span.start))?;
            (lone.value, lone.span.start)
        }
    };
    let before = line.get(..at).unwrap_or_default().trim_end();
    Some(if before.ends_with(['-', '−']) { -value } else { value })
}

/// A lone number beside a word of the property's name: `12 employees`, `room 7`.
fn counted(field: &Field<'_>, facts: &Facts<'_>) -> Option<f64> {
    let raw = facts.raw();
    let singular = |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned();
    let telling: Vec<String> =
        field.words.iter().filter(|word| word.len() >= 3 && *word != "total").map(|word| singular(word)).collect();
    let named = |number: &&numbers::Numeral| {
        let after = raw.get(number.span.end..).unwrap_or_default().split(['.', '\n', ',']).next().unwrap_or_default();
        let after: Vec<String> = name_words(after.get(..super::text::floor(after, 40)).unwrap_or(after));
        let next = after.iter().take(2).map(|word| singular(word));
        let next: Vec<String> = labels::canonical(&next.collect::<Vec<_>>().join(" "));
        let unit = telling.len() == 1 && next.iter().any(|word| telling.contains(&singular(word)));
        unit || label_match::named_before(&facts.words_before(number.span.start), field)
    };
    let is_money = |at: usize| facts.money().iter().any(|money| money.span.contains(&at));
    facts.numerals().iter().filter(|number| !is_money(number.span.start)).find(named).map(|number| number.value)
}

/// The numbers among an enum's values, such as ratings, that the text gives.
pub(super) fn among<'v>(choices: &[(&'v Value, &str)], field: &Field<'_>, facts: &Facts<'_>) -> Option<&'v Value> {
    let (near, _) = value(field, facts)?;
    let same = choices.iter().find(|(value, _)| value.as_f64().is_some_and(|value| (value - near).abs() < 1e-9));
    same.map(|(value, _)| *value)
}
