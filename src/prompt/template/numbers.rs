//! Numbers in templates: printed with the digits that were sent, and calculated with where that loses none.
//!
//! The engine has integers of 128 bits and doubles. A number that one of them holds becomes that; how it was spelled
//! (`1.10`, `1E5`) is remembered for as long as the rendering lasts. Any other number becomes [`Digits`], which prints
//! itself and refuses arithmetic.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr, ValueKind};
use minijinja::{State, Value};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::Number;

use crate::domain::json;

/// The variable that holds the [`Spellings`] during a rendering. It is no identifier: no template can name it.
const VARIABLE: &str = "numbers as sent";

/// How the doubles of a record were written, by their bits.
#[derive(Debug, Default)]
pub(super) struct Spellings(HashMap<u64, Number>);

impl Object for Spellings {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

impl Spellings {
    /// The variable that the engine is to have, if there is anything to say.
    pub(super) fn into_variable(self) -> Option<(&'static str, Value)> {
        (!self.0.is_empty()).then(|| (VARIABLE, Value::from_object(self)))
    }

    /// A number as the engine's value.
    pub(super) fn value(&mut self, number: &Number) -> Value {
        let text = number.as_str();
        if json::is_whole(number) && text != "-0" {
            if let Ok(integer) = text.parse::<i64>() {
                return Value::from(integer);
            }
            if let Ok(integer) = text.parse::<i128>() {
                return Value::from(integer);
            }
            if let Ok(natural) = text.parse::<u128>() {
                return Value::from(natural);
            }
        }
        match number.as_f64() {
            Some(float) if Decimal::of(text) == Decimal::of(&format!("{float:e}")) => {
                // Of two spellings of one number in a record the first is shown for both: they are equal.
                self.0.entry(float.to_bits()).or_insert_with(|| number.clone());
                Value::from(float)
            }
            _ => Value::from_object(Digits(number.clone())),
        }
    }
}

/// The numbers of the record that is being rendered.
pub(super) struct AsSent(Option<Value>);

impl AsSent {
    pub(super) fn of(state: &State<'_, '_>) -> Self {
        Self(state.lookup(VARIABLE))
    }

    /// The digits of a number that the engine itself would print otherwise.
    pub(super) fn number<'v>(&'v self, value: &'v Value) -> Option<&'v Number> {
        if value.kind() == ValueKind::Number && !value.is_integer() {
            let Spellings(known) = self.0.as_ref()?.downcast_object_ref()?;
            return known.get(&f64::try_from(value.clone()).ok()?.to_bits());
        }
        value.downcast_object_ref::<Digits>().map(|Digits(number)| number)
    }
}

/// The test `is number`.
pub(super) fn is_number(value: &Value) -> bool {
    value.is_number() || value.downcast_object_ref::<Digits>().is_some()
}

/// A value as JSON, with numbers [`AsSent`].
pub(super) struct AsJson<'s>(pub(super) Value, pub(super) &'s AsSent);

impl Serialize for AsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, sent) = self;
        if let Some(number) = sent.number(value) {
            return number.serialize(serializer);
        }
        let kind = value.kind();
        if kind == ValueKind::Map {
            let keys = value.try_iter().map_err(S::Error::custom)?;
            serializer.collect_map(keys.map(|key| {
                let member = value.get_item(&key).unwrap_or_default();
                (key, AsJson(member, sent))
            }))
        } else if matches!(kind, ValueKind::Seq | ValueKind::Iterable) {
            serializer.collect_seq(value.try_iter().map_err(S::Error::custom)?.map(|item| AsJson(item, sent)))
        } else {
            value.serialize(serializer)
        }
    }
}

/// A number that no number of the engine holds.
#[derive(Debug)]
struct Digits(Number);

impl Object for Digits {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some(Decimal::of(self.0.as_str()).cmp(&Decimal::of(other.0.as_str())))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// What a number's text means: `0.d₁d₂d₃… × 10^point`, the first and the last digit not zero; zero has no digits.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    point: i64,
    digits: Vec<u8>,
}

impl Decimal {
    fn of(text: &str) -> Self {
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
    }
}
