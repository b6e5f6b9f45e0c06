//! Answers, and items of their lists, made ready to be compared: what a field is compared by is found out once, though
//! each item of a list is held against each of another.

use serde_json::Value;

use super::metric::{Comparable, Field, Metric};

/// An answer or an item of a list.
pub(super) struct Prepared<'v> {
    /// Itself.
    pub(super) value: &'v Value,
    /// One for each field by which it is compared, in their order; `None` where it has nothing.
    fields: Vec<Option<PreparedField<'v>>>,
}

/// What it has in one field.
pub(super) enum PreparedField<'v> {
    /// A value that is compared as a whole.
    Single(Comparable<'v>),
    /// Items that are compared in any order.
    List(Vec<Prepared<'v>>),
}

impl<'v> Prepared<'v> {
    /// An answer, or an item, that is compared by these fields.
    pub(super) fn new(fields: &[Field], value: &'v Value) -> Self {
        let of_field = |field: &Field| {
            let value = value.pointer(&field.pointer).filter(|value| !is_absent(value))?;
            let Metric::ListF1 { items } = &field.metric else {
                return Some(PreparedField::Single(field.metric.comparable(value)));
            };
            Some(PreparedField::List(as_list(value).iter().map(|item| Self::new(items, item)).collect()))
        };
        Self { value, fields: fields.iter().map(of_field).collect() }
    }

    /// What it has in the field with this index.
    pub(super) fn field(&self, index: usize) -> Option<&PreparedField<'v>> {
        self.fields.get(index)?.as_ref()
    }
}

impl<'v> PreparedField<'v> {
    /// Its items, of which a single value has none.
    pub(super) fn items(&self) -> &[Prepared<'v>] {
        match self {
            Self::List(items) => items,
            Self::Single(_) => &[],
        }
    }
}

/// How many pairs of single values have to be compared to hold each of these against each of those.
pub(super) fn pairs(fields: &[Field], expected: &[&Prepared<'_>], given: &[&Prepared<'_>]) -> usize {
    let of_field = |(index, field): (usize, &Field)| {
        let Metric::ListF1 { items } = &field.metric else { return expected.len() * given.len() };
        pairs(items, &items_of(index, expected), &items_of(index, given))
    };
    fields.iter().enumerate().map(of_field).sum()
}

fn items_of<'p, 'v>(index: usize, all: &[&'p Prepared<'v>]) -> Vec<&'p Prepared<'v>> {
    all.iter().filter_map(|one| one.field(index)).flat_map(PreparedField::items).collect()
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

/// A single value is a list of one.
fn as_list(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}
