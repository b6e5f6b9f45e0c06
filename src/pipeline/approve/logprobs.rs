//! The log probabilities of the object that is taken.

use std::ops::Range;

use crate::domain::logprobs::ValueLogprob;
use crate::ports::model::ObjectLogprobs;
use crate::schema::with_quotes::DATA;

/// Those of the last of the places where a reply has the object. Where its data stands beside quotes, of the data alone.
pub(super) fn of_data(objects: &[ObjectLogprobs], places: &[Range<usize>], has_quotes: bool) -> Vec<ValueLogprob> {
    let mut places = places.iter().rev();
    let Some(object) = places.find_map(|place| objects.iter().find(|object| object.start == place.start)) else {
        return Vec::new();
    };
    let values = object.values.iter();
    if !has_quotes {
        return values.cloned().collect();
    }
    let of_data = values.filter_map(|value| {
        let field = value.field.strip_prefix('/')?.strip_prefix(DATA)?;
        field.starts_with('/').then(|| ValueLogprob { field: field.to_owned(), ..value.clone() })
    });
    of_data.collect()
}
