//! An answer held against its label, field by field.

use serde::Serialize;
use serde_json::Value;

use super::fields::Field;
use super::interval::as_f64;
use super::metric::Metric;
use super::pairing;
use super::prepared::{Prepared, PreparedField, pairs};
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
    judge_prepared(fields, &Prepared::new(fields, expected), &Prepared::new(fields, given))
}

/// The same, unless more pairs of values than these would have to be compared: each item of a list is held against each
/// of the other.
pub fn judge_within(most_pairs: usize, fields: &[Field], expected: &Value, given: &Value) -> Option<Judged> {
    let (expected, given) = (Prepared::new(fields, expected), Prepared::new(fields, given));
    let is_within = pairs(fields, &[&expected], &[&given]) <= most_pairs;
    is_within.then(|| judge_prepared(fields, &expected, &given))
}

fn judge_prepared(fields: &[Field], expected: &Prepared<'_>, given: &Prepared<'_>) -> Judged {
    let (mut judged, whole) = (Judged::default(), Base::whole());
    for (index, field) in fields.iter().enumerate() {
        let matched = compare(field, Some(&whole), expected.field(index), given.field(index));
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
    /// Those that were given, where it was said what they are called.
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

/// Compares a field of two answers, or of two items of a list. Without a base it only counts.
fn compare(
    field: &Field,
    base: Option<&Base>,
    expected: Option<&PreparedField<'_>>,
    given: Option<&PreparedField<'_>>,
) -> Matched {
    let base = base.map(|base| base.field(&field.pointer));
    if let Metric::ListF1 { items } = &field.metric {
        let [expected, given] = [expected, given].map(|list| list.map_or(&[][..], PreparedField::items));
        return compare_lists(items, base.as_ref(), expected, given);
    }
    let is_right = match (expected, given) {
        (Some(PreparedField::Single(expected)), Some(PreparedField::Single(given))) => {
            field.metric.accepts(expected, given)
        }
        _ => false,
    };
    let named = |Base { pointer, path, in_label }| ValueVerdict { field: 0, pointer, path, in_label, is_right };
    Matched {
        expected: usize::from(expected.is_some()),
        given: usize::from(given.is_some()),
        both: usize::from(is_right),
        values: base.filter(|_| given.is_some()).map(named).into_iter().collect(),
    }
}

/// Compares lists in any order: items belong together so that as many of their values as can be are right.
fn compare_lists(items: &[Field], list: Option<&Base>, expected: &[Prepared<'_>], given: &[Prepared<'_>]) -> Matched {
    let partners = pairing::heaviest(&common(items, expected, given));
    let mut all = Matched::default();
    for ((index, item), partner) in given.iter().enumerate().zip(&partners) {
        let base = list.map(|list| list.item(index, *partner));
        let other = partner.and_then(|partner| expected.get(partner));
        all.add(compare_items(items, base.as_ref(), other, Some(item)));
    }
    for (_, item) in expected.iter().enumerate().filter(|(index, _)| !partners.contains(&Some(*index))) {
        all.add(compare_items(items, None, Some(item), None));
    }
    all
}

/// For each given item what it has in common with each expected one.
fn common(items: &[Field], expected: &[Prepared<'_>], given: &[Prepared<'_>]) -> Vec<Vec<u32>> {
    // With a tolerance, an item may count as equal to the one that another item is: of pairings in which as much is
    // right, the one is taken that pairs more items with their very value.
    let most_same = given.len().min(expected.len());
    let weight = |given: &Prepared<'_>, expected: &Prepared<'_>| {
        let both = compare_items(items, None, Some(expected), Some(given)).both;
        let weight = both * (most_same + 1) + usize::from(json::equal(given.value, expected.value));
        u32::try_from(weight).unwrap_or(u32::MAX)
    };
    given.iter().map(|given| expected.iter().map(|expected| weight(given, expected)).collect()).collect()
}

fn compare_items(
    items: &[Field],
    base: Option<&Base>,
    expected: Option<&Prepared<'_>>,
    given: Option<&Prepared<'_>>,
) -> Matched {
    let mut matched = Matched::default();
    for (index, field) in items.iter().enumerate() {
        let [expected, given] = [expected, given].map(|item| item.and_then(|item| item.field(index)));
        matched.add(compare(field, base, expected, given));
    }
    matched
}

#[cfg(test)]
mod tests;
