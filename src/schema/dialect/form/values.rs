//! JSON values as JSON Schema compares them.

use serde_json::{Number, Value};

/// Whether two values are the same. Numbers are by their value: 1 is 1.0.
pub(in crate::schema::dialect) fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => is_same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| is_same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn is_same_number(a: &Number, b: &Number) -> bool {
    let whole = |number: &Number| number.as_i128();
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a == b,
        // Beyond what a double tells apart, the digits decide.
        _ => a == b || (a.as_f64() == b.as_f64() && a.as_f64().is_some_and(|value| value.abs() < 9e15)),
    }
}

/// Whether a list has the value.
pub(in crate::schema::dialect) fn contains(values: &[Value], value: &Value) -> bool {
    values.iter().any(|one| is_same(one, value))
}

/// Whether a value is of a type of JSON Schema.
pub(in crate::schema::dialect) fn is_of_type(value: &Value, name: &str) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => name == "number" || (name == "integer" && is_whole(number)),
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}

fn is_whole(number: &Number) -> bool {
    number.as_i128().is_some() || number.as_f64().is_some_and(|value| value.fract() == 0.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        assert!(is_same(&json!([1, { "a": 2.0 }]), &json!([1.0, { "a": 2 }])));
        assert!(!is_same(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992_i64)));
        assert!(
            !is_same(&json!(0.1), &json!(0.2)) && !is_same(&json!(1), &json!("1")) && !is_same(&json!(null), &json!(0))
        );
        assert!(is_of_type(&json!(2.0), "integer") && !is_of_type(&json!(2.5), "integer"));
    }
}
