//! All schemas that describe one place: what `$ref`, `allOf` and unions lead to.

use std::ptr;

use serde_json::{Map, Value};

use crate::schema::reference::resolve;

/// Schemas that are taken together for one place.
const MAX_LAYERS: usize = 64;

/// The schemas of one place. What stands further outside comes first, and wins where one keyword is asked for.
pub(super) struct Layers<'s> {
    layers: Vec<Layer<'s>>,
}

struct Layer<'s> {
    keywords: &'s Map<String, Value>,
    /// Whether it describes every value of the place, not only those of one alternative.
    is_certain: bool,
}

impl<'s> Layers<'s> {
    /// Follows everything that describes the same values as `schemas`, within `root`.
    pub(super) fn new(root: &'s Value, schemas: &[&'s Value]) -> Self {
        let mut layers: Vec<Layer<'s>> = Vec::new();
        let mut open: Vec<(&Value, bool)> = schemas.iter().rev().map(|schema| (*schema, true)).collect();
        while let Some((schema, is_certain)) = open.pop() {
            let Some(keywords) = schema.as_object() else { continue };
            let is_known = layers.iter().any(|layer| ptr::eq(layer.keywords, keywords));
            if is_known || layers.len() >= MAX_LAYERS {
                continue;
            }
            layers.push(Layer { keywords, is_certain });
            let list = |keyword: &str| keywords.get(keyword).and_then(Value::as_array).into_iter().flatten();
            for union in ["oneOf", "anyOf"] {
                let branches: Vec<&Value> = list(union).filter(|branch| !is_null(branch)).take(MAX_LAYERS).collect();
                let is_only = branches.len() == 1;
                open.extend(branches.into_iter().rev().map(|branch| (branch, is_certain && is_only)));
            }
            let alternatives = ["else", "then"].into_iter().filter_map(|keyword| keywords.get(keyword));
            open.extend(alternatives.map(|schema| (schema, false)));
            open.extend(list("allOf").take(MAX_LAYERS).map(|schema| (schema, is_certain)));
            let reference = keywords.get("$ref").and_then(Value::as_str);
            let target = reference.and_then(|reference| resolve(root, reference).ok());
            open.extend(target.map(|(_, schema)| (schema, is_certain)));
        }
        Self { layers }
    }

    /// A keyword as text.
    pub(super) fn text(&self, keyword: &str) -> Option<&'s str> {
        self.values(keyword).find_map(Value::as_str)
    }

    /// A keyword as a count.
    pub(super) fn count(&self, keyword: &str) -> Option<u64> {
        self.values(keyword).find_map(Value::as_u64)
    }

    /// The values of `enum` and `const`.
    pub(super) fn choices(&self) -> Vec<&'s Value> {
        let listed = self.values("enum").filter_map(Value::as_array).flatten();
        listed.chain(self.values("const")).collect()
    }

    /// The properties that no alternative decides on.
    pub(super) fn listed(&self) -> Vec<String> {
        let certain = self.layers.iter().filter(|layer| layer.is_certain);
        let properties = certain.filter_map(|layer| layer.keywords.get("properties")?.as_object());
        let mut names: Vec<String> = Vec::new();
        for name in properties.flat_map(Map::keys) {
            if self.layers.len() == 1 || !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// The members of a keyword such as `properties`, each with all schemas that describe it.
    pub(super) fn members(&self, keyword: &str) -> Vec<(&'s String, Vec<&'s Value>)> {
        let mut found: Vec<(&String, Vec<&Value>)> = Vec::new();
        for (name, schema) in self.values(keyword).filter_map(Value::as_object).flatten() {
            let known = (self.layers.len() > 1).then(|| found.iter_mut().find(|(known, _)| *known == name));
            match known.flatten() {
                Some((_, schemas)) => schemas.push(schema),
                None => found.push((name, vec![schema])),
            }
        }
        found
    }

    /// The schemas that a keyword holds, each layer's.
    pub(super) fn schemas(&self, keyword: &str) -> Vec<&'s Value> {
        self.values(keyword).filter(|schema| schema.is_object()).collect()
    }

    /// The first list of schemas that a keyword holds.
    pub(super) fn lists(&self, keyword: &str) -> Option<&'s [Value]> {
        self.values(keyword).find_map(Value::as_array).map(Vec::as_slice)
    }

    fn values(&self, keyword: &str) -> impl Iterator<Item = &'s Value> {
        self.layers.iter().filter_map(move |layer| layer.keywords.get(keyword))
    }
}

/// Whether a branch of a union allows null and nothing else.
fn is_null(branch: &Value) -> bool {
    branch.get("type").and_then(Value::as_str) == Some("null") || branch.get("const").is_some_and(Value::is_null)
}
