//! How likely the values of an answer were to the model that gave them.

use std::collections::HashMap;

use serde_json::Value;

/// The log probability of one value: the mean over the tokens that it was written with.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueLogprob {
    /// JSON Pointer (RFC 6901) of the value within the answer.
    pub field: String,
    /// Mean of the natural logarithms of the tokens' probabilities: 0 is certain, -0.69 is one half.
    pub mean: f64,
    /// How many tokens there are.
    pub tokens: u32,
}

/// Log probabilities, to be found by the value's pointer.
#[derive(Debug)]
pub struct ByField<'a>(HashMap<&'a str, f64>);

impl<'a> ByField<'a> {
    /// Those of one answer.
    pub fn new(values: &'a [ValueLogprob]) -> Self {
        Self(values.iter().map(|value| (value.field.as_str(), value.mean)).collect())
    }

    /// That of the value at this JSON Pointer.
    pub fn mean(&self, field: &str) -> Option<f64> {
        self.0.get(field).copied()
    }
}

/// Geometric mean of the probabilities of all tokens that `data` was written with, its names and brackets apart. Nulls
/// are left out: an answer is no worse for what the text does not say. `None` where nothing is left.
pub fn probability(values: &[ValueLogprob], data: &Value) -> Option<f64> {
    let is_given = |value: &&ValueLogprob| data.pointer(&value.field).is_some_and(|given| !given.is_null());
    let (sum, tokens) = values.iter().filter(is_given).fold((0.0, 0.0), |(sum, tokens), value| {
        let own = f64::from(value.tokens);
        (sum + value.mean * own, tokens + own)
    });
    (tokens > 0.0).then(|| (sum / tokens).exp())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(field: &str, mean: f64, tokens: u32) -> ValueLogprob {
        ValueLogprob { field: field.into(), mean, tokens }
    }

    #[test]
    fn tokens_count_alike_whichever_value_they_belong_to() {
        let data = json!({ "a": "x", "b": [true, null], "c": null });
        let half = 0.5_f64.ln();
        let values = [value("/a", 0.0, 3), value("/b/0", half, 1)];
        assert!((probability(&values, &data).unwrap() - 0.5_f64.powf(0.25)).abs() < 1e-9);
    }

    #[test]
    fn nulls_and_what_the_data_does_not_have_count_for_nothing() {
        let data = json!({ "a": "x", "b": [true, null], "c": null });
        let nulls = [value("/b/1", -9.0, 1), value("/c", -9.0, 1), value("/left_out", -9.0, 1)];
        assert_eq!(probability(&nulls, &data), None);
        let with_one_more = [nulls.as_slice(), &[value("/a", 0.0, 1)]].concat();
        assert_eq!(probability(&with_one_more, &data), Some(1.0));
        assert_eq!(probability(&[], &data), None);
    }
}
