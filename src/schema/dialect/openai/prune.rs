//! The way back from an answer in the strict dialect.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{MAX_DEPTH, allows, branches, required, resolve};

/// How many references and alternatives may follow on each other without going down in the answer.
const MAX_HOPS: u32 = 16;

/// Bounds the work on one answer: alternatives within references can multiply. What is left then stays as it is.
const MAX_STEPS: u32 = 200_000;

/// Removes from `answer` each null that only says that an optional property is absent. True if there was one.
///
/// `schema` is the original of a schema that `strict` could express, `answer` an instance of its strict form.
pub(in crate::schema::dialect) fn prune(schema: &Value, answer: &mut Value) -> bool {
    Shapes::of(schema).prune(schema, answer)
}

/// Compares answers with the strict forms of the subschemas of `root`.
pub(super) struct Shapes<'a> {
    root: &'a Value,
    steps: Cell<u32>,
}

impl<'a> Shapes<'a> {
    /// For a schema with its definitions.
    pub(super) fn of(root: &'a Value) -> Self {
        Self { root, steps: Cell::new(MAX_STEPS) }
    }

    /// Recursion follows the answer, which serde_json keeps within 128 levels.
    fn prune(&self, schema: &'a Value, answer: &mut Value) -> bool {
        let Some(schema) = self.settle(schema, answer) else { return false };
        let mut changed = false;
        match answer {
            Value::Object(members) => {
                let required = required(schema);
                for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                    let Some(member) = members.get_mut(name) else { continue };
                    if self.absent(property, member, required.contains(&name.as_str())) {
                        // `remove` of an order-preserving map would move the last member into the gap.
                        members.shift_remove(name);
                        changed = true;
                    } else {
                        changed |= self.prune(property, member);
                    }
                }
            }
            Value::Array(elements) => {
                let Some(items) = schema.get("items") else { return false };
                for element in elements {
                    changed |= self.prune(items, element);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        changed
    }

    /// Follows references, and of alternatives takes the first whose strict form the answer has.
    fn settle(&self, mut schema: &'a Value, answer: &Value) -> Option<&'a Map<String, Value>> {
        for _ in 0..MAX_HOPS {
            let object = schema.as_object()?;
            if let Some(reference) = object.get("$ref") {
                schema = resolve(self.root, reference.as_str()?)?;
            } else if let Some(branches) = branches(object) {
                schema = branches.iter().find(|branch| self.fit(branch, answer, MAX_DEPTH * 4))?;
            } else {
                return Some(object);
            }
        }
        None
    }

    /// Whether `answer` has the shape of the strict form of `schema`: types, enums, and exactly the declared properties.
    fn fit(&self, schema: &Value, answer: &Value, depth: u32) -> bool {
        let (Some(depth), Some(schema)) = (self.step(depth), schema.as_object()) else { return false };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return resolve(self.root, reference).is_some_and(|target| self.fit(target, answer, depth));
        }
        if let Some(branches) = branches(schema) {
            return branches.iter().any(|branch| self.fit(branch, answer, depth));
        }
        if !allows(schema, answer) {
            return false;
        }
        match answer {
            Value::Object(members) => {
                let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return false };
                let required = required(schema);
                members.len() == properties.len()
                    && properties.iter().all(|(name, property)| {
                        members.get(name).is_some_and(|member| {
                            self.absent(property, member, required.contains(&name.as_str()))
                                || self.fit(property, member, depth)
                        })
                    })
            }
            Value::Array(elements) => {
                schema.get("items").is_some_and(|items| elements.iter().all(|e| self.fit(items, e, depth)))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        }
    }

    /// Whether a null stands for an absent property.
    fn absent(&self, property: &Value, member: &Value, required: bool) -> bool {
        member.is_null() && !required && !self.accept_null(property, MAX_DEPTH)
    }

    /// Whether the original of a subschema allows null.
    pub(super) fn accept_null(&self, schema: &Value, depth: u32) -> bool {
        let (Some(depth), Some(schema)) = (self.step(depth), schema.as_object()) else { return false };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return resolve(self.root, reference).is_some_and(|target| self.accept_null(target, depth));
        }
        if let Some(branches) = branches(schema) {
            return branches.iter().any(|branch| self.accept_null(branch, depth));
        }
        allows(schema, &Value::Null)
    }

    /// One level deeper, one step less; `None` at either bound.
    fn step(&self, depth: u32) -> Option<u32> {
        self.steps.set(self.steps.get().checked_sub(1)?);
        depth.checked_sub(1)
    }
}
