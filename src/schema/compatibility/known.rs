//! What the earlier schema says of the values at a place.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::document::Document;
use super::types::Types;

/// Deepest that types are looked for in alternatives and behind references; below, a value may be of any.
const MAX_TYPE_LEVELS: usize = 6;

/// What is known of the values at a place. To know less is never wrong.
#[derive(Clone)]
pub(super) struct Known<'a> {
    /// Schemas under which all of them are valid.
    pub(super) schemas: Vec<&'a Map<String, Value>>,
    /// The types that they may have; none where there can be no value.
    pub(super) types: Types,
    /// Lists of schemas of which each value is valid under one at least.
    alternatives: Vec<&'a [Value]>,
}

/// Two are the same if they come from the same places of the document.
impl PartialEq for Known<'_> {
    fn eq(&self, other: &Self) -> bool {
        let schemas = self.schemas.iter().map(|schema| std::ptr::from_ref(*schema));
        let lists = self.alternatives.iter().map(|list| list.as_ptr());
        self.types == other.types
            && schemas.eq(other.schemas.iter().map(|schema| std::ptr::from_ref(*schema)))
            && lists.eq(other.alternatives.iter().map(|list| list.as_ptr()))
    }
}

impl<'a> Known<'a> {
    /// What these schemas say together.
    pub(super) fn of(document: &Document<'a>, schemas: &[&'a Value]) -> Self {
        let nothing = Self { schemas: Vec::new(), types: Types::ALL, alternatives: Vec::new() };
        schemas.iter().fold(nothing, |known, schema| known.and(document, schema))
    }

    /// The same of values that are valid under this schema as well.
    pub(super) fn and(&self, document: &Document<'a>, schema: &'a Value) -> Self {
        let mut known = self.clone();
        let mut open = vec![schema];
        while let Some(schema) = open.pop().filter(|_| document.steps.take(1)) {
            known.types = known.types.and(types(document, schema, MAX_TYPE_LEVELS));
            let Value::Object(members) = schema else { continue };
            if known.schemas.iter().any(|one| std::ptr::eq(*one, members)) {
                continue;
            }
            known.schemas.push(members);
            let list = |name| document.keyword(members, name).and_then(Value::as_array);
            known.alternatives.extend(["anyOf", "oneOf"].into_iter().filter_map(list).map(Vec::as_slice));
            open.extend(list("allOf").into_iter().flatten());
            let target = document.keyword(members, "$ref").and_then(Value::as_str);
            open.extend(target.and_then(|target| document.target(target)).map(|(_, target)| target));
        }
        known
    }

    /// The same of values of these types only.
    pub(super) fn of_types(&self, types: Types) -> Self {
        Self { types: self.types.and(types), ..self.clone() }
    }

    /// A list of alternatives, and what is known beside it.
    pub(super) fn split(&self) -> Option<(&'a [Value], Self)> {
        let (first, rest) = self.alternatives.split_first()?;
        Some((first, Self { alternatives: rest.to_vec(), ..self.clone() }))
    }

    /// Whether nothing is known.
    pub(super) fn is_anything(&self) -> bool {
        self.schemas.is_empty() && self.types == Types::ALL
    }

    /// All values that there can be, where they can be listed. Each stands for all spellings of its numbers.
    pub(super) fn values(&self, document: &Document<'a>) -> Option<Vec<Value>> {
        let lists = self.schemas.iter().filter_map(|schema| {
            let one = document.keyword(schema, "const").map(std::slice::from_ref);
            one.or_else(|| document.keyword(schema, "enum").and_then(Value::as_array).map(Vec::as_slice))
        });
        if let Some(shortest) = lists.min_by_key(|list| list.len()) {
            let is_possible = |value: &&Value| !self.types.and(Types::of_value(value, document.draft)).is_empty();
            let is_paid = document.steps.take(shortest.len());
            return is_paid.then(|| shortest.iter().filter(is_possible).cloned().collect());
        }
        let few = Types::NULL.or(Types::BOOLEAN);
        let all = [Value::Null, Value::Bool(false), Value::Bool(true)];
        let is_possible = |value: &Value| Types::of_value(value, document.draft).is_within(self.types);
        self.types.is_within(few).then(|| all.into_iter().filter(is_possible).collect())
    }

    /// The properties that every object has.
    pub(super) fn required(&self, document: &Document<'a>) -> BTreeSet<&'a str> {
        let lists = self.schemas.iter().filter_map(|schema| document.keyword(schema, "required")?.as_array());
        lists.flatten().filter_map(Value::as_str).take_while(|_| document.steps.take(1)).collect()
    }

    /// The properties that any of the schemas declares.
    pub(super) fn declared(&self, document: &Document<'a>) -> BTreeSet<&'a str> {
        let properties = self.schemas.iter().filter_map(|schema| document.members(schema, "properties"));
        let names = properties.flat_map(|properties| properties.keys().map(String::as_str));
        names.take_while(|_| document.steps.take(1)).collect()
    }

    /// What is known of a property.
    pub(super) fn property(&self, document: &Document<'a>, name: &str) -> Self {
        let of = |schema: &&'a Map<String, Value>| {
            let declared = document.members(schema, "properties").and_then(|properties| properties.get(name));
            declared.or_else(|| without_patterns(document, schema))
        };
        self.of_part(document, of)
    }

    /// What is known of properties that no schema declares, where no pattern is for them.
    pub(super) fn other_properties(&self, document: &Document<'a>) -> Self {
        self.of_part(document, |schema| without_patterns(document, schema))
    }

    /// What is known of an array's item.
    pub(super) fn item(&self, document: &Document<'a>, index: usize) -> Self {
        let of = |schema: &&'a Map<String, Value>| {
            let (first, rest) = document.items(schema);
            first.get(index).or(rest)
        };
        self.of_part(document, of)
    }

    /// What is known of a part of the values, for which each schema may have a subschema.
    fn of_part(
        &self,
        document: &Document<'a>,
        subschema: impl Fn(&&'a Map<String, Value>) -> Option<&'a Value>,
    ) -> Self {
        let is_paid = document.steps.take(self.schemas.len().max(1));
        let schemas = self.schemas.iter().filter(|_| is_paid).filter_map(subschema);
        Self::of(document, &schemas.collect::<Vec<_>>())
    }

    /// The first index whose item is said no more of than of all that follow.
    pub(super) fn items_listed(&self, document: &Document<'a>) -> usize {
        self.schemas.iter().map(|schema| document.items(schema).0.len()).max().unwrap_or(0)
    }
}

/// The schema of properties that are not declared. Where there are patterns, it is not for all of those.
fn without_patterns<'a>(document: &Document<'a>, schema: &'a Map<String, Value>) -> Option<&'a Value> {
    let has_patterns = document.keyword(schema, "patternProperties").is_some();
    if has_patterns { None } else { document.keyword(schema, "additionalProperties") }
}

/// The types that a schema allows; all of them once there are no steps left.
fn types(document: &Document<'_>, schema: &Value, levels: usize) -> Types {
    let members = match schema {
        Value::Bool(false) => return Types::NONE,
        Value::Object(members) if levels > 0 && document.steps.take(1) => members,
        Value::Object(_) | Value::Null | Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Types::ALL;
        }
    };
    let list = |name| document.keyword(members, name).and_then(Value::as_array);
    let below = |schema: &Value| types(document, schema, levels - 1);
    let of_value = |value: &Value| Types::of_value(value, document.draft);
    let mut allowed = document.keyword(members, "type").map_or(Types::ALL, Types::of_keyword);
    if let Some(one) = document.keyword(members, "const") {
        allowed = allowed.and(of_value(one));
    }
    if let Some(values) = list("enum").filter(|values| document.steps.take(values.len())) {
        allowed = allowed.and(values.iter().map(of_value).fold(Types::NONE, Types::or));
    }
    for alternatives in ["anyOf", "oneOf"].into_iter().filter_map(list) {
        allowed = allowed.and(alternatives.iter().map(below).fold(Types::NONE, Types::or));
    }
    let target = document.keyword(members, "$ref").and_then(Value::as_str);
    let target = target.and_then(|target| document.target(target)).map(|(_, target)| target);
    let also = list("allOf").into_iter().flatten().chain(target);
    also.map(below).fold(allowed, Types::and)
}
