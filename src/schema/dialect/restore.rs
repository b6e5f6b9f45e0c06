//! The way back from an answer in a dialect: nulls that stand for absent properties.

use std::cell::Cell;

use serde_json::Value;

use super::form::{Additional, Assertions, Document, Form, Shape, contains, is_of_type};
use super::translate::accepts_null;

/// How many references and alternatives may follow on each other without going down in the answer.
const MAX_HOPS: u32 = 16;

/// Deepest that an answer is compared with a form.
const MAX_DEPTH: u32 = 256;

/// Bounds the work on one answer: alternatives within references can multiply. What is left then stays as it is.
const MAX_STEPS: u32 = 200_000;

/// Removes from `answer` each null that only says that an optional property is absent. True if there was one.
pub(super) fn restore(document: &Document, answer: &mut Value) -> bool {
    Restoration { document, steps: Cell::new(MAX_STEPS) }.prune(&document.root, answer)
}

struct Restoration<'a> {
    document: &'a Document,
    steps: Cell<u32>,
}

impl<'a> Restoration<'a> {
    /// Recursion follows the answer, which serde_json keeps within 127 levels.
    fn prune(&self, form: &'a Form, answer: &mut Value) -> bool {
        let Some(own) = self.settle(form, answer) else { return false };
        let mut changed = false;
        match answer {
            Value::Object(members) => {
                for (name, property) in &own.properties {
                    let Some(member) = members.get_mut(name) else { continue };
                    if self.is_absent(property, member, own.requires(name)) {
                        // `remove` of an order-preserving map would move the last member into the gap.
                        members.shift_remove(name);
                        changed = true;
                    } else {
                        changed |= self.prune(property, member);
                    }
                }
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter_mut().enumerate() {
                    let Some(items) = own.prefix.get(index).or(own.items.as_ref()) else { continue };
                    changed |= self.prune(items, element);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        changed
    }

    /// Follows references, and of alternatives takes the first that the answer fits.
    fn settle(&self, mut form: &'a Form, answer: &Value) -> Option<&'a Assertions> {
        for _ in 0..MAX_HOPS {
            form = match &form.shape {
                Shape::Reference { name, .. } => self.document.definitions.get(name)?,
                Shape::Union(branches) => branches.iter().find(|branch| self.fits(branch, answer, MAX_DEPTH))?,
                Shape::Value(own) => return Some(own),
            };
        }
        None
    }

    /// Whether an answer has the shape of a form as the dialect has it: types, enums, and no properties but declared
    /// ones.
    fn fits(&self, form: &Form, answer: &Value, depth: u32) -> bool {
        let Some(depth) = self.step(depth) else { return false };
        let own = match &form.shape {
            Shape::Reference { name, .. } => {
                return self.document.definitions.get(name).is_some_and(|target| self.fits(target, answer, depth));
            }
            Shape::Union(branches) => return branches.iter().any(|branch| self.fits(branch, answer, depth)),
            Shape::Value(own) => own,
        };
        let is_typed = own.types.as_ref().is_none_or(|types| types.iter().any(|name| is_of_type(answer, name)));
        if !is_typed || own.literals.as_ref().is_some_and(|values| !contains(values, answer)) {
            return false;
        }
        match answer {
            Value::Object(members) => {
                members.keys().all(|name| own.property(name).is_some() || matches!(own.additional, Additional::Like(_)))
                    && own.properties.iter().all(|(name, property)| {
                        let is_required = own.requires(name);
                        members.get(name).map_or(!is_required, |member| {
                            self.is_absent(property, member, is_required) || self.fits(property, member, depth)
                        })
                    })
            }
            Value::Array(elements) => elements.iter().enumerate().all(|(index, element)| {
                own.prefix.get(index).or(own.items.as_ref()).is_none_or(|items| self.fits(items, element, depth))
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        }
    }

    /// Whether a null stands for an absent property.
    fn is_absent(&self, property: &Form, member: &Value, is_required: bool) -> bool {
        member.is_null() && !is_required && !accepts_null(self.document, property, MAX_HOPS)
    }

    /// One level deeper, one step less; `None` at either bound.
    fn step(&self, depth: u32) -> Option<u32> {
        self.steps.set(self.steps.get().checked_sub(1)?);
        depth.checked_sub(1)
    }
}
