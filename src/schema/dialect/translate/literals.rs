//! The values of `enum` and `const`.

use super::{Assertions, Effect, Form, Literals, Map, Translation, Value, is_of_type, json};
use crate::domain::json::pointer::join;
use crate::schema::keywords::{self, Role};

impl<'a> Translation<'a> {
    pub(super) fn literals(
        &mut self,
        form: &'a Form,
        own: &'a Assertions,
        values: &'a [Value],
        out: &mut Map<String, Value>,
        left: &mut Map<String, Value>,
    ) -> Option<()> {
        let keyword = keyword(own);
        let Some(types) = types_of(values) else {
            // Arrays and objects: no dialect has them in an enum.
            self.lose(own.place(keyword, &form.at), keyword, Effect::Inexpressible);
            return None;
        };
        // Those that the schema names, in its order; its values are of all of them.
        let types = own.types.clone().unwrap_or(types);
        // What else is said of values: nobody holds the list against it.
        let beside = own.others.iter().filter(|(other, _)| concerns(other, &types));
        left.extend(beside.map(|(other, value)| (other.clone(), value.clone())));
        self.counted.list(place(form, own), values);
        match self.rules.literals {
            Literals::Typed => {
                out.insert("type".to_owned(), if let [one] = types.as_slice() { json!(one) } else { json!(types) });
                out.insert("enum".to_owned(), json!(values));
            }
            Literals::Alone if keyword == "const" && self.rules.has_const => {
                out.insert("const".to_owned(), values.first().cloned().unwrap_or_default());
            }
            Literals::Alone => drop(out.insert("enum".to_owned(), json!(values))),
            Literals::StringsAndNumbers => return self.plain_literals(form, own, values, out, left),
        }
        Some(())
    }

    /// Says null and booleans by their types, beside an `enum` of the others.
    fn plain_literals(
        &mut self,
        form: &'a Form,
        own: &'a Assertions,
        values: &'a [Value],
        out: &mut Map<String, Value>,
        left: &mut Map<String, Value>,
    ) -> Option<()> {
        let plain: Vec<&Value> = values.iter().filter(|value| !value.is_null() && !value.is_boolean()).collect();
        let mut branches = Vec::new();
        if !plain.is_empty() {
            let declared = own.types.iter().flatten();
            let types: Vec<&str> =
                declared.copied().filter(|kind| plain.iter().any(|value| is_of_type(value, kind))).collect();
            branches.push(match types.as_slice() {
                [] => json!({ "enum": plain }),
                [one] => json!({ "type": one, "enum": plain }),
                several => json!({ "type": several, "enum": plain }),
            });
        }
        if values.contains(&Value::Null) {
            branches.push(json!({ "type": "null" }));
        }
        let both = [true, false].map(|wanted| values.contains(&wanted.into()));
        if both != [false, false] {
            branches.push(json!({ "type": "boolean" }));
        }
        if both[0] != both[1] {
            left.insert(keyword(own).to_owned(), json!(values));
        }
        match branches.as_mut_slice() {
            [Value::Object(only)] => out.append(only),
            _ => {
                self.counted.union(&form.at, "enum");
                out.insert("anyOf".to_owned(), branches.into());
            }
        }
        Some(())
    }
}

/// The keyword that lists the values.
fn keyword(own: &Assertions) -> &'static str {
    if own.places.contains_key("enum") { "enum" } else { "const" }
}

/// The place of the list.
pub(super) fn place(form: &Form, own: &Assertions) -> String {
    let keyword = keyword(own);
    join(own.place(keyword, &form.at), keyword)
}

/// The types of values, if none is an array or an object.
pub(super) fn types_of(values: &[Value]) -> Option<Vec<&'static str>> {
    let mut types: Vec<&'static str> = Vec::new();
    for value in values {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) | Value::Object(_) => return None,
        };
        if !types.contains(&name) {
            types.push(name);
        }
    }
    (!types.is_empty()).then_some(types)
}

/// Whether a keyword asserts something of values of these types.
pub(super) fn concerns(keyword: &str, types: &[&'static str]) -> bool {
    match keywords::find(keyword).map(|keyword| keyword.role) {
        Some(Role::Assertion(kind) | Role::Child(kind)) => {
            kind.is_empty() || types.contains(&kind) || (kind == "number" && types.contains(&"integer"))
        }
        Some(Role::ChildMap) => types.contains(&"object"),
        _ => true,
    }
}
