//! Whether a part of the later schema says the same as a part of the earlier one, whatever their notes say.

use serde_json::{Map, Value};

use super::Comparison;
use crate::schema::keywords::{Keyword, Role, find};

/// Deepest that two parts are compared; below, they count as different. References that lead back to themselves end
/// here, too.
const MAX_LEVELS: usize = 24;

impl<'a> Comparison<'a> {
    /// Whether two subschemas say the same.
    pub(super) fn is_same(&mut self, earlier: &'a Map<String, Value>, later: &'a Map<String, Value>) -> bool {
        self.is_same_schema(earlier, later, MAX_LEVELS)
    }

    /// Whether a keyword says the same with both values, as far as it depends on nothing beside it.
    pub(super) fn is_same_keyword(&mut self, name: &str, earlier: &'a Value, later: &'a Value) -> bool {
        self.is_same_value(name, earlier, later, MAX_LEVELS)
    }

    fn is_same_schema(
        &mut self,
        earlier: &'a Map<String, Value>,
        later: &'a Map<String, Value>,
        levels: usize,
    ) -> bool {
        let Some(levels) = levels.checked_sub(1) else { return false };
        if !self.steps.take(earlier.len() + later.len()) {
            return false;
        }
        let (earlier_document, later_document) = (self.earlier, self.later);
        let is_missing = |name: &&String| {
            says_something(name) && earlier_document.keyword(earlier, name).is_some() && !later.contains_key(*name)
        };
        if earlier.keys().any(|name| is_missing(&name)) {
            return false;
        }
        for name in later.keys().filter(|name| says_something(name)) {
            let Some(value) = later_document.keyword(later, name) else { continue };
            let is_same = match earlier_document.keyword(earlier, name) {
                Some(before) => self.is_same_value(name, before, value, levels),
                None => false,
            };
            if !is_same {
                return false;
            }
        }
        true
    }

    fn is_same_value(&mut self, name: &str, earlier: &'a Value, later: &'a Value, levels: usize) -> bool {
        let role = find(name).map(|Keyword { role, .. }| *role);
        match (role, earlier, later) {
            (Some(Role::Reference), Value::String(before), Value::String(after)) if name == "$ref" => {
                match (self.earlier.target(before), self.later.target(after)) {
                    (Some((_, before)), Some((_, after))) => self.is_same_subschema(before, after, levels),
                    _ => false,
                }
            }
            // What the others mean depends on where they are reached from.
            (Some(Role::Reference), ..) => false,
            (Some(Role::ChildMap | Role::InPlaceMap), Value::Object(before), Value::Object(after)) => {
                let pair = |name: &String| Some((before.get(name)?, after.get(name)?));
                before.len() == after.len()
                    && before.keys().all(|name| {
                        pair(name).is_some_and(|(before, after)| self.is_same_subschema(before, after, levels))
                    })
            }
            (Some(Role::Child(_) | Role::InPlace), Value::Array(before), Value::Array(after)) => {
                let mut pairs = before.iter().zip(after);
                before.len() == after.len()
                    && pairs.all(|(before, after)| self.is_same_subschema(before, after, levels))
            }
            (Some(Role::Child(_) | Role::InPlace), ..) => self.is_same_subschema(earlier, later, levels),
            _ => self.steps.take(later.as_array().map_or(1, Vec::len)) && earlier == later,
        }
    }

    /// Lists of names count as well: some keywords take them in the place of a schema.
    fn is_same_subschema(&mut self, earlier: &'a Value, later: &'a Value, levels: usize) -> bool {
        match (earlier, later) {
            (Value::Object(earlier), Value::Object(later)) => self.is_same_schema(earlier, later, levels),
            _ => earlier == later,
        }
    }
}

/// Whether a keyword of this name can make a difference.
fn says_something(name: &str) -> bool {
    !matches!(find(name), None | Some(Keyword { role: Role::Annotation | Role::Definitions, .. }))
}
