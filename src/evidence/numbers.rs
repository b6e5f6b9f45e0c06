//! The numbers of a text, looked up by what they are worth.

use crate::domain::json::Decimal;

use super::budget::Budget;
use super::folded_text::FoldedText;
use super::numerals::{Numeral, Reading, numerals};

/// What it costs to look at a number, in bytes of a text that is searched.
const LOOKED_AT: usize = 64;

/// The numbers of a text in the order of their values.
#[derive(Debug)]
pub(super) struct Numbers {
    numerals: Vec<Numeral>,
    /// Numeral and reading, the least value first.
    order: Vec<(usize, usize)>,
}

impl Numbers {
    /// Finds all numbers of a text.
    pub(super) fn new(folded: &FoldedText, raw: &str) -> Self {
        let numerals = numerals(folded, raw);
        let mut numbers = Self { numerals, order: Vec::new() };
        let readings = numbers.numerals.iter().enumerate();
        let mut order: Vec<(usize, usize)> =
            readings.flat_map(|(index, numeral)| (0..numeral.readings.len()).map(move |one| (index, one))).collect();
        order.sort_by(|a, b| numbers.value(*a).cmp(&numbers.value(*b)).then(a.cmp(b)));
        numbers.order = order;
        numbers
    }

    /// The numbers that may be worth `value`, in the order of the text. None if there are more than may be looked at.
    pub(super) fn worth(&self, value: &Decimal, budget: &mut Budget) -> Vec<(&Numeral, &Reading)> {
        let from = self.order.partition_point(|at| self.value(*at) < Some(value));
        let to = self.order.partition_point(|at| self.value(*at) <= Some(value));
        let same = self.order.get(from..to).unwrap_or_default();
        if !budget.spend(same.len() * LOOKED_AT) {
            return Vec::new();
        }
        let found = same.iter().filter_map(|(numeral, reading)| {
            let numeral = self.numerals.get(*numeral)?;
            Some((numeral, numeral.readings.get(*reading)?))
        });
        found.collect()
    }

    fn value(&self, (numeral, reading): (usize, usize)) -> Option<&Decimal> {
        self.numerals.get(numeral)?.readings.get(reading).map(|reading| &reading.value)
    }
}
