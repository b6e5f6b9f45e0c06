//! A JSON Schema as those see it who fill or compare values: one kind, perhaps nullable, its constraints looked up through references.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::reference::resolve;

/// References and combinators followed before giving up on a schema.
const MAX_HOPS: usize = 16;

/// The kinds of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    /// A fixed list of values, of whatever type.
    Choice,
    Null,
}

/// One schema with what `$ref`, `allOf` and nullable unions add to it.
#[derive(Debug, Clone)]
pub(crate) struct Node<'s> {
    /// The outermost comes first and wins, so a title beside a `$ref` hides the referenced one.
    layers: Vec<&'s Map<String, Value>>,
    /// Whether `null` is allowed.
    pub(crate) nullable: bool,
    /// Values of an `anyOf` or `oneOf` of constants, with the words that describe them.
    constants: Vec<(&'s Value, String)>,
}

impl<'s> Node<'s> {
    /// Reads `schema`, following references within `root`.
    pub(crate) fn new(root: &'s Value, schema: &'s Value) -> Self {
        Self::of_all(root, &[schema])
    }

    /// Reads schemas that all hold for one value.
    pub(crate) fn of_all(root: &'s Value, schemas: &[&'s Value]) -> Self {
        let mut node = Self { layers: Vec::new(), nullable: false, constants: Vec::new() };
        let mut hops = 0;
        let mut next: Vec<&Value> = schemas.iter().rev().copied().collect();
        while let Some(schema) = next.pop() {
            hops += 1;
            let Some(map) = schema.as_object().filter(|_| hops <= MAX_HOPS) else { continue };
            node.layers.push(map);
            node.nullable |= allows_null(map);
            let reference = map.get("$ref").and_then(Value::as_str).and_then(|at| resolve(root, at).ok());
            next.extend(map.get("allOf").and_then(Value::as_array).into_iter().flatten().rev().take(MAX_HOPS));
            next.extend(reference.map(|(_, target)| target));
            if let Some(union) = map.get("anyOf").or_else(|| map.get("oneOf")).and_then(Value::as_array) {
                next.extend(node.union(union));
            }
        }
        node
    }

    /// Takes what a union says; the branch to follow, if it is not about constants.
    fn union(&mut self, branches: &'s [Value]) -> Option<&'s Value> {
        let is_null = |branch: &Value| branch.get("type").and_then(Value::as_str) == Some("null");
        self.nullable |= branches.iter().any(is_null);
        let constants = branches.iter().filter_map(|branch| Some((branch.get("const")?, described(branch))));
        let constants: Vec<_> = constants.collect();
        if constants.is_empty() {
            return branches.iter().find(|branch| !is_null(branch));
        }
        self.constants.extend(constants);
        None
    }

    /// The keyword `key` of the outermost layer that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&'s Value> {
        self.layers.iter().find_map(|layer| layer.get(key))
    }

    /// The keyword `key` as text, or an empty string.
    pub(crate) fn text(&self, key: &str) -> &'s str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The keyword `key` as a count.
    pub(crate) fn count(&self, key: &str) -> Option<usize> {
        self.get(key)?.as_u64().and_then(|count| usize::try_from(count).ok())
    }

    /// The keyword `key` as a number.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.get(key)?.as_f64()
    }

    /// What to fill.
    pub(crate) fn kind(&self) -> Kind {
        if !self.constants.is_empty() || self.get("enum").is_some_and(Value::is_array) {
            return Kind::Choice;
        }
        let named = self.get("type").and_then(|kind| match kind {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").or(Some("null")),
            Value::String(kind) => Some(kind.as_str()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        });
        match named {
            Some("object") => Kind::Object,
            Some("array") => Kind::Array,
            Some("integer") => Kind::Integer,
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Boolean,
            Some("null") => Kind::Null,
            None if self.get("properties").is_some() => Kind::Object,
            None if self.get("items").is_some() => Kind::Array,
            Some(_) | None => Kind::String,
        }
    }

    /// The values to choose from, each with words that describe it. Without `null`.
    pub(crate) fn choices(&self) -> Vec<(&'s Value, &str)> {
        let listed = self.get("enum").and_then(Value::as_array).into_iter().flatten().map(|value| (value, ""));
        let constants = self.constants.iter().map(|(value, words)| (*value, words.as_str()));
        constants.chain(listed).filter(|(value, _)| !value.is_null()).collect()
    }

    /// The properties of all layers, in their order.
    pub(crate) fn properties(&self) -> impl Iterator<Item = (&'s String, &'s Value)> + '_ {
        self.layers.iter().filter_map(|layer| layer.get("properties")?.as_object()).flatten()
    }

    /// The same, each name once with all that the layers say of it.
    pub(crate) fn properties_by_name(&self) -> Vec<(&'s String, Vec<&'s Value>)> {
        let mut properties: Vec<(&String, Vec<&Value>)> = Vec::new();
        let mut places = HashMap::new();
        for (name, schema) in self.properties() {
            let place = *places.entry(name).or_insert(properties.len());
            match properties.get_mut(place) {
                Some((_, schemas)) => schemas.push(schema),
                None => properties.push((name, vec![schema])),
            }
        }
        properties
    }

    /// Whether the property `name` must be present.
    pub(crate) fn requires(&self, name: &str) -> bool {
        let lists = self.layers.iter().filter_map(|layer| layer.get("required")?.as_array());
        lists.flatten().any(|required| required.as_str() == Some(name))
    }
}

fn allows_null(map: &Map<String, Value>) -> bool {
    let listed = |key| map.get(key).and_then(Value::as_array);
    listed("type").is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
        || listed("enum").is_some_and(|values| values.iter().any(Value::is_null))
        || map.get("nullable") == Some(&Value::Bool(true))
}

fn described(branch: &Value) -> String {
    let text = |key: &str| branch.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("title"), text("description"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_and_unions_are_looked_through() {
        let root = json!({"$defs": {
            "Mood": {"enum": ["good", "bad"], "title": "Inner"},
            "Loop": {"$ref": "#/$defs/Loop"},
        }});
        let schema = json!({"anyOf": [{"$ref": "#/$defs/Mood"}, {"type": "null"}], "title": "Outer"});
        let node = Node::new(&root, &schema);
        assert_eq!(
            (node.kind(), node.nullable, node.text("title"), node.choices().len()),
            (Kind::Choice, true, "Outer", 2)
        );

        assert_eq!(Node::new(&root, &json!({"$ref": "#/$defs/Loop"})).kind(), Kind::String);
        let described = json!({"oneOf": [{"const": "a", "description": "First"}, {"const": "b"}]});
        assert_eq!(Node::new(&root, &described).choices()[0], (&json!("a"), " First"));
        assert_eq!(Node::new(&root, &json!({"type": ["null", "integer"]})).kind(), Kind::Integer);
    }
}
