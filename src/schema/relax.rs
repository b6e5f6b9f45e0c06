//! The relaxed form of a schema: safe coercions, and required fields that may be missing.

use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Number, Value};

use super::{Schema, is_filled, limits};
use crate::domain::json::{self, Decimal};

/// Deepest that values are coerced; what lies below stays as it is.
const MAX_LEVELS: usize = 16;

impl Schema {
    /// `instance` in the relaxed form, or `None` when not even that is valid.
    ///
    /// Coercions lose nothing: `"3"` for 3 and 3 for `"3"`, `"true"` for true, one value for a list of it, an enum
    /// value in other letter case; a null or an undeclared property that the schema refuses is dropped. After that
    /// nothing may be wrong but that required properties are missing, and at least one property must be filled.
    pub fn relax(&self, mut instance: Value) -> Option<Value> {
        if self.max_depth.is_some_and(|limit| limits::is_deeper(&instance, limit)) {
            return None;
        }
        self.coerce(&self.json, &mut instance, 0);
        let only_missing = self
            .validator
            .iter_errors(&instance)
            .all(|error| matches!(error.kind(), ValidationErrorKind::Required { .. }));
        let is_something = instance.as_object().is_some_and(|object| object.values().any(is_filled));
        (only_missing && is_something).then_some(instance)
    }

    fn coerce(&self, schema: &Value, value: &mut Value, level: usize) {
        let schema = self.dereference(schema);
        if level > MAX_LEVELS {
            return;
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            to_enum(values, value);
        }
        if let Some(kind) = the_type(schema).filter(|kind| !is_of(kind, value)) {
            to_type(kind, value);
        }
        match value {
            Value::Object(members) => self.coerce_members(schema, members, level),
            Value::Array(elements) => {
                if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
                    elements.iter_mut().for_each(|element| self.coerce(items, element, level + 1));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn coerce_members(&self, schema: &Value, members: &mut Map<String, Value>, level: usize) {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        let refuses_null = |name: &str| {
            let property = properties.get(name).map(|property| self.dereference(property));
            property.and_then(the_type).is_some_and(|kind| kind != "null")
        };
        members.retain(|name, value| {
            let is_declared = properties.contains_key(name) || schema.get("patternProperties").is_some();
            (is_declared || !is_closed) && !(value.is_null() && refuses_null(name))
        });
        for (name, value) in members {
            if let Some(property) = properties.get(name) {
                self.coerce(property, value, level + 1);
            }
        }
    }
}

/// The only type that a schema names.
fn the_type(schema: &Value) -> Option<&str> {
    schema.get("type").and_then(Value::as_str)
}

fn is_of(kind: &str, value: &Value) -> bool {
    match (kind, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        ("integer", Value::Number(number)) => json::is_integer_literal(number),
        _ => false,
    }
}

fn to_enum(values: &[Value], value: &mut Value) {
    if values.contains(value) {
        return;
    }
    let Some(text) = value.as_str() else { return };
    let mut alike = values.iter().filter(|one| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(text.trim())));
    if let (Some(one), None) = (alike.next(), alike.next()) {
        *value = one.clone();
    }
}

fn to_type(kind: &str, value: &mut Value) {
    let text = value.as_str().map(str::trim);
    let coerced = match (kind, text) {
        ("integer", Some(text)) => json::number(text)
            .filter(json::is_integer_literal)
            .map(Value::Number)
            .or_else(|| text.parse::<i64>().ok().map(Value::from)),
        ("integer", None) => value.as_number().and_then(whole),
        // A number keeps its digits; other spellings of one (`+1`, `.5`) become what they mean.
        ("number", Some(text)) => {
            json::number(text).or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64)).map(Value::Number)
        }
        ("boolean", Some(text)) if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        ("boolean", Some(text)) if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        ("string", None) if value.is_number() || value.is_boolean() => Some(Value::String(value.to_string())),
        ("array", _) if !value.is_null() => Some(Value::Array(vec![value.clone()])),
        _ => None,
    };
    if let Some(coerced) = coerced {
        *value = coerced;
    }
}

/// `3.0` as 3, where that is the same number; what a double holds exactly.
fn whole(number: &Number) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let double = number.as_f64().filter(|double| double.fract() == 0.0 && double.abs() <= EXACT)?;
    #[allow(clippy::cast_possible_truncation, reason = "it has no fraction and is in range")]
    let integer = Number::from(double as i64);
    (Decimal::of(integer.as_str()) == Decimal::of(number.as_str())).then_some(Value::Number(integer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Schema {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["intent", "count"],
            "properties": {
                "intent": { "enum": ["refund", "other"] },
                "count": { "type": "integer" },
                "price": { "type": "number" },
                "urgent": { "type": "boolean" },
                "order": { "type": "string", "pattern": "^A" },
                "tags": { "type": "array", "items": { "type": "string" } },
            },
        });
        Schema::compile("relax", "1.0.0", schema).unwrap()
    }

    #[test]
    fn values_of_a_wrong_type_are_coerced_where_nothing_is_lost() {
        let answer = json!({
            "intent": "REFUND", "count": "3", "price": "1.5", "urgent": "True", "tags": 7, "extra": 1, "order": null,
        });
        let relaxed = schema().relax(answer).unwrap();
        let wanted = json!({ "intent": "refund", "count": 3, "price": 1.5, "urgent": true, "tags": ["7"] });
        assert_eq!(relaxed, wanted);
        assert_eq!(
            schema().relax(json!({ "intent": "other", "count": 3.0 })),
            Some(json!({ "intent": "other", "count": 3 }))
        );
    }

    #[test]
    fn numbers_keep_their_digits() {
        let answer =
            json!({ "intent": "other", "count": " 500105175407324931000123 ", "price": "0.10000000000000000001" });
        let relaxed = schema().relax(answer).unwrap().to_string();
        assert_eq!(relaxed, r#"{"intent":"other","count":500105175407324931000123,"price":0.10000000000000000001}"#);
        let text = json::parse(r#"{"intent":"other","tags":[500105175407324931000123,1.10]}"#).unwrap();
        assert_eq!(schema().relax(text).unwrap()["tags"], json!(["500105175407324931000123", "1.10"]));
    }

    #[test]
    fn only_what_is_whole_becomes_an_integer() {
        let relaxed = |number: &str| {
            let answer = json::parse(&format!(r#"{{"intent":"other","count":{number}}}"#)).unwrap();
            schema().relax(answer).map(|relaxed| relaxed["count"].to_string())
        };
        assert_eq!(["3.0", "-0.30e1", "3E2"].map(relaxed), ["3", "-3", "300"].map(|whole| Some(whole.to_owned())));
        for broken in ["3.00000000000000001", "9007199254740991.9999", "1e-400"] {
            assert_eq!(relaxed(broken), None, "{broken}");
        }
        assert_eq!(relaxed("9007199254740993.0").as_deref(), Some("9007199254740993.0"), "it is one as it is");
    }

    #[test]
    fn required_properties_may_be_missing_but_not_all() {
        assert_eq!(schema().relax(json!({ "count": 1 })), Some(json!({ "count": 1 })));
        assert_eq!(schema().relax(json!({})), None);
        assert_eq!(schema().relax(json!({ "tags": [] })), None);
    }

    #[test]
    fn what_is_wrong_stays_wrong() {
        for wrong in
            [json!({ "count": 3.5 }), json!({ "count": "three" }), json!({ "order": "B" }), json!({ "intent": "sue" })]
        {
            assert_eq!(schema().relax(wrong.clone()), None, "{wrong}");
        }
    }
}
