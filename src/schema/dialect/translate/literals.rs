//! Literal values, for a dialect whose `enum` holds strings and numbers only.

use serde_json::{Map, Value, json};

use super::{Effect, Translation, is_primitive};

impl Translation<'_> {
    /// The values of `enum` or `const`, if nulls or booleans are among them and the dialect has no place for those.
    pub(super) fn odd_literals(&self, schema: &Map<String, Value>) -> Option<Vec<Value>> {
        if self.rules.has_odd_literals {
            return None;
        }
        let values = match (schema.get("enum"), schema.get("const")) {
            (Some(values), None) => values.as_array()?.clone(),
            (None, Some(value)) => vec![value.clone()],
            (None, None) | (Some(_), Some(_)) => return None,
        };
        (values.iter().any(is_odd) && values.iter().all(is_primitive)).then_some(values)
    }

    /// Says null and booleans by their types, beside an `enum` of the others.
    pub(super) fn literals(
        &mut self,
        values: &[Value],
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        left: &mut Map<String, Value>,
        at: &str,
    ) -> Option<()> {
        let keyword = if schema.contains_key("enum") { "enum" } else { "const" };
        let types = types(schema);
        let is_allowed = |value: &&Value| types.is_empty() || types.iter().any(|kind| is_of(value, kind));
        let allowed: Vec<&Value> = values.iter().filter(is_allowed).collect();
        let plain: Vec<&Value> = allowed.iter().filter(|value| !is_odd(value)).copied().collect();
        let mut branches = Vec::new();
        if !plain.is_empty() {
            let kinds: Vec<_> = types.into_iter().filter(|kind| plain.iter().any(|value| is_of(value, kind))).collect();
            branches.push(match kinds.as_slice() {
                [] => json!({ "enum": plain }),
                [one] => json!({ "type": one, "enum": plain }),
                several => json!({ "type": several, "enum": plain }),
            });
        }
        let has = |wanted: &Value| allowed.contains(&wanted);
        if has(&Value::Null) {
            branches.push(json!({ "type": "null" }));
        }
        let both = [true, false].map(|wanted| has(&wanted.into()));
        if both != [false, false] {
            branches.push(json!({ "type": "boolean" }));
        }
        if both[0] != both[1] {
            left.insert(keyword.to_owned(), schema.get(keyword).cloned().unwrap_or_default());
        }
        let has_branches = ["anyOf", "oneOf", "allOf"].iter().any(|keyword| schema.contains_key(*keyword));
        match (branches.len(), branches.pop()) {
            (1, Some(Value::Object(only))) => out.extend(only),
            (2.., Some(last)) if !has_branches => {
                branches.push(last);
                out.insert("anyOf".to_owned(), branches.into());
            }
            _ => {
                self.lose(at, keyword, Effect::Inexpressible);
                return None;
            }
        }
        Some(())
    }
}

fn is_odd(value: &Value) -> bool {
    value.is_null() || value.is_boolean()
}

pub(super) fn types(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match value {
        Value::Null => kind == "null",
        Value::Bool(_) => kind == "boolean",
        Value::Number(number) => kind == "number" || (kind == "integer" && !number.is_f64()),
        Value::String(_) => kind == "string",
        Value::Array(_) | Value::Object(_) => false,
    }
}
