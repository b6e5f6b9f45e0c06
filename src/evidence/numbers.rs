//! The numbers of a text, looked up by what they are worth.

use crate::domain::json::Decimal;

use super::budget::{AllOf, Budget, READ_AROUND};
use super::folded_text::FoldedText;
use super::numerals::{Numeral, Reading, numerals};

/// What it costs to look at a number, in bytes of a text that is searched.
const LOOKED_AT: usize = 64;

/// The numbers of a text in the order of their values.
#[derive(Debug)]
pub(super) struct Numbers {
    numerals: AllOf<Numeral>,
    /// Numeral and reading, the least value first.
    order: Vec<(usize, usize)>,
}

impl Numbers {
    /// Finds all numbers of a text, or none if there are more than may be read: what one of them is worth depends on
    /// the others.
    pub(super) fn new(folded: &FoldedText, raw: &str, budget: &mut Budget) -> Self {
        let is_cut = !budget.spend(groups_of_digits(&folded.text) * READ_AROUND);
        let found = if is_cut { Vec::new() } else { numerals(folded, raw) };
        let mut numbers = Self { numerals: AllOf { found, is_cut }, order: Vec::new() };
        let readings = numbers.numerals.found.iter().enumerate();
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
        if self.numerals.is_cut {
            budget.cut();
        }
        if !budget.spend(same.len() * LOOKED_AT) {
            return Vec::new();
        }
        let found = same.iter().filter_map(|(numeral, reading)| {
            let numeral = self.numerals.found.get(*numeral)?;
            Some((numeral, numeral.readings.get(*reading)?))
        });
        found.collect()
    }

    fn value(&self, (numeral, reading): (usize, usize)) -> Option<&Decimal> {
        self.numerals.found.get(numeral)?.readings.get(reading).map(|reading| &reading.value)
    }
}

fn groups_of_digits(text: &str) -> usize {
    let groups = text.as_bytes().chunk_by(|left, right| left.is_ascii_digit() == right.is_ascii_digit());
    groups.filter(|group| group.first().is_some_and(u8::is_ascii_digit)).count()
}
