//! What numbers are worth, whatever their spelling and length.

use std::cmp::Ordering;

/// What a number's text means: `0.d₁d₂d₃… × 10^point`, the first and the last digit not zero; zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    is_negative: bool,
    point: i64,
    digits: Vec<u8>,
}

impl Decimal {
    /// The value of a number in JSON's grammar.
    pub fn of(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
        let all: String = [whole, fraction].concat();
        let significant = all.trim_start_matches('0');
        if significant.is_empty() {
            return Self { is_negative: false, point: 0, digits: Vec::new() };
        }
        let zeros = length(&all) - length(significant);
        let point = exponent.parse::<i64>().unwrap_or_default().saturating_add(length(whole)).saturating_sub(zeros);
        let digits = significant.trim_end_matches('0').as_bytes().to_vec();
        Self { is_negative: mantissa.len() > unsigned.len(), point, digits }
    }

    /// Whether it is zero, of either sign.
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Whether it is a whole number.
    pub fn is_whole(&self) -> bool {
        i64::try_from(self.digits.len()).is_ok_and(|digits| self.point >= digits)
    }

    /// It times 10 to the power of `exponent`.
    #[must_use]
    pub fn times_ten_to(mut self, exponent: i64) -> Self {
        if !self.is_zero() {
            self.point = self.point.saturating_add(exponent);
        }
        self
    }

    /// Number of its significant digits.
    pub fn digits(&self) -> usize {
        self.digits.len()
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = || self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits));
        let sign = self.sign();
        sign.cmp(&other.sign()).then_with(|| if sign < 0 { magnitude().reverse() } else { magnitude() })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_compare_as_numbers() {
        let ascending = ["-1e40", "-12.5", "-1.25", "-0.01", "0", "1e-400", "0.01", "0.011", "1", "1.5", "15", "1e40"];
        for pair in ascending.windows(2) {
            assert!(Decimal::of(pair[0]) < Decimal::of(pair[1]), "{pair:?}");
        }
        for [a, b] in [["1.10", "1.1"], ["1E5", "100000"], ["-0", "0.000"], ["0.5e1", "5"], ["1200e-3", "1.2"]] {
            assert_eq!(Decimal::of(a), Decimal::of(b));
        }
        for (text, hundredfold) in [("0.19", "19"), ("-1.5", "-150"), ("0", "0")] {
            assert_eq!(Decimal::of(text).times_ten_to(2), Decimal::of(hundredfold));
        }
        for (text, is_whole) in
            [("0.0", true), ("-0", true), ("12.50e1", true), ("1e400", true), ("12.5", false), ("1e-400", false)]
        {
            assert_eq!(Decimal::of(text).is_whole(), is_whole, "{text}");
        }
    }
}
