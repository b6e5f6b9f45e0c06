//! JSON values as JSON Schema compares them.

use serde_json::Value;

use crate::domain::json::Decimal;

pub(in crate::schema::dialect) use crate::domain::json::equal as is_same;

/// Whether a list has the value.
pub(in crate::schema::dialect) fn contains(values: &[Value], value: &Value) -> bool {
    values.iter().any(|one| is_same(one, value))
}

/// Whether a value is of a type of JSON Schema.
pub(in crate::schema::dialect) fn is_of_type(value: &Value, name: &str) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => name == "number" || (name == "integer" && Decimal::of(number.as_str()).is_whole()),
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
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
        let parsed = |text: &str| crate::domain::json::parse(text).unwrap();
        assert!(!is_same(&parsed("0.12345678901234567891"), &parsed("0.12345678901234567892")));
        assert!(is_same(&parsed("1e400"), &parsed("10e399")) && is_of_type(&parsed("1e400"), "integer"));
        assert!(!is_of_type(&parsed("0.99999999999999999999"), "integer"));
        assert!(is_of_type(&json!(2.0), "integer") && !is_of_type(&json!(2.5), "integer"));
    }
}
