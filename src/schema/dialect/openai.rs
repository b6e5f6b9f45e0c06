//! The subset of JSON Schema that OpenAI's strict mode takes, and the way back from its answers.
//!
//! Strict mode wants every property required and every object closed
//! (<https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>). [`strict`] says "may be absent" as
//! "may be null"; [`mod@prune`] takes those nulls out of the answer again. What strict mode cannot enforce but does no harm
//! to leave out (`minLength`, `uniqueItems`, …) is left out: our own validation follows anyway.

use serde_json::{Map, Value, json};

use super::required;
pub(super) use losses::losses;
use prune::Shapes;
pub(super) use prune::prune;

mod losses;
mod nesting;
mod prune;

/// Keywords whose meaning would be lost with them: a schema that has one is not expressible.
const INEXPRESSIBLE: &[&str] = &[
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "patternProperties",
    "propertyNames",
    "prefixItems",
    "additionalItems",
    "contains",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
];

/// Keywords that are copied as they are.
const COPIED: &[&str] = &[
    "title",
    "description",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
];

/// Keywords that may stand beside `$ref` and `anyOf` without changing what is valid.
const ANNOTATIONS: &[&str] = &["title", "description", "default", "examples", "deprecated", "$comment", "$schema"];

/// Values of `format` that strict mode knows.
const FORMATS: &[&str] = &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// OpenAI's limits on a schema.
const MAX_OBJECT_DEPTH: u32 = 10;
const MAX_PROPERTIES: usize = 5000;
const MAX_ENUM_VALUES: usize = 1000;
const MAX_NAME_CHARS: usize = 120_000;

/// Bounds our own recursion on schemas that nest without objects.
const MAX_DEPTH: u32 = 64;

/// The schema in the strict dialect; `None` when it cannot be expressed there.
pub(super) fn strict(schema: &Value) -> Option<Value> {
    let mut translation = Translation { root: schema, properties: 0, enum_values: 0, name_chars: 0 };
    let root = translation.root()?;
    translation.excess().is_none().then_some(root)
}

struct Translation<'a> {
    root: &'a Value,
    properties: usize,
    enum_values: usize,
    name_chars: usize,
}

impl Translation<'_> {
    fn root(&mut self) -> Option<Value> {
        let schema = self.root;
        if schema.get("type").and_then(Value::as_str) != Some("object") || schema.get("$ref").is_some() {
            return None;
        }
        let mut root = self.schema(schema, 0)?;
        for keyword in ["$defs", "definitions"] {
            let Some(definitions) = schema.get(keyword) else { continue };
            let mut translated = Map::new();
            for (name, definition) in definitions.as_object()? {
                self.name_chars += name.len();
                translated.insert(name.clone(), self.schema(definition, 0)?);
            }
            root.as_object_mut()?.insert(keyword.to_owned(), translated.into());
        }
        Some(root)
    }

    /// The keyword of which the schema has too much.
    fn excess(&self) -> Option<&'static str> {
        let has_long_names = self.name_chars > MAX_NAME_CHARS;
        let is_deep = || nesting::levels(self.root) > MAX_OBJECT_DEPTH;
        match () {
            () if self.enum_values > MAX_ENUM_VALUES => Some("enum"),
            () if self.properties > MAX_PROPERTIES || has_long_names || is_deep() => Some("properties"),
            () => None,
        }
    }

    fn schema(&mut self, schema: &Value, depth: u32) -> Option<Value> {
        let depth = depth + 1;
        let schema = schema.as_object()?;
        let nested_id = depth > 1 && schema.contains_key("$id");
        if depth > MAX_DEPTH || nested_id || INEXPRESSIBLE.iter().any(|k| schema.contains_key(*k)) {
            return None;
        }
        if let Some(reference) = schema.get("$ref") {
            return self.reference(schema, reference);
        }
        if let Some((keyword, branches)) = ["anyOf", "oneOf"].iter().find_map(|k| Some((*k, schema.get(*k)?))) {
            return self.any_of(schema, keyword, branches, depth);
        }
        self.plain(schema, depth)
    }

    fn reference(&self, schema: &Map<String, Value>, reference: &Value) -> Option<Value> {
        let pointer = reference.as_str()?;
        let target = resolve(self.root, pointer)?;
        let local = pointer == "#" || pointer.starts_with("#/$defs/") || pointer.starts_with("#/definitions/");
        // A path into a definition would point at what the translation may have moved.
        let whole = pointer.matches('/').count() <= 2;
        if !local || !whole || !target.is_object() || !only(schema, "$ref") {
            return None;
        }
        let link = json!({ "$ref": reference });
        let mut annotated = copied(schema);
        if annotated.is_empty() {
            return Some(link);
        }
        // Strict mode takes nothing beside `$ref`.
        annotated.insert("anyOf".to_owned(), json!([link]));
        Some(annotated.into())
    }

    fn any_of(&mut self, schema: &Map<String, Value>, keyword: &str, branches: &Value, depth: u32) -> Option<Value> {
        if !only(schema, keyword) {
            return None;
        }
        let branches: Option<Vec<Value>> = branches.as_array()?.iter().map(|b| self.schema(b, depth)).collect();
        let mut translated = copied(schema);
        translated.insert("anyOf".to_owned(), branches.filter(|b| !b.is_empty())?.into());
        Some(translated.into())
    }

    fn plain(&mut self, schema: &Map<String, Value>, depth: u32) -> Option<Value> {
        let mut translated = copied(schema);
        let values = match (schema.get("const"), schema.get("enum")) {
            (Some(value), None) => Some(vec![value.clone()]),
            (None, Some(values)) => Some(values.as_array()?.clone()),
            (None, None) => None,
            (Some(_), Some(_)) => return None,
        };
        let types = match schema.get("type") {
            Some(types) => types.clone(),
            None => types_of(values.as_ref()?)?,
        };
        if has_type(&types, "object") {
            self.object(schema, &mut translated, depth)?;
        }
        if has_type(&types, "array") {
            let items = self.schema(schema.get("items")?, depth)?;
            translated.insert("items".to_owned(), items);
        }
        for (keyword, known) in [("format", known_format as fn(&str) -> bool), ("pattern", plain_pattern)] {
            if let Some(text) = schema.get(keyword).and_then(Value::as_str).filter(|text| known(text)) {
                translated.insert(keyword.to_owned(), text.into());
            }
        }
        if let Some(values) = values {
            self.enum_values += values.len();
            translated.insert("enum".to_owned(), values.into());
        }
        translated.insert("type".to_owned(), types);
        Some(translated.into())
    }

    fn object(&mut self, schema: &Map<String, Value>, out: &mut Map<String, Value>, depth: u32) -> Option<()> {
        // A map from arbitrary names to values is not expressible; an object that merely is not closed is closed.
        let open = schema.get("additionalProperties").is_some_and(Value::is_object);
        let properties = schema.get("properties")?.as_object()?;
        let required = required(schema);
        if open || required.iter().any(|name| !properties.contains_key(*name)) {
            return None;
        }
        let mut translated = Map::new();
        for (name, property) in properties {
            self.properties += 1;
            self.name_chars += name.len();
            let strict = self.schema(property, depth)?;
            let optional =
                !required.contains(&name.as_str()) && !Shapes::of(self.root).accept_null(property, MAX_DEPTH);
            translated.insert(name.clone(), if optional { nullable(strict) } else { strict });
        }
        let names: Vec<Value> = translated.keys().map(|name| name.as_str().into()).collect();
        out.insert("properties".to_owned(), translated.into());
        out.insert("required".to_owned(), names.into());
        out.insert("additionalProperties".to_owned(), false.into());
        Some(())
    }
}

/// Whether `type`, `enum` and `const` of a schema allow a value.
fn allows(schema: &Map<String, Value>, value: &Value) -> bool {
    let typed = schema.get("type").is_none_or(|types| {
        has_type(types, type_of(value))
            || (has_type(types, "integer") && value.as_f64().is_some_and(|n| n.fract() == 0.0))
    });
    typed
        && schema.get("const").is_none_or(|only| only == value)
        && schema.get("enum").and_then(Value::as_array).is_none_or(|values| values.contains(value))
}

/// The schema, or null: in the form that strict mode takes.
fn nullable(mut schema: Value) -> Value {
    if let Some(branches) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        branches.push(json!({ "type": "null" }));
        return schema;
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push("null".into()),
        Some(one) => *one = json!([one.clone(), "null"]),
        None => return json!({ "anyOf": [schema, { "type": "null" }] }),
    }
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut)
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    schema
}

fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

fn branches(schema: &Map<String, Value>) -> Option<&Vec<Value>> {
    schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()
}

fn copied(schema: &Map<String, Value>) -> Map<String, Value> {
    schema.iter().filter(|(k, v)| is_copied(k, v)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Draft 4 has booleans where later ones have the limit itself.
fn is_copied(keyword: &str, value: &Value) -> bool {
    COPIED.contains(&keyword) && !(keyword.starts_with("exclusive") && value.is_boolean())
}

/// Whether nothing but annotations stands beside `keyword`.
fn only(schema: &Map<String, Value>, keyword: &str) -> bool {
    schema.keys().all(|k| k == keyword || ANNOTATIONS.contains(&k.as_str()))
}

fn has_type(types: &Value, name: &str) -> bool {
    match types {
        Value::String(one) => one == name,
        Value::Array(several) => several.iter().any(|one| one == name),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The types of enum values, where the schema leaves `type` out. Strict mode wants one, and only scalars are useful there.
fn types_of(values: &[Value]) -> Option<Value> {
    let mut types: Vec<&str> = Vec::new();
    for value in values {
        let name = type_of(value);
        if matches!(name, "array" | "object") {
            return None;
        }
        if !types.contains(&name) {
            types.push(name);
        }
    }
    match types.as_slice() {
        [] => None,
        [one] => Some(json!(one)),
        several => Some(json!(several)),
    }
}

fn known_format(format: &str) -> bool {
    FORMATS.contains(&format)
}

/// Strict mode's regular expressions have neither look-around nor back-references.
fn plain_pattern(pattern: &str) -> bool {
    !pattern.contains("(?") && !pattern.as_bytes().windows(2).any(|w| w[0] == b'\\' && w[1].is_ascii_digit())
}

#[cfg(test)]
mod tests;
