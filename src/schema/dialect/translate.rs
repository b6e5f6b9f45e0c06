//! Translation by rules, for the dialects that differ only in what they know.

use serde_json::{Map, Value, json};

use super::rules::Rules;
use super::{Effect, Loss, join};

mod definitions;
mod literals;

/// Keywords whose meaning no description can carry.
const INEXPRESSIBLE: [&str; 18] = [
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "patternProperties",
    "propertyNames",
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

/// Keywords that say nothing about what is valid and are left out in silence.
const SILENT: [&str; 8] =
    ["default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema", "$vocabulary"];

/// Bounds our own recursion.
const MAX_DEPTH: usize = 64;

/// The schema by these rules, or `None` when it cannot be said; and what is lost.
pub(super) fn translate(schema: &Value, rules: &Rules) -> (Option<Value>, Vec<Loss>) {
    let mut translation = Translation { root: schema, rules, losses: Vec::new(), definition: None, is_optional: false };
    let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
    let translated = if is_object { translation.schema(schema, "", 0) } else { None };
    if !is_object {
        translation.lose("", "type", Effect::Inexpressible);
    }
    (translated, translation.losses)
}

struct Translation<'a> {
    root: &'a Value,
    rules: &'a Rules,
    losses: Vec<Loss>,
    /// The definition that is being translated, as references name it.
    definition: Option<String>,
    /// Whether the place lies, within the definition, in a property that may be absent.
    is_optional: bool,
}

impl Translation<'_> {
    fn lose(&mut self, pointer: &str, keyword: &str, effect: Effect) {
        self.losses.push(Loss { pointer: pointer.to_owned(), keyword: keyword.to_owned(), effect });
    }

    fn schema(&mut self, schema: &Value, pointer: &str, depth: usize) -> Option<Value> {
        let Some(schema) = schema.as_object().filter(|_| depth <= MAX_DEPTH) else {
            self.lose(pointer, "", Effect::Inexpressible);
            return None;
        };
        let mut is_sayable = true;
        let is_unsayable = |keyword: &str| {
            INEXPRESSIBLE.contains(&keyword)
                || (keyword == "$id" && depth > 0)
                || (keyword == "allOf" && !self.rules.has_all_of)
                || (keyword == "prefixItems" && !self.rules.has_prefix_items)
        };
        for keyword in schema.keys().filter(|keyword| is_unsayable(keyword)).cloned().collect::<Vec<_>>() {
            self.lose(pointer, &keyword, Effect::Inexpressible);
            is_sayable = false;
        }
        let mut out = Map::new();
        is_sayable &= self.definitions(schema, &mut out, pointer, depth).is_some();
        if let Some(reference) = schema.get("$ref") {
            self.reference(schema, reference, &mut out, pointer)?;
            return is_sayable.then_some(out.into());
        }
        let mut left = Map::new();
        is_sayable &= self.keywords(schema, &mut out, &mut left, pointer, depth).is_some();
        self.describe(schema, &mut out, &left, pointer);
        is_sayable.then_some(out.into())
    }

    /// Everything but references and definitions; what is not known goes to `left`.
    fn keywords(
        &mut self,
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        left: &mut Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Option<()> {
        let odd = self.odd_literals(schema);
        let mut is_sayable = match &odd {
            Some(values) => self.literals(values, schema, out, left, at).is_some(),
            None => self.types(schema, out, at, depth).is_some(),
        };
        for (keyword, value) in schema {
            match keyword.as_str() {
                "type" | "description" | "$ref" | "$defs" | "definitions" | "$id" | "id" => {}
                "properties" | "required" | "additionalProperties" | "items" | "prefixItems" => {}
                "anyOf" | "oneOf" | "allOf" => is_sayable &= self.branches(keyword, value, out, at, depth).is_some(),
                "enum" | "const" if odd.is_some() => {}
                "enum" => self.values(value, out, left),
                "const" if self.rules.has_const && is_primitive(value) => {
                    drop(out.insert(keyword.clone(), value.clone()))
                }
                "const" => self.values(&json!([value]), out, left),
                "format" if value.as_str().is_some_and(|format| self.rules.formats.contains(&format)) => {
                    out.insert(keyword.clone(), value.clone());
                }
                "minItems" if self.knows_min_items(value) => drop(out.insert(keyword.clone(), value.clone())),
                known if self.rules.copied.contains(&known) => drop(out.insert(keyword.clone(), value.clone())),
                silent if SILENT.contains(&silent) || INEXPRESSIBLE.contains(&silent) => {}
                _ => drop(left.insert(keyword.clone(), value.clone())),
            }
        }
        is_sayable.then_some(())
    }

    fn knows_min_items(&self, value: &Value) -> bool {
        let known = self.rules.max_min_items;
        known.is_some_and(|most| value.as_u64().is_some_and(|items| items <= most))
    }

    fn values(&self, values: &Value, out: &mut Map<String, Value>, left: &mut Map<String, Value>) {
        let is_known = values.as_array().is_some_and(|values| values.iter().all(is_primitive));
        let target = if is_known { out } else { left };
        target.insert("enum".to_owned(), values.clone());
    }

    fn branches(
        &mut self,
        keyword: &str,
        value: &Value,
        out: &mut Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Option<()> {
        let pointer = join(at, keyword);
        let mut branches = Vec::new();
        for (index, branch) in value.as_array().into_iter().flatten().enumerate() {
            branches.push(self.schema(branch, &format!("{pointer}/{index}"), depth + 1));
        }
        // Anthropic knows no `oneOf`, and Gemini reads it as `anyOf`.
        let target = if keyword == "oneOf" { "anyOf" } else { keyword };
        if keyword == "oneOf" {
            self.lose(at, keyword, Effect::AnyOf);
        }
        let is_object = |branch: &Value| branch.get("properties").is_some() || branch.get("$ref").is_some();
        let excludes_all = keyword == "allOf" && branches.iter().flatten().any(is_object);
        if out.contains_key(target) || (excludes_all && self.rules.closes_objects) {
            // `anyOf` beside `oneOf`: only one of them can be said. And objects that are each closed have no instance in
            // common.
            self.lose(at, keyword, Effect::Inexpressible);
            return None;
        }
        let branches: Vec<Value> = branches.into_iter().collect::<Option<_>>()?;
        out.insert(target.to_owned(), branches.into());
        Some(())
    }

    fn types(
        &mut self,
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Option<()> {
        let types = literals::types(schema);
        let says_something =
            ["enum", "const", "anyOf", "oneOf", "allOf"].iter().any(|keyword| schema.contains_key(*keyword));
        if types.is_empty() && !says_something {
            self.lose(at, "type", Effect::Inexpressible);
            return None;
        }
        // Literals carry their types.
        let is_literal = schema.contains_key("enum") || schema.contains_key("const");
        if types.len() > 1 && !self.rules.has_type_lists && !is_literal {
            return self.union(&types, schema, out, at, depth);
        }
        let mut is_sayable = true;
        if types.contains(&"object") {
            is_sayable &= self.object(schema, out, at, depth).is_some();
        }
        if types.contains(&"array") {
            is_sayable &= self.array(schema, out, at, depth).is_some();
        }
        match types.as_slice() {
            [] => {}
            _ if is_literal && !self.rules.has_type_lists => {}
            [one] => drop(out.insert("type".to_owned(), json!(one))),
            several => drop(out.insert("type".to_owned(), json!(several))),
        }
        is_sayable.then_some(())
    }

    /// A list of types as an `anyOf` of one type each.
    fn union(
        &mut self,
        types: &[&str],
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Option<()> {
        if let Some(keyword) = ["anyOf", "oneOf", "allOf"].iter().find(|keyword| schema.contains_key(**keyword)) {
            self.lose(at, keyword, Effect::Inexpressible);
            return None;
        }
        let mut is_sayable = true;
        let mut branches: Vec<Value> = Vec::new();
        for one in types {
            let mut branch = Map::new();
            match *one {
                "object" => is_sayable &= self.object(schema, &mut branch, at, depth).is_some(),
                "array" => is_sayable &= self.array(schema, &mut branch, at, depth).is_some(),
                _ => {}
            }
            branch.insert("type".to_owned(), json!(one));
            branches.push(branch.into());
        }
        out.insert("anyOf".to_owned(), branches.into());
        is_sayable.then_some(())
    }

    fn object(
        &mut self,
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Option<()> {
        let mut is_sayable = true;
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let additional = schema.get("additionalProperties");
        let is_map = additional.is_some_and(Value::is_object)
            || (properties.is_empty() && additional != Some(&Value::Bool(false)));
        if self.rules.closes_objects && is_map {
            self.lose(at, "additionalProperties", Effect::Inexpressible);
            return None;
        }
        let required: Vec<&str> = super::required(schema);
        if required.iter().any(|name| !properties.contains_key(*name)) {
            // Closed objects could never have it, and Gemini refuses it.
            self.lose(at, "required", Effect::Inexpressible);
            is_sayable = false;
        }
        let mut translated = Map::new();
        let pointer = join(at, "properties");
        let is_optional = self.is_optional;
        for (name, property) in properties {
            self.is_optional = is_optional || !required.contains(&name.as_str());
            match self.schema(property, &join(&pointer, name), depth + 1) {
                Some(property) => drop(translated.insert(name.clone(), property)),
                None => is_sayable = false,
            }
        }
        self.is_optional = is_optional;
        if let Some(required) = schema.get("required") {
            out.insert("required".to_owned(), required.clone());
        }
        out.insert("properties".to_owned(), translated.into());
        match additional {
            _ if self.rules.closes_objects => drop(out.insert("additionalProperties".to_owned(), false.into())),
            Some(inner @ Value::Object(_)) => match self.schema(inner, &join(at, "additionalProperties"), depth + 1) {
                Some(inner) => drop(out.insert("additionalProperties".to_owned(), inner)),
                None => is_sayable = false,
            },
            Some(other) => drop(out.insert("additionalProperties".to_owned(), other.clone())),
            None => {}
        }
        is_sayable.then_some(())
    }

    fn array(
        &mut self,
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Option<()> {
        let mut is_sayable = true;
        match schema.get("items") {
            None => {}
            Some(items @ Value::Object(_)) => match self.schema(items, &join(at, "items"), depth + 1) {
                Some(items) => drop(out.insert("items".to_owned(), items)),
                None => is_sayable = false,
            },
            Some(Value::Bool(true)) => {}
            // A list of schemas (drafts before 2020-12), or `false`.
            Some(_) => {
                self.lose(at, "items", Effect::Inexpressible);
                is_sayable = false;
            }
        }
        if let Some(prefix) = schema.get("prefixItems").filter(|_| self.rules.has_prefix_items) {
            is_sayable &= self.branches("prefixItems", prefix, out, at, depth).is_some();
        }
        is_sayable.then_some(())
    }

    /// The description, with what is not known appended, so that the model may follow it.
    fn describe(
        &mut self,
        schema: &Map<String, Value>,
        out: &mut Map<String, Value>,
        left: &Map<String, Value>,
        at: &str,
    ) {
        let mut text = schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !left.is_empty() {
            let rest: Vec<String> = left.iter().map(|(keyword, value)| format!("{keyword}: {value}")).collect();
            let gap = if text.is_empty() { "" } else { "\n\n" };
            text.push_str(&format!("{gap}{{{}}}", rest.join(", ")));
        }
        for keyword in left.keys() {
            self.lose(at, keyword, Effect::Described);
        }
        if !text.is_empty() {
            out.insert("description".to_owned(), text.into());
        }
    }
}

fn is_primitive(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}
