//! The fields that a schema names, with the values that it names for them: what does not depend on what answers say.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use serde_json::{Map, Value};

use super::reference;
use crate::domain::json::pointer;

/// Deepest that fields are looked for: levels of the answer, whatever the schema takes to describe one.
pub const MAX_LEVELS: usize = 8;
/// Most fields of one schema.
const MAX_FIELDS: usize = 500;
/// Most subschemas that are read. References may lead to the same one again and again.
const MAX_READ: usize = 20_000;
/// Most named values of one field.
const MAX_VALUES: usize = 100;

/// The fields of a schema, as a tree.
#[derive(Debug)]
pub struct SchemaFields {
    /// The first is the answer itself; the others are found by their places here.
    nodes: Vec<Node>,
    /// Whether the schema names more of them than were read.
    is_cut: bool,
}

/// One field, or an object or array with others.
#[derive(Debug, Default)]
struct Node {
    /// JSON Pointer of such values, with `*` for each index.
    name: String,
    members: BTreeMap<String, usize>,
    items: Option<usize>,
    values: BTreeSet<String>,
}

/// A field as the schema has it.
#[derive(Debug, Clone, Copy)]
pub struct NamedField<'a>(&'a Node);

impl SchemaFields {
    /// The fields of a schema. Those of the outer levels come first, so that they are known where there are too many.
    pub fn of(schema: &Value) -> Self {
        let mut fields = Self { nodes: vec![Node::default()], is_cut: false };
        let mut reader = Reader { root: schema, left: MAX_READ, is_cut: false };
        let mut open = VecDeque::from([Place { node: 0, schemas: vec![schema], level: 0 }]);
        while let Some(Place { node, schemas, level }) = open.pop_front() {
            let layers = reader.layers(schemas);
            layers.iter().for_each(|layer| read_values(layer, &mut fields.nodes[node]));
            if level == MAX_LEVELS {
                continue;
            }
            for (name, schemas) in members(&layers) {
                let Some(member) = fields.add(pointer::join(&fields.nodes[node].name, name)) else { break };
                fields.nodes[node].members.insert(name.clone(), member);
                open.push_back(Place { node: member, schemas, level: level + 1 });
            }
            if let Some(schemas) = items(&layers)
                && let Some(item) = fields.add(format!("{}/*", fields.nodes[node].name))
            {
                fields.nodes[node].items = Some(item);
                open.push_back(Place { node: item, schemas, level: level + 1 });
            }
        }
        fields.is_cut |= reader.is_cut;
        fields
    }

    /// A new field, as long as there are not too many.
    fn add(&mut self, name: String) -> Option<usize> {
        let place = self.nodes.len();
        if place > MAX_FIELDS {
            self.is_cut = true;
            return None;
        }
        self.nodes.push(Node { name, ..Node::default() });
        Some(place)
    }

    /// The field that a JSON Pointer into an answer leads to, if the schema names it.
    pub fn find(&self, pointer: &str) -> Option<NamedField<'_>> {
        let mut node = self.nodes.first()?;
        for name in pointer::tokens(pointer) {
            node = self.nodes.get(*node.members.get(&*name).or(node.items.as_ref())?)?;
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

/// A field whose schemas are still to be read.
struct Place<'a> {
    node: usize,
    /// All of them hold for it.
    schemas: Vec<&'a Value>,
    level: usize,
}

struct Reader<'a> {
    root: &'a Value,
    /// Subschemas that may still be read.
    left: usize,
    is_cut: bool,
}

impl<'a> Reader<'a> {
    /// What describes the same values as these schemas: themselves, and what references, `allOf` and unions lead to.
    fn layers(&mut self, schemas: Vec<&'a Value>) -> Vec<&'a Map<String, Value>> {
        let (mut layers, mut known, mut open) = (Vec::new(), HashSet::new(), schemas);
        open.reverse();
        while let Some(schema) = open.pop() {
            let Some(members) = schema.as_object() else { continue };
            let Some(left) = self.left.checked_sub(1) else {
                self.is_cut = true;
                break;
            };
            self.left = left;
            // One that leads back to itself says nothing more the second time.
            if !known.insert(std::ptr::from_ref(schema)) {
                continue;
            }
            layers.push(members);
            let parts = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|keyword| members.get(keyword)?.as_array());
            open.extend(parts.flat_map(|parts| parts.iter().rev()));
            let reference = members.get("$ref").and_then(Value::as_str);
            let target = reference.and_then(|reference| reference::resolve(self.root, reference).ok());
            open.extend(target.map(|(_, target)| target));
        }
        layers
    }
}

/// The properties of all layers, each name once.
fn members<'a>(layers: &[&'a Map<String, Value>]) -> BTreeMap<&'a String, Vec<&'a Value>> {
    let mut members: BTreeMap<&String, Vec<&Value>> = BTreeMap::new();
    for (name, schema) in layers.iter().filter_map(|layer| layer.get("properties")?.as_object()).flatten() {
        members.entry(name).or_default().push(schema);
    }
    members
}

/// The schemas of the items; `None` where there can be none. An array may say nothing about them.
fn items<'a>(layers: &[&'a Map<String, Value>]) -> Option<Vec<&'a Value>> {
    let named = |keyword| layers.iter().filter_map(move |layer| layer.get(keyword));
    let items = named("items").chain(named("prefixItems"));
    let items: Vec<&Value> =
        items.flat_map(|items| items.as_array().map_or(std::slice::from_ref(items), Vec::as_slice)).collect();
    let is_array = named("type").any(|kind| is_type(kind, "array"));
    (is_array || !items.is_empty()).then_some(items)
}

/// Whether a `type` allows values of this one.
fn is_type(kind: &Value, name: &str) -> bool {
    kind == name || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == name))
}

fn read_values(members: &Map<String, Value>, node: &mut Node) {
    let named = members.get("enum").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let values = named.iter().chain(members.get("const")).filter_map(text);
    node.values.extend(values.take(MAX_VALUES));
    if members.get("type").is_some_and(|kind| is_type(kind, "boolean")) {
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
        assert_eq!((fields.nodes.len() - 1, fields.is_cut), (MAX_FIELDS, true));
        assert!((0..20).all(|n| fields.find(&format!("/{n}")).is_some()), "the outer ones are there in any case");
    }

    #[test]
    fn a_schema_of_as_many_fields_as_can_be_is_read_to_its_end() {
        let with = |number: usize| {
            let properties: Map<String, Value> = (0..number).map(|n| (n.to_string(), json!({}))).collect();
            SchemaFields::of(&json!({ "type": "object", "properties": properties })).is_cut
        };
        assert_eq!([with(MAX_FIELDS), with(MAX_FIELDS + 1)], [false, true]);
    }

    #[test]
    fn levels_are_those_of_answers_however_the_schema_describes_them() {
        let nullable = |inner: Value| json!({ "anyOf": [{ "allOf": [{ "allOf": [inner] }] }, { "type": "null" }] });
        let mut schema = json!({ "type": "string" });
        for _ in 0..MAX_LEVELS {
            schema = nullable(json!({ "properties": { "in": schema, "list": { "type": ["array", "null"] } } }));
        }
        let fields = SchemaFields::of(&schema);
        let deepest = "/in".repeat(MAX_LEVELS);
        assert_eq!(fields.first_unknown([&*deepest, "/in/list/*", &deepest[3..]]), None);
        assert_eq!(fields.first_unknown([&*format!("{deepest}/in"), ""]).map(str::len), Some(deepest.len() + 3));
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
