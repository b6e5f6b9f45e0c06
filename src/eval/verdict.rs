//! An answer held against its label, field by field.

use serde::Serialize;
use serde_json::Value;

use super::fields::Field;
use super::interval::as_f64;
use super::metric::Metric;
use super::pairing;
use crate::domain::json;

/// How a field of an answer compares with the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The expected value.
    Right,
    /// No value, and none was expected.
    RightlyAbsent,
    /// Another value than the expected one; of a list, another selection.
    Wrong,
    /// No value where one was expected.
    Omitted,
    /// A value where none was expected.
    Invented,
    /// There was no answer at all.
    NoAnswer,
}

impl Verdict {
    /// Whether the field is as expected.
    pub fn is_right(self) -> bool {
        matches!(self, Self::Right | Self::RightlyAbsent)
    }

    /// The words that reports have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::RightlyAbsent => "rightly absent",
            Self::Wrong => "wrong",
            Self::Omitted => "omitted",
            Self::Invented => "invented",
            Self::NoAnswer => "no answer",
        }
    }
}

/// A field of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FieldVerdict {
    /// How it compares.
    pub verdict: Verdict,
    /// Within 0.0–1.0: the F1 of a list; of all else 1 if it is right and 0 if not.
    pub score: f64,
}

/// A value of an answer. A list has one for each of its items' values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueVerdict {
    /// The index of the field that it belongs to.
    pub field: usize,
    /// Its JSON Pointer in the answer.
    pub pointer: String,
    /// The same for all items of a list: `/lines/*/net`.
    pub path: String,
    /// Its JSON Pointer in the label, whose lists may have another order; `None` in an item that the label does not
    /// have.
    pub in_label: Option<String>,
    /// Whether it was expected.
    pub is_right: bool,
}

/// An answer held against its label.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judged {
    /// One for each field that is compared, in their order.
    pub fields: Vec<FieldVerdict>,
    /// One for each value that was given.
    pub values: Vec<ValueVerdict>,
}

impl Judged {
    /// That of a label which got no answer.
    pub fn without_answer(fields: &[Field]) -> Self {
        let none = FieldVerdict { verdict: Verdict::NoAnswer, score: 0.0 };
        Self { fields: vec![none; fields.len()], values: Vec::new() }
    }

    /// Fields that are right.
    pub fn right(&self) -> usize {
        self.fields.iter().filter(|field| field.verdict.is_right()).count()
    }
}

/// Holds an answer against what was expected.
pub fn judge(fields: &[Field], expected: &Value, given: &Value) -> Judged {
    let mut judged = Judged::default();
    for (index, field) in fields.iter().enumerate() {
        let matched = compare(field, &Base::whole(), expected, given);
        judged.fields.push(matched.verdict());
        judged.values.extend(matched.values.into_iter().map(|value| ValueVerdict { field: index, ..value }));
    }
    judged
}

/// What two answers have in common in one field.
#[derive(Debug, Default)]
struct Matched {
    expected: usize,
    given: usize,
    both: usize,
    values: Vec<ValueVerdict>,
}

/// Where the fields of an answer, or of an item in it, stand.
#[derive(Debug, Clone)]
struct Base {
    pointer: String,
    path: String,
    /// The same in the label; `None` within an item that the label does not have.
    in_label: Option<String>,
}

impl Base {
    /// That of an answer.
    fn whole() -> Self {
        Self { pointer: String::new(), path: String::new(), in_label: Some(String::new()) }
    }

    /// That of one of its fields.
    fn field(&self, pointer: &str) -> Self {
        let join = |base: &String| format!("{base}{pointer}");
        Self { pointer: join(&self.pointer), path: join(&self.path), in_label: self.in_label.as_ref().map(join) }
    }

    /// That of an item of a list, which may be another one in the label.
    fn item(&self, index: usize, in_label: Option<usize>) -> Self {
        Self {
            pointer: format!("{}/{index}", self.pointer),
            path: format!("{}/*", self.path),
            in_label: self.in_label.as_ref().zip(in_label).map(|(list, index)| format!("{list}/{index}")),
        }
    }
}

impl Matched {
    fn verdict(&self) -> FieldVerdict {
        let verdict = match (self.expected, self.given) {
            (0, 0) => Verdict::RightlyAbsent,
            (_, 0) => Verdict::Omitted,
            (0, _) => Verdict::Invented,
            (expected, given) if self.both == expected && self.both == given => Verdict::Right,
            _ => Verdict::Wrong,
        };
        let score = if verdict == Verdict::RightlyAbsent {
            1.0
        } else {
            2.0 * as_f64(self.both) / as_f64(self.expected + self.given)
        };
        FieldVerdict { verdict, score }
    }

    fn add(&mut self, other: Self) {
        self.expected += other.expected;
        self.given += other.given;
        self.both += other.both;
        self.values.extend(other.values);
    }
}

/// Compares a field of two objects, or of two items of a list.
fn compare(field: &Field, base: &Base, expected: &Value, given: &Value) -> Matched {
    let find = |value: &'_ Value| value.pointer(&field.pointer).filter(|value| !is_absent(value)).cloned();
    let (expected, given) = (find(expected), find(given));
    let base = base.field(&field.pointer);
    if let Metric::ListF1 { items } = &field.metric {
        return compare_lists(items, &base, &as_list(expected), &as_list(given));
    }
    let is_right = match (&expected, &given) {
        (Some(expected), Some(given)) => field.metric.accepts(expected, given),
        _ => false,
    };
    let (has_expected, has_given) = (expected.is_some(), given.is_some());
    let Base { pointer, path, in_label } = base;
    let value = ValueVerdict { field: 0, pointer, path, in_label, is_right };
    Matched {
        expected: usize::from(has_expected),
        given: usize::from(has_given),
        both: usize::from(is_right),
        values: Some(value).filter(|_| has_given).into_iter().collect(),
    }
}

/// Compares lists in any order: items belong together so that as many of their values as can be are right.
fn compare_lists(items: &[Field], list: &Base, expected: &[Value], given: &[Value]) -> Matched {
    let partners = pairing::heaviest(&common(items, list, expected, given));
    let mut all = Matched::default();
    for ((index, item), partner) in given.iter().enumerate().zip(&partners) {
        let other = partner.and_then(|partner| expected.get(partner)).unwrap_or(&Value::Null);
        all.add(compare_items(items, &list.item(index, *partner), other, item));
    }
    for (index, item) in expected.iter().enumerate().filter(|(index, _)| !partners.contains(&Some(*index))) {
        all.add(compare_items(items, &list.item(index, Some(index)), item, &Value::Null));
    }
    all
}

/// For each given item what it has in common with each expected one.
fn common(items: &[Field], list: &Base, expected: &[Value], given: &[Value]) -> Vec<Vec<u32>> {
    // With a tolerance, an item may count as equal to the one that another item is: of pairings in which as much is
    // right, the one is taken that pairs more items with their very value.
    let most_same = given.len().min(expected.len());
    let weight = |index: usize, given: &Value, expected: &Value| {
        let both = compare_items(items, &list.item(index, None), expected, given).both;
        let weight = both * (most_same + 1) + usize::from(json::equal(given, expected));
        u32::try_from(weight).unwrap_or(u32::MAX)
    };
    let row =
        |(index, given): (usize, &Value)| expected.iter().map(|expected| weight(index, given, expected)).collect();
    given.iter().enumerate().map(row).collect()
}

fn compare_items(items: &[Field], base: &Base, expected: &Value, given: &Value) -> Matched {
    let mut matched = Matched::default();
    items.iter().for_each(|field| matched.add(compare(field, base, expected, given)));
    matched
}

/// Whether there is nothing: null, an empty text or an empty list.
fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn as_list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        Some(single) => vec![single],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
