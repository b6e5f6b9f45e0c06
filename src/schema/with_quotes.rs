//! The schema of an answer that quotes its input: the data, and beside it what each value is taken from.
//!
//! ```json
//! { "data": { "amount": 64.9 }, "evidence": [{ "field": "/amount", "quotes": ["send back my 64,90 €"] }] }
//! ```

use serde_json::{Map, Value, json};

use super::keywords::subschemas;
use super::reference::id_keyword;

/// The member that has the data.
pub const DATA: &str = "data";
/// The member that has the quotes.
pub const EVIDENCE: &str = "evidence";
/// The value that quotes are for, as a JSON Pointer into the data.
pub const FIELD: &str = "field";
/// The quotes.
pub const QUOTES: &str = "quotes";

/// Keywords that stay at the root: which draft it is, and where references expect definitions.
const OF_THE_ROOT: [&str; 3] = ["$schema", "$defs", "definitions"];
/// Where the schema of the data is.
const DATA_POINTER: &str = "/properties/data";

/// The schema of an answer whose data has this schema.
pub fn with_quotes(schema: &Value) -> Value {
    let mut data = schema.clone();
    redirect(&mut data);
    let mut root = Map::new();
    if let Some(members) = data.as_object_mut() {
        members.shift_remove(id_keyword(schema));
        for keyword in OF_THE_ROOT {
            root.extend(members.shift_remove(keyword).map(|value| (keyword.to_owned(), value)));
        }
    }
    let quotes = json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                FIELD: { "type": "string" },
                QUOTES: { "type": "array", "items": { "type": "string" } },
            },
            "required": [FIELD, QUOTES],
            "additionalProperties": false,
        },
    });
    root.insert("type".to_owned(), "object".into());
    root.insert("properties".to_owned(), json!({ DATA: data, EVIDENCE: quotes }));
    root.insert("required".to_owned(), json!([DATA, EVIDENCE]));
    root.insert("additionalProperties".to_owned(), false.into());
    Value::Object(root)
}

/// Makes references lead to where their targets will be.
fn redirect(schema: &mut Value) {
    let id = schema.get(id_keyword(schema)).and_then(Value::as_str).unwrap_or_default();
    let id = id.trim_end_matches('#').to_owned();
    let (mut open, mut references) = (vec![(String::new(), &*schema)], Vec::new());
    while let Some((pointer, schema)) = open.pop() {
        let Some(members) = schema.as_object() else { continue };
        open.extend(subschemas(members).into_iter().map(|(tokens, inner, _)| (format!("{pointer}{tokens}"), inner)));
        for keyword in ["$ref", "$dynamicRef"] {
            let target = members.get(keyword).and_then(Value::as_str);
            references.extend(target.map(|target| (pointer.clone(), keyword, redirected(&id, target))));
        }
    }
    for (pointer, keyword, target) in references {
        if let Some(members) = schema.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            members.insert(keyword.to_owned(), target.into());
        }
    }
}

/// A reference within a document of this id, seen from the new root. Anchors stay what they are.
fn redirected(id: &str, reference: &str) -> String {
    let fragment = reference.strip_prefix(id).unwrap_or(reference);
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    let is_definition = OF_THE_ROOT.iter().any(|keyword| {
        let rest = fragment.strip_prefix('/').and_then(|rest| rest.strip_prefix(keyword));
        rest.is_some_and(|rest| rest.starts_with('/'))
    });
    let is_pointer = fragment.is_empty() || fragment.starts_with('/');
    if is_pointer && !is_definition { format!("#{DATA_POINTER}{fragment}") } else { format!("#{fragment}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::dialect::{Dialect, compile};
    use crate::schema::{Schema, library};

    fn answer(data: &Value) -> Value {
        json!({ "data": data, "evidence": [{ "field": "/a", "quotes": ["x"] }] })
    }

    #[test]
    fn what_is_valid_with_quotes_is_what_is_valid_without() {
        let tree = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://a.example/tree",
            "type": "object",
            "properties": {
                "name": { "$ref": "#/$defs/name" },
                "$ref": { "const": "#/$defs/name" },
                "left": { "$ref": "#" },
                "right": { "$ref": "https://a.example/tree#/properties/left" },
                "alias": { "$ref": "#word" },
            },
            "required": ["name"],
            "additionalProperties": false,
            "$defs": { "name": { "$anchor": "word", "type": "string", "minLength": 2 } },
        });
        let draft_4 = json!({
            "$schema": "http://json-schema.org/draft-04/schema#", "id": "urn:x", "type": "object",
            "properties": { "n": { "$ref": "#/definitions/n" } },
            "definitions": { "n": { "type": "integer", "minimum": 1, "exclusiveMinimum": true } },
        });
        let (name, child) = (json!({ "name": "ab" }), json!({ "name": "ab", "left": { "name": "b" } }));
        for (schema, data, is_valid) in [
            (&tree, name.clone(), true),
            (&tree, json!({ "name": "a" }), false),
            (&tree, json!({ "name": "ab", "left": name, "right": name, "alias": "cd" }), true),
            (&tree, child.clone(), false),
            (&tree, json!({ "name": "ab", "right": child }), false),
            (&tree, json!({ "name": "ab", "alias": "c" }), false),
            (&tree, json!({ "name": "ab", "$ref": "#/$defs/name" }), true),
            (&draft_4, json!({ "n": 2 }), true),
            (&draft_4, json!({ "n": 1 }), false),
        ] {
            let [alone, quoted] =
                [schema.clone(), with_quotes(schema)].map(|it| Schema::compile("s", "1.0.0", it).unwrap());
            assert_eq!(alone.validate(&data).is_ok(), is_valid, "{data}");
            assert_eq!(quoted.validate(&answer(&data)).is_ok(), is_valid, "{data} with quotes");
        }
    }

    #[test]
    fn providers_enforce_it_where_they_enforce_the_schema_itself() {
        for name in ["support-intent", "invoice", "form", "extraction"] {
            let schema = library::find(name).unwrap();
            for dialect in Dialect::ALL {
                let [alone, quoted] =
                    [schema.asked().clone(), with_quotes(schema.asked())].map(|it| compile(dialect, &it));
                assert_eq!(quoted.is_strict, alone.is_strict, "{name} {dialect:?}");
                assert_eq!(quoted.losses.len(), alone.losses.len(), "{name} {dialect:?}");
            }
        }
    }
}
