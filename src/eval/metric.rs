//! How a value is compared with the expected one.

use chrono::NaiveDate;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::domain::json;
use crate::evidence::digits::digit;

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
    /// The same letters and digits, without regard to case, spaces and punctuation.
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

    /// A value made ready to be compared many times. Lists are compared by [`verdict`](super::verdict).
    pub(super) fn comparable<'v>(&self, value: &'v Value) -> Comparable<'v> {
        let form = match self {
            Self::Exact | Self::ListF1 { .. } | Self::Ignore => None,
            Self::Normalised => text(value).map(|text| Form::Text(normal_form(&text))),
            Self::Number { .. } => number(value).map(Form::Number),
            Self::Date { .. } => date(value).map(Form::Date),
        };
        Comparable { value, form }
    }

    /// Whether a given value is right.
    pub(super) fn accepts(&self, expected: &Comparable<'_>, given: &Comparable<'_>) -> bool {
        if json::equal(expected.value, given.value) {
            return true;
        }
        match (self, &expected.form, &given.form) {
            (Self::Ignore, _, _) => true,
            // Texts without a letter or digit are the same only where they are equal.
            (_, Some(Form::Text(a)), Some(Form::Text(b))) => a == b && !a.is_empty(),
            // Sums of decimal fractions are off by a few units in the last place.
            (Self::Number { tolerance }, Some(Form::Number(a)), Some(Form::Number(b))) => {
                (a - b).abs() <= tolerance + f64::EPSILON * 4.0 * a.abs().max(b.abs())
            }
            (Self::Date { days }, Some(Form::Date(a)), Some(Form::Date(b))) => {
                (*a - *b).num_days().unsigned_abs() <= u64::from(*days)
            }
            _ => false,
        }
    }
}

/// A value with what it is compared by, found out once: each item of a list is held against each of another.
#[derive(Debug)]
pub(super) struct Comparable<'v> {
    value: &'v Value,
    form: Option<Form>,
}

/// What a metric reads in a value.
#[derive(Debug)]
enum Form {
    Text(String),
    Number(f64),
    Date(NaiveDate),
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

/// The letters and digits of a text, in one form whoever wrote them.
fn normal_form(text: &str) -> String {
    let plain: Vec<char> = text.nfkc().flat_map(char::to_lowercase).nfkc().map(plain).collect();
    let is_digit = |at: Option<usize>| at.and_then(|at| plain.get(at)).is_some_and(char::is_ascii_digit);
    let counts = |(at, c): &(usize, &char)| match **c {
        // 1.25 is another number, and another version, than 12.5.
        '.' | ',' => is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1)),
        c => c.is_alphanumeric() || is_combining_mark(c),
    };
    plain.iter().enumerate().filter(counts).map(|(_, c)| *c).collect()
}

fn plain(c: char) -> char {
    match c {
        // Sigma has another lower case at the end of a word.
        'ς' => 'σ',
        // The point and the comma of Arabic numbers.
        '\u{66b}' => '.',
        '\u{66c}' => ',',
        c => digit(c).map_or(c, |value| char::from(b'0' + value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accepts(metric: &Metric, expected: &Value, given: &Value) -> bool {
        metric.accepts(&metric.comparable(expected), &metric.comparable(given))
    }

    #[test]
    fn exact_is_equal_as_json() {
        assert!(accepts(&Metric::Exact, &json!(1), &json!(1.0)));
        assert!(accepts(&Metric::Exact, &json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1})));
        assert!(!accepts(&Metric::Exact, &json!("A"), &json!("a")));
        assert!(!accepts(&Metric::Exact, &json!("1"), &json!(1)));
    }

    #[test]
    fn normalised_is_the_same_letters_and_digits() {
        for (expected, given) in [
            ("Müller & Söhne", "MU\u{308}LLER  &\n Söhne"),
            ("O’Neill — “north”", "o'neill - \"North\""),
            ("ﬁne ①", "FINE 1"),
            ("ΟΔΟΣ", "οδος"),
            ("zero\u{200b}width", "zerowidth"),
            ("+49 30 1234-56", "+4930123456"),
            ("٠٧٧٠٠ ٩٠٠٢٣١", "07700 900231"),
            ("Acme Inc.", "ACME Inc"),
            ("v 1.25", "V1.25"),
        ] {
            assert!(accepts(&Metric::Normalised, &json!(expected), &json!(given)), "{expected} {given}");
        }
        assert!(accepts(&Metric::Normalised, &json!("42"), &json!(42)));
        for (expected, given) in [("A-17", "A-71"), ("1.25", "12.5"), ("हिंदी", "हद"), ("!", "?"), ("!!", "")]
        {
            assert!(!accepts(&Metric::Normalised, &json!(expected), &json!(given)), "{expected} {given}");
        }
        assert!(!accepts(&Metric::Normalised, &json!("a"), &json!(["a"])));
    }

    #[test]
    fn numbers_may_differ_by_the_tolerance() {
        let cent = Metric::Number { tolerance: 0.01 };
        assert!(accepts(&cent, &json!(19.99), &json!(20.0)) && accepts(&cent, &json!(20.0), &json!(19.99)));
        assert!(!accepts(&cent, &json!(19.99), &json!(20.01)));
        assert!(accepts(&cent, &json!("12.5"), &json!(12.50)) && !accepts(&cent, &json!("twelve"), &json!(12)));
        let none = Metric::Number { tolerance: 0.0 };
        assert!(accepts(&none, &json!(0.3), &json!(0.1 + 0.2)) && !accepts(&none, &json!(0.3), &json!(0.300_001)));
        assert!(!accepts(&none, &json!(1), &json!("NaN")));
    }

    #[test]
    fn dates_may_differ_by_days_and_their_time_does_not_count() {
        let (same, near) = (Metric::Date { days: 0 }, Metric::Date { days: 2 });
        assert!(accepts(&same, &json!("2026-03-12"), &json!("2026-03-12T09:30:00Z")));
        assert!(!accepts(&same, &json!("2026-03-12"), &json!("2026-03-13")));
        assert!(accepts(&near, &json!("2026-02-28"), &json!("2026-03-02")));
        assert!(!accepts(&near, &json!("2026-02-27"), &json!("2026-03-02")));
        assert!(!accepts(&near, &json!("2026-03-12"), &json!("12.03.2026")));
        assert!(!accepts(&same, &json!("2026-03-12"), &json!("2026-03-122")));
    }
}
