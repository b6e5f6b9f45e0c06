//! Numbers with a fixed number of decimals.

use std::fmt;

/// Shows a number with so many decimals, as `{:.n}` does. The standard library computes all digits that a number has
/// to round it, and a result has six such numbers.
#[derive(Debug, Clone, Copy)]
pub struct Decimals(pub f64, pub u32);

/// Beyond this a product of two doubles is no longer exact to far less than a half.
const LARGEST: f64 = 1e12;
/// How close to a half a remainder may be for the product's error not to matter.
const CLEAR: f64 = 0.499;

impl fmt::Display for Decimals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, decimals) = *self;
        let one = 10_u64.pow(decimals);
        let scaled = value * one as f64;
        let nearest = scaled.round();
        if !(0.0..LARGEST).contains(&scaled) || value.is_sign_negative() || (scaled - nearest).abs() > CLEAR {
            return write!(f, "{value:.*}", decimals as usize);
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between zero and `LARGEST`")]
        let digits = nearest as u64;
        write!(f, "{}.{:0width$}", digits / one, digits % one, width = decimals as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_those_of_the_standard_library(value in prop::num::f64::ANY, fraction in 0.0..2.0_f64, n in 0..2_000_i32) {
            let halves = f64::from(n) / 1_000.0;
            for value in [value, fraction, halves, -halves, f64::from(n) / 16.0] {
                for decimals in [1, 2, 6] {
                    prop_assert_eq!(Decimals(value, decimals).to_string(), format!("{value:.*}", decimals as usize));
                }
            }
        }
    }
}
