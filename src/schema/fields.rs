//! The fields that a schema names, with the values that it names for them: what does not depend on what answers say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::reference;
use crate::domain::json::pointer;

/// Deepest that fields are looked for.
const MAX_LEVELS: usize = 8;
/// Most fields of one schema.
const MAX_FIELDS: usize = 500;
/// Most subschemas that are read. References may lead to the same one again and again.
const MAX_READ: usize = 20_000;
/// Most named values of one field.
const MAX_VALUES: usize = 100;

/// The fields of a schema, as a tree.
#[derive(Debug, Default)]
pub struct SchemaFields {
    root: Node,
    is_cut: bool,
}

/// One field, or an object or array with others.
#[derive(Debug, Default)]
struct Node {
    /// JSON Pointer of such values, with `*` for each index.
    name: String,
    members: BTreeMap<String, Node>,
    items: Option<Box<Node>>,
    values: BTreeSet<String>,
}

/// A field as the schema has it.
#[derive(Debug, Clone, Copy)]
pub struct NamedField<'a>(&'a Node);

impl SchemaFields {
    /// The fields of a schema.
    pub fn of(schema: &Value) -> Self {
        let mut root = Node::default();
        let mut reader = Reader { root: schema, left: MAX_FIELDS, to_read: MAX_READ };
        reader.read(schema, &mut root, 0);
        Self { root, is_cut: reader.left == 0 || reader.to_read == 0 }
    }

    /// Whether the schema may name more of them than were read.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The field that a JSON Pointer into an answer leads to, if the schema names it.
    pub fn find(&self, pointer: &str) -> Option<NamedField<'_>> {
        let mut node = &self.root;
        for name in pointer::tokens(pointer) {
            node = node.members.get(&*name).or(node.items.as_deref())?;
        }
        Some(NamedField(node))
    }

    /// The first of these names that no field has, as far as all fields were read. They are JSON Pointers with `*` for
    /// each index.
    pub fn first_unknown<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
        names.into_iter().find(|name| !self.is_cut && self.find(name).is_none())
    }
}

impl<'a> NamedField<'a> {
    /// Its JSON Pointer, with `*` for each index: `/items/*/price`.
    pub fn name(self) -> &'a str {
        &self.0.name
    }

    /// The name of a value, if the schema names it: that of an enum, true or false.
    pub fn value(self, value: &Value) -> Option<&'a str> {
        self.0.values.get(&text(value)?).map(String::as_str)
    }
}

/// The text of a value that can be in an enum; null is counted otherwise.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

struct Reader<'a> {
    root: &'a Value,
    left: usize,
    to_read: usize,
}

impl Reader<'_> {
    fn read(&mut self, schema: &Value, node: &mut Node, level: usize) {
        let Some(members) = schema.as_object().filter(|_| level <= MAX_LEVELS && self.to_read > 0) else { return };
        self.to_read -= 1;
        if let Some(target) = members.get("$ref").and_then(Value::as_str)
            && let Ok((_, target)) = reference::resolve(self.root, target)
        {
            self.read(target, node, level + 1);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for part in members.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.read(part, node, level + 1);
            }
        }
        read_values(members, node);
        for (name, property) in members.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if let Some(child) = self.child(node, name) {
                self.read(property, child, level + 1);
            }
        }
        for items in ["items", "prefixItems"].iter().filter_map(|keyword| members.get(*keyword)) {
            let schemas = items.as_array().map_or(std::slice::from_ref(items), Vec::as_slice);
            let name = format!("{}/*", node.name);
            let child = node.items.get_or_insert_with(|| Box::new(Node { name, ..Node::default() }));
            schemas.iter().for_each(|schema| self.read(schema, child, level + 1));
        }
    }

    fn child<'n>(&mut self, node: &'n mut Node, name: &str) -> Option<&'n mut Node> {
        if !node.members.contains_key(name) {
            self.left = self.left.checked_sub(1)?;
            let child = Node { name: pointer::join(&node.name, name), ..Node::default() };
            node.members.insert(name.to_owned(), child);
        }
        node.members.get_mut(name)
    }
}

fn read_values(members: &Map<String, Value>, node: &mut Node) {
    let named = members.get("enum").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let values = named.iter().chain(members.get("const")).filter_map(text);
    node.values.extend(values.take(MAX_VALUES));
    if members
        .get("type")
        .is_some_and(|kind| kind == "boolean" || kind.as_array().is_some_and(|all| all.contains(&"boolean".into())))
    {
        node.values.extend(["true", "false"].map(str::to_owned));
    }
    while node.values.len() > MAX_VALUES {
        node.values.pop_last();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::domain::cpu_time::CpuTime;

    #[test]
    fn fields_and_values_are_those_that_the_schema_names() {
        let fields = SchemaFields::of(&json!({
            "type": "object",
            "properties": {
                "intent": { "anyOf": [{ "enum": ["refund", 3] }, { "type": "null" }] },
                "items": { "type": "array", "items": { "$ref": "#/$defs/item" } },
                "a/b": { "type": ["boolean", "null"] },
            },
            "$defs": { "item": { "properties": { "price": { "type": "number" }, "part": { "$ref": "#/$defs/item" } } } },
        }));
        let name = |pointer: &str| fields.find(pointer).map(NamedField::name);
        assert_eq!(name("/intent"), Some("/intent"));
        assert_eq!(name("/items/17/price"), Some("/items/*/price"));
        assert_eq!(name("/items/0/part/price"), Some("/items/*/part/price"));
        assert_eq!(name("/a~1b"), Some("/a~1b"));
        for unnamed in ["/other", "/items/0/other", "/intent/0", "/items/0/price/x"] {
            assert_eq!(name(unnamed), None, "{unnamed}");
        }
        assert_eq!(fields.first_unknown(["/items/*/price", "/intent", "/total"]), Some("/total"));
        assert_eq!(fields.first_unknown(["", "/a~1b"]), None);
        let value = |pointer: &str, value: Value| fields.find(pointer).and_then(|field| field.value(&value));
        assert_eq!(value("/intent", json!("refund")), Some("refund"));
        assert_eq!(value("/intent", json!(3)), Some("3"));
        assert_eq!(value("/a~1b", json!(true)), Some("true"));
        assert_eq!((value("/intent", json!("new")), value("/intent", Value::Null)), (None, None));
    }

    #[test]
    fn a_schema_that_refers_to_itself_has_a_bounded_number_of_fields() {
        let reference = json!({ "$ref": "#" });
        let properties: Map<String, Value> = (0..20).map(|n| (n.to_string(), reference.clone())).collect();
        let fields = SchemaFields::of(&json!({ "type": "object", "properties": properties }));
        fn count(node: &Node) -> usize {
            node.members.values().map(|child| 1 + count(child)).sum()
        }
        assert_eq!((count(&fields.root), fields.is_cut()), (MAX_FIELDS, true));
    }

    #[test]
    fn a_schema_that_leads_back_to_itself_many_times_is_read_soon() {
        let back: Vec<Value> = vec![json!({ "$ref": "#" }); 3_000];
        let begun = CpuTime::now();
        for keyword in ["anyOf", "allOf", "prefixItems"] {
            SchemaFields::of(&json!({ "properties": { "a": { keyword: back }, "b": { "items": { keyword: back } } } }));
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}
