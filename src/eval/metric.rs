//! How a value is compared with the expected one.

use chrono::NaiveDate;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::domain::json;

/// A field that is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its JSON Pointer, from the item where it belongs to items of a list.
    pub pointer: String,
    /// How it is compared.
    pub metric: Metric,
    /// The values that its schema allows, where it lists them.
    pub choices: Vec<Value>,
}

/// How a field is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// Equal as JSON.
    Exact,
    /// Equal as texts, without regard to case, white space and the form of quotes, dashes and characters.
    Normalised,
    /// Numbers that differ by no more than this.
    Number {
        /// The largest difference that is right.
        tolerance: f64,
    },
    /// Dates that differ by no more than so many days. The time of day does not count.
    Date {
        /// The largest difference that is right.
        days: u32,
    },
    /// Lists in any order: how many of the items were found, and how many of those found are items.
    ListF1 {
        /// How items are compared.
        items: Vec<Field>,
    },
    /// Not compared.
    Ignore,
}

impl Metric {
    /// The name that users see, and write as `x-eval`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Normalised => "normalised",
            Self::Number { .. } => "number",
            Self::Date { .. } => "date",
            Self::ListF1 { .. } => "list-f1",
            Self::Ignore => "ignore",
        }
    }

    /// Whether a given value is right. Lists are compared by [`verdict`](super::verdict).
    pub(super) fn accepts(&self, expected: &Value, given: &Value) -> bool {
        if json::equal(expected, given) {
            return true;
        }
        match self {
            Self::Exact | Self::ListF1 { .. } => false,
            Self::Normalised => match (text(expected), text(given)) {
                (Some(expected), Some(given)) => normal_form(&expected) == normal_form(&given),
                _ => false,
            },
            Self::Number { tolerance } => match (number(expected), number(given)) {
                // Sums of decimal fractions are off by a few units in the last place.
                (Some(a), Some(b)) => (a - b).abs() <= tolerance + f64::EPSILON * 4.0 * a.abs().max(b.abs()),
                _ => false,
            },
            Self::Date { days } => match (date(expected), date(given)) {
                (Some(a), Some(b)) => (a - b).num_days().unsigned_abs() <= u64::from(*days),
                _ => false,
            },
            Self::Ignore => true,
        }
    }
}

/// A single value as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    let number: f64 = text(value)?.trim().parse().ok()?;
    number.is_finite().then_some(number)
}

/// The date that an ISO 8601 date or date and time begins with.
fn date(value: &Value) -> Option<NaiveDate> {
    let text = value.as_str()?.trim();
    let (date, rest) = text.split_at_checked("2026-01-31".len())?;
    let is_time = rest.is_empty() || rest.starts_with(['T', 't', ' ']);
    NaiveDate::parse_from_str(date, "%Y-%m-%d").ok().filter(|_| is_time)
}

/// A text as it is compared where only what it says counts.
fn normal_form(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for c in text.nfkc().flat_map(char::to_lowercase).nfkc() {
        match c {
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            c if c.is_whitespace() => {
                if !normal.ends_with(' ') {
                    normal.push(' ');
                }
            }
            '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' => normal.push('\''),
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' => normal.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => normal.push('-'),
            // Sigma has another lower case at the end of a word.
            'ς' => normal.push('σ'),
            c => normal.push(c),
        }
    }
    normal.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exact_is_equal_as_json() {
        assert!(Metric::Exact.accepts(&json!(1), &json!(1.0)));
        assert!(Metric::Exact.accepts(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1})));
        assert!(!Metric::Exact.accepts(&json!("A"), &json!("a")));
        assert!(!Metric::Exact.accepts(&json!("1"), &json!(1)));
    }

    #[test]
    fn normalised_is_equal_but_for_how_it_is_written() {
        for (expected, given) in [
            ("Müller & Söhne", "MU\u{308}LLER  &\n Söhne"),
            ("O’Neill — “north”", "o'neill - \"North\""),
            ("ﬁne ①", "FINE 1"),
            ("ΟΔΟΣ", "οδος"),
            ("zero\u{200b}width", "zerowidth"),
        ] {
            assert!(Metric::Normalised.accepts(&json!(expected), &json!(given)), "{expected} {given}");
        }
        assert!(Metric::Normalised.accepts(&json!("42"), &json!(42)));
        assert!(!Metric::Normalised.accepts(&json!("A-17"), &json!("A17")));
        assert!(!Metric::Normalised.accepts(&json!("a"), &json!(["a"])));
    }

    #[test]
    fn numbers_may_differ_by_the_tolerance() {
        let cent = Metric::Number { tolerance: 0.01 };
        assert!(cent.accepts(&json!(19.99), &json!(20.0)) && cent.accepts(&json!(20.0), &json!(19.99)));
        assert!(!cent.accepts(&json!(19.99), &json!(20.01)));
        assert!(cent.accepts(&json!("12.5"), &json!(12.50)) && !cent.accepts(&json!("twelve"), &json!(12)));
        let none = Metric::Number { tolerance: 0.0 };
        assert!(none.accepts(&json!(0.3), &json!(0.1 + 0.2)) && !none.accepts(&json!(0.3), &json!(0.300_001)));
        assert!(!none.accepts(&json!(1), &json!("NaN")));
    }

    #[test]
    fn dates_may_differ_by_days_and_their_time_does_not_count() {
        let (same, near) = (Metric::Date { days: 0 }, Metric::Date { days: 2 });
        assert!(same.accepts(&json!("2026-03-12"), &json!("2026-03-12T09:30:00Z")));
        assert!(!same.accepts(&json!("2026-03-12"), &json!("2026-03-13")));
        assert!(near.accepts(&json!("2026-02-28"), &json!("2026-03-02")));
        assert!(!near.accepts(&json!("2026-02-27"), &json!("2026-03-02")));
        assert!(!near.accepts(&json!("2026-03-12"), &json!("12.03.2026")));
        assert!(!same.accepts(&json!("2026-03-12"), &json!("2026-03-122")));
    }
}
