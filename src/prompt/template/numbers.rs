//! Numbers in templates: printed with the digits that were sent, and calculated with where that loses none.
//!
//! The engine has integers of 128 bits and doubles. A number becomes one of those, so that it is compared and
//! calculated with as everywhere; how a double was spelled (`1.10`, `1E5`, 20 decimals) is remembered for as long as
//! the rendering lasts. What neither can stand for becomes [`Digits`], which prints itself and refuses arithmetic.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr, ValueKind};
use minijinja::{State, Value};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::Number;

use crate::domain::json::{self, Decimal};

/// The variable that holds the [`Spellings`] during a rendering. It is no identifier: no template can name it.
const VARIABLE: &str = "numbers as sent";

/// Digits that every double tells apart, and by which most programs write one.
const DIGITS_OF_A_DOUBLE: usize = 17;

/// How the doubles of a record were written, by their bits.
#[derive(Debug)]
pub(super) struct Spellings {
    known: HashMap<u64, Number>,
    /// Whether the template makes texts of values, which writes a double as the engine does: a number with more digits
    /// must then be [`Digits`].
    makes_texts: bool,
}

impl Object for Spellings {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

impl Spellings {
    pub(super) fn new(makes_texts: bool) -> Self {
        Self { known: HashMap::new(), makes_texts }
    }

    /// The variable that the engine is to have, if there is anything to say.
    pub(super) fn into_variable(self) -> Option<(&'static str, Value)> {
        (!self.known.is_empty()).then(|| (VARIABLE, Value::from_object(self)))
    }

    /// A number as the engine's value.
    pub(super) fn value(&mut self, number: &Number) -> Value {
        let text = number.as_str();
        if json::is_integer_literal(number) && text != "-0" {
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
        self.double(number).map_or_else(|| Value::from_object(Digits(number.clone())), Value::from)
    }

    /// The double that stands for a number in this rendering.
    fn double(&mut self, number: &Number) -> Option<f64> {
        let float = number.as_f64()?;
        let decimal = Decimal::of(number.as_str());
        let is_too_small = float == 0.0 && !decimal.is_zero();
        if is_too_small || (self.makes_texts && decimal.digits() > DIGITS_OF_A_DOUBLE) {
            return None;
        }
        match self.known.entry(float.to_bits()) {
            Entry::Vacant(entry) => {
                entry.insert(number.clone());
                Some(float)
            }
            // Of two spellings of one number the first is shown for both: they are equal.
            Entry::Occupied(entry) => (Decimal::of(entry.get().as_str()) == decimal).then_some(float),
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
            let spellings: &Spellings = self.0.as_ref()?.downcast_object_ref()?;
            return spellings.known.get(&f64::try_from(value.clone()).ok()?.to_bits());
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

/// A number that no number of the engine can stand for.
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
