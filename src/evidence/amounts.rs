//! Values that are numbers, and texts that are amounts.

use std::ops::Range;

use crate::domain::json::Decimal;

use super::budget::Budget;
use super::folded_text::{FoldedText, LineEndHyphen};
use super::numerals::{Numeral, numerals};
use super::place::Match;
use super::source_text::SourceText;

/// A text that is a number with a currency or percent sign, and nothing else.
#[derive(Debug)]
pub(super) struct Amount {
    numeral: Numeral,
}

impl Amount {
    /// Reads a value such as `1299.00 EUR`, `€ 12,50`, `19%`, `-3.5`. A plain number with a zero in front is a code.
    pub(super) fn of(value: &str) -> Option<Self> {
        let folded = FoldedText::new(value, LineEndHyphen::Kept);
        let mut numerals = numerals(&folded, value);
        // An ordinary space makes further readings of its parts; the first is all of it.
        let numeral = (!numerals.is_empty()).then(|| numerals.remove(0))?;
        let is_all = |place: &Range<usize>| *place == (0..folded.text.len());
        let is_amount = is_all(&numeral.whole) || numeral.readings.iter().any(|reading| is_all(&reading.place));
        let is_code = folded.text.len() > 1 && folded.text.bytes().all(|byte| byte.is_ascii_digit());
        (is_amount && !(is_code && folded.text.starts_with('0'))).then_some(Self { numeral })
    }

    /// Where a source has the amount, with the same currency and percent sign.
    pub(super) fn find(&self, source: &SourceText<'_>, budget: &mut Budget) -> Vec<Match> {
        let mut found = Vec::new();
        for wanted in &self.numeral.readings {
            for (numeral, reading) in source.numbers(budget).worth(&wanted.value, budget) {
                let Some(is_same) = self.is_currency_of(numeral) else { continue };
                if self.numeral.is_percent != numeral.is_percent {
                    continue;
                }
                let has_sign = self.numeral.currency.is_some() || self.numeral.is_percent;
                let place = if has_sign { &numeral.whole } else { &reading.place };
                let is_sure = wanted.is_sure && reading.is_sure && is_same;
                found.extend(source.folded().raw(place).map(|place| Match { place, is_sure }));
            }
        }
        found.sort_by_key(|found| found.place.start);
        found
    }

    /// Whether a number has the amount's currency, and whether it surely has; `None` if it has another one or none.
    fn is_currency_of(&self, numeral: &Numeral) -> Option<bool> {
        let Some(wanted) = self.numeral.currency else { return Some(true) };
        let written = numeral.currency?;
        let is_sure = written.code == wanted.code && (wanted.is_shared() || !written.is_shared());
        written.may_be(wanted.code).then_some(is_sure)
    }
}

/// Where a source has a number as the answer writes it.
pub(super) fn literal(source: &SourceText<'_>, text: &str, value: &Decimal, budget: &mut Budget) -> Vec<Match> {
    let mut found = equal(source, value, budget);
    found.retain(|found| found.is_sure && source.raw.get(found.place.clone()) == Some(text));
    found
}

/// Where a source has a number of this value.
pub(super) fn equal(source: &SourceText<'_>, value: &Decimal, budget: &mut Budget) -> Vec<Match> {
    let numbers = source.numbers(budget).worth(value, budget).into_iter();
    let places = numbers.filter_map(|(_, reading)| {
        source.folded().raw(&reading.place).map(|place| Match { place, is_sure: reading.is_sure })
    });
    places.collect()
}

/// Where a source has a share as a percentage: 0.19 as `19 %`.
pub(super) fn percentage(source: &SourceText<'_>, value: &Decimal, budget: &mut Budget) -> Vec<Match> {
    let percent = value.clone().times_ten_to(2);
    let numbers = source.numbers(budget).worth(&percent, budget).into_iter();
    let places = numbers.filter(|(numeral, _)| numeral.is_percent).filter_map(|(numeral, reading)| {
        let place = reading.place.start..numeral.whole.end;
        source.folded().raw(&place).map(|place| Match { place, is_sure: reading.is_sure })
    });
    places.collect()
}
