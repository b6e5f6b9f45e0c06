//! Numbers, money and percentages in the notations of several countries.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Number, Value};

use super::pattern::literal;
use crate::evidence::currencies::{self, CURRENCIES, Currency};

/// An amount of money.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Money {
    /// The amount, in the currency's main unit.
    pub(super) amount: f64,
    /// ISO 4217 code.
    pub(super) currency: &'static str,
    /// Where it was found.
    pub(super) span: Range<usize>,
}

/// A bare number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numeral {
    pub(super) value: f64,
    pub(super) span: Range<usize>,
}

const NUMBER: &str = r"\d{1,3}(?:[.,'’\x{a0}\x{202f} ]\d{3})+(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,2})?";

/// Letters of names that stand before an amount: symbols, codes and `kr`.
const LONGEST_BEFORE: usize = 3;

static MONEY: LazyLock<Regex> = LazyLock::new(|| {
    let mut names: Vec<&str> = CURRENCIES.iter().filter(|one| is_meant(**one)).map(|currency| currency.name).collect();
    // Longer ones first, so that none ends early.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let is_short = |name: &&str| name.chars().filter(|c| c.is_alphabetic()).count() <= LONGEST_BEFORE;
    let before = names.iter().copied().filter(is_short).map(|name| match name.starts_with(char::is_alphabetic) {
        true => format!(r"\b{}", whole(name)),
        false => whole(name),
    });
    let (before, after) = (joined(before), joined(names.iter().copied().map(whole)));
    literal(&format!(r"(?i)(?P<before>{before})\s?(?P<a>{NUMBER})|(?P<b>{NUMBER})\s?(?P<after>{after})"))
});

/// A name for an expression. A word ends there, perhaps with a full stop.
fn whole(name: &str) -> String {
    let end = if name.ends_with(char::is_alphabetic) { r"\b\.?" } else { "" };
    format!("{}{end}", regex::escape(name))
}

fn joined(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join("|")
}

/// Whether a name of a currency is taken for one: not `ft`, `fr` and `rs`, which mean more often something else.
fn is_meant(currency: Currency) -> bool {
    currency.is_money() || currency.name.chars().count() >= LONGEST_BEFORE
}

static PERCENT: LazyLock<Regex> =
    LazyLock::new(|| literal(r"(?i)(-?\d{1,9}(?:[.,]\d{1,6})?)\s?(?:%|percent\b|prozent\b|pour ?cent\b|por ciento\b)"));

static NUMERAL: LazyLock<Regex> = LazyLock::new(|| literal(&format!(r"(?:{NUMBER})")));

/// The amounts of money in `text`.
pub(super) fn money(text: &str) -> Vec<Money> {
    let found = MONEY.captures_iter(text).filter_map(|captures| {
        let sign = captures.name("before").or_else(|| captures.name("after"))?;
        let digits = captures.name("a").or_else(|| captures.name("b"))?;
        let currency = currency(sign.as_str().trim_end_matches('.'))?;
        Some(Money { amount: parse(digits.as_str(), true)?, currency, span: captures.get(0)?.range() })
    });
    found.collect()
}

/// The ISO 4217 code for a symbol, a code or a word.
pub(super) fn currency(sign: &str) -> Option<&'static str> {
    currencies::find(&sign.to_lowercase()).filter(|currency| is_meant(*currency)).map(|currency| currency.code)
}

/// Whether `text` is an amount of money or a number with cents.
pub(super) fn is_amount(text: &str) -> bool {
    let cents = |c: char| matches!(c, '.' | ',');
    let is_decimal = text.trim().rsplit_once(cents).is_some_and(|(whole, cents)| {
        cents.len() <= 2 && [whole, cents].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    is_decimal || !money(text).is_empty()
}

/// The percentages in `text`.
pub(super) fn percentages(text: &str) -> Vec<Numeral> {
    let found = PERCENT.captures_iter(text).filter_map(|captures| captures.get(1));
    found.filter_map(|found| Some(Numeral { value: parse(found.as_str(), false)?, span: found.range() })).collect()
}

/// The numbers in `text` that stand alone, not within an identifier or a date.
pub(super) fn numerals(text: &str) -> Vec<Numeral> {
    let joined = |c: char| c.is_alphanumeric() || matches!(c, '-' | '#' | '/' | '_' | '@' | ':');
    let alone = |span: &Range<usize>| {
        let before = text.get(..span.start).and_then(|s| s.chars().next_back());
        let mut after = text.get(span.end..).unwrap_or_default().chars();
        let after =
            after.next().filter(|c| !matches!(c, '.' | ',') || after.next().is_some_and(|d| d.is_ascii_digit()));
        // A minus sign is no hyphen: nothing stands before it.
        let minus = text.get(..span.start).is_some_and(|before| {
            let rest = before.strip_suffix(['-', '−']);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(char::is_whitespace))
        });
        (minus || !before.is_some_and(joined)) && !after.is_some_and(|c| joined(c) || matches!(c, '.' | ',' | ':'))
    };
    NUMERAL
        .find_iter(text)
        .filter(|found| alone(&found.range()))
        .filter_map(|found| Some(Numeral { value: parse(found.as_str(), false)?, span: found.range() }))
        .collect()
}

/// Reads `1.299,00`, `1,299.00`, `1 299`, `12.5`. With `money`, three digits after a point are thousands.
pub(super) fn parse(number: &str, money: bool) -> Option<f64> {
    let compact: String = number.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-')).collect();
    let decimal = match (compact.rfind('.'), compact.rfind(',')) {
        (Some(point), Some(comma)) => Some(point.max(comma)),
        (Some(at), None) | (None, Some(at)) => {
            let separator = compact.get(at..=at)?;
            let thousands = compact.matches(separator).count() > 1
                || (compact.len() - at == 4 && (money || separator == ",") && !compact.starts_with('0'));
            (!thousands).then_some(at)
        }
        (None, None) => None,
    };
    let digits: String = compact
        .char_indices()
        .filter_map(|(at, c)| match c {
            '.' | ',' => (Some(at) == decimal).then_some('.'),
            _ => Some(c),
        })
        .collect();
    // More digits than a double is sure to hold: better no number than a rounded one.
    let is_exact = digits.bytes().filter(u8::is_ascii_digit).count() <= 15;
    digits.parse().ok().filter(|value: &f64| is_exact && value.is_finite())
}

/// The number as JSON: whole ones without a fraction.
pub(super) fn to_json(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        #[allow(clippy::cast_possible_truncation, reason = "whole and within the range of i64")]
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_in_both_notations() {
        for (text, amount, currency) in [
            ("Gesamt 1.299,00 € bitte", 1299.0, "EUR"),
            ("a charge of $1,299.00.", 1299.0, "USD"),
            ("EUR 49", 49.0, "EUR"),
            ("19.99 GBP", 19.99, "GBP"),
            ("1 299,50 euros", 1299.5, "EUR"),
            ("CHF 1'250.00", 1250.0, "CHF"),
            ("US$ 20", 20.0, "USD"),
            ("1.299 €", 1299.0, "EUR"),
            ("30 bucks", 30.0, "USD"),
        ] {
            let found = money(text);
            assert_eq!((found[0].amount, found[0].currency), (amount, currency), "{text}");
        }
        assert_eq!(money("order 48213 and 12 items"), []);
    }

    #[test]
    fn percentages_and_lone_numbers() {
        let percentages: Vec<f64> = percentages("19 % MwSt., 2.5% off").iter().map(|percent| percent.value).collect();
        assert_eq!(percentages, [19.0, 2.5]);
        let values: Vec<f64> =
            numerals("3 boxes, 12.5 kg, A-100, 2026-01-02, 10:30, 7.").iter().map(|n| n.value).collect();
        assert_eq!(values, [3.0, 12.5, 7.0]);
        assert_eq!(numerals("1,234,567,890,123,456,789"), [], "it would be rounded");
        assert_eq!(numerals("123,456,789,012,345")[0].value, 123_456_789_012_345.0);
        assert_eq!(to_json(49.0).to_string(), "49");
        assert_eq!(to_json(49.5).to_string(), "49.5");
    }
}
