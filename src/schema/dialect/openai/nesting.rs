//! How deep objects lie in each other, through references.

use std::collections::HashMap;

use serde_json::Value;

use super::{MAX_DEPTH, MAX_OBJECT_DEPTH, resolve};
use crate::schema::dialect::subschemas;

/// Levels of objects in an instance, the root's among them. A way back to where it came from ends a level: that is recursion,
/// which strict mode takes.
pub(super) fn levels(root: &Value) -> u32 {
    Levels { root, on_the_way: vec!["#"], known: HashMap::new() }.of(root)
}

struct Levels<'a> {
    root: &'a Value,
    on_the_way: Vec<&'a str>,
    known: HashMap<&'a str, u32>,
}

impl<'a> Levels<'a> {
    fn of(&mut self, schema: &'a Value) -> u32 {
        let Some(members) = schema.as_object() else { return 0 };
        let mut deepest = members.get("$ref").and_then(Value::as_str).map_or(0, |target| self.behind(target));
        for (tokens, inner) in subschemas(members) {
            // Definitions count where something refers to them.
            if !tokens.starts_with("/$defs/") && !tokens.starts_with("/definitions/") {
                deepest = deepest.max(self.of(inner));
            }
        }
        deepest + u32::from(members.contains_key("properties"))
    }

    fn behind(&mut self, target: &'a str) -> u32 {
        if self.on_the_way.contains(&target) {
            return 0;
        }
        if let Some(levels) = self.known.get(target) {
            return *levels;
        }
        if self.on_the_way.len() >= MAX_DEPTH as usize {
            return MAX_OBJECT_DEPTH + 1;
        }
        self.on_the_way.push(target);
        let levels = resolve(self.root, target).map_or(0, |schema| self.of(schema));
        self.on_the_way.pop();
        self.known.insert(target, levels);
        levels
    }
}
