//! An answer held against its label, field by field.

use serde::Serialize;
use serde_json::Value;

use super::fields::Field;
use super::interval::as_f64;
use super::metric::Metric;
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
        let matched = compare(field, &Base::default(), expected, given);
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
#[derive(Debug, Default)]
struct Base {
    pointer: String,
    path: String,
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

    fn is_whole(&self) -> bool {
        self.both == self.expected && self.both == self.given
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
    let [pointer, path] = [&base.pointer, &base.path].map(|base| format!("{base}{}", field.pointer));
    if let Metric::ListF1 { items } = &field.metric {
        return compare_lists(items, &Base { pointer, path }, &as_list(expected), &as_list(given));
    }
    let is_right = match (&expected, &given) {
        (Some(expected), Some(given)) => field.metric.accepts(expected, given),
        _ => false,
    };
    Matched {
        expected: usize::from(expected.is_some()),
        given: usize::from(given.is_some()),
        both: usize::from(is_right),
        values: given.map(|_| ValueVerdict { field: 0, pointer, path, is_right }).into_iter().collect(),
    }
}

/// Whether the given item of this index belongs to an expected one.
type IsPartner<'a> = &'a dyn Fn(usize, &Value) -> bool;

/// Compares lists in any order: items that are the same value first, then those that count as equal, then those that
/// have the most in common.
fn compare_lists(items: &[Field], list: &Base, expected: &[Value], given: &[Value]) -> Matched {
    let compare_items = |index: usize, expected: &Value| {
        let mut matched = Matched::default();
        let base = Base { pointer: format!("{}/{index}", list.pointer), path: format!("{}/*", list.path) };
        let given = given.get(index).unwrap_or(&Value::Null);
        items.iter().for_each(|field| matched.add(compare(field, &base, expected, given)));
        matched
    };
    let mut open: Vec<&Value> = expected.iter().collect();
    let mut found: Vec<Option<Matched>> = given.iter().map(|_| None).collect();
    // With a tolerance, an item may count as equal to the one that another item is.
    let is_same = |index: usize, expected: &Value| given.get(index).is_some_and(|given| json::equal(given, expected));
    let is_equal = |index: usize, expected: &Value| compare_items(index, expected).is_whole();
    for is_partner in [&is_same as IsPartner<'_>, &is_equal] {
        for (index, slot) in found.iter_mut().enumerate().filter(|(_, slot)| slot.is_none()) {
            let partner = open.iter().position(|expected| is_partner(index, expected));
            *slot = partner.map(|position| compare_items(index, open.swap_remove(position)));
        }
    }
    for (index, slot) in found.iter_mut().enumerate().filter(|(_, slot)| slot.is_none()) {
        let common = |position: &usize| open.get(*position).map(|expected| compare_items(index, expected).both);
        let most = (0..open.len()).max_by_key(common);
        let partner = most.map(|position| open.swap_remove(position));
        *slot = Some(compare_items(index, partner.unwrap_or(&Value::Null)));
    }
    let mut all = Matched::default();
    found.into_iter().flatten().for_each(|matched| all.add(matched));
    for missed in open {
        let mut matched = Matched::default();
        items.iter().for_each(|field| matched.add(compare(field, &Base::default(), missed, &Value::Null)));
        all.add(matched);
    }
    all
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::eval::fields::of_schema;

    fn fields() -> Vec<Field> {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": { "type": ["string", "null"] },
                "total": { "type": ["number", "null"] },
                "paid": { "type": "boolean" },
                "tags": { "type": "array", "items": { "type": "string" } },
                "lines": { "type": "array", "items": { "type": "object", "properties": {
                    "sku": { "type": "string" }, "net": { "type": "number" } } } }
            }
        });
        of_schema(&schema).unwrap()
    }

    fn verdicts(expected: &Value, given: &Value) -> Vec<(Verdict, f64)> {
        judge(&fields(), expected, given).fields.iter().map(|field| (field.verdict, field.score)).collect()
    }

    #[test]
    fn each_field_is_right_wrong_omitted_or_invented() {
        use Verdict::{Invented, Omitted, Right, RightlyAbsent, Wrong};
        let expected = json!({ "name": "Ada", "total": null, "paid": false, "tags": ["a"], "lines": [] });
        let given = json!({ "name": "ada ", "total": 1e15, "paid": true, "lines": [] });
        let found = verdicts(&expected, &given);
        assert_eq!(found, [(Right, 1.0), (Invented, 0.0), (Wrong, 0.0), (Omitted, 0.0), (RightlyAbsent, 1.0)]);
        let given = json!({ "name": " ", "total": null, "paid": false, "tags": "a" });
        let found = verdicts(&expected, &given);
        assert_eq!(found, [(Omitted, 0.0), (RightlyAbsent, 1.0), (Right, 1.0), (Right, 1.0), (RightlyAbsent, 1.0)]);
    }

    #[test]
    fn a_list_is_worth_its_f1_whatever_its_order() {
        let lists =
            |expected: Value, given: Value| verdicts(&json!({ "tags": expected }), &json!({ "tags": given }))[3];
        assert_eq!(lists(json!(["a", "b"]), json!(["B", "a"])), (Verdict::Right, 1.0));
        assert_eq!(lists(json!(["a", "b"]), json!(["a", "c"])), (Verdict::Wrong, 0.5));
        assert_eq!(lists(json!(["a"]), json!(["a", "a", "a"])), (Verdict::Wrong, 0.5));
        assert_eq!(lists(json!(["a", "b", "c"]), json!(["x"])), (Verdict::Wrong, 0.0));
        assert_eq!(lists(json!([]), json!(["x"])), (Verdict::Invented, 0.0));
    }

    #[test]
    fn the_order_of_a_list_does_not_count_where_items_differ_by_less_than_the_tolerance() {
        let tolerance = json!({ "number": { "tolerance": 0.01 } });
        let list = json!({ "type": "array", "items": { "type": "number", "x-eval": tolerance } });
        let fields = of_schema(&json!({ "type": "object", "properties": { "n": list } })).unwrap();
        let expected = json!({ "n": [19.99, 20.00, 20.01] });
        for given in [[19.99, 20.00, 20.01], [20.01, 20.00, 19.99], [20.00, 20.01, 19.99], [20.01, 19.99, 20.00]] {
            let judged = judge(&fields, &expected, &json!({ "n": given }));
            assert_eq!(judged.fields[0], FieldVerdict { verdict: Verdict::Right, score: 1.0 }, "{given:?}");
        }
    }

    #[test]
    fn items_of_objects_are_paired_by_what_they_have_in_common() {
        let expected =
            json!({ "lines": [{ "sku": "a", "net": 1 }, { "sku": "b", "net": 2 }, { "sku": "c", "net": 3 }] });
        let given = json!({ "lines": [{ "sku": "c", "net": 9 }, { "sku": "b", "net": 2 }] });
        let judged = judge(&fields(), &expected, &given);
        assert_eq!(judged.fields[4], FieldVerdict { verdict: Verdict::Wrong, score: 0.6 });
        let values: Vec<_> = judged.values.iter().map(|value| (value.pointer.as_str(), value.is_right)).collect();
        let found = [("/lines/0/sku", true), ("/lines/0/net", false), ("/lines/1/sku", true), ("/lines/1/net", true)];
        assert_eq!(values, found);
        assert!(judged.values.iter().all(|value| value.field == 4));
        assert_eq!(judged.values[2].path, "/lines/*/sku");
    }

    #[test]
    fn no_answer_is_right_in_no_field() {
        let judged = Judged::without_answer(&fields());
        assert_eq!((judged.fields.len(), judged.right(), judged.values.len()), (5, 0, 0));
    }
}
