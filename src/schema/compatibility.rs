//! Whether all that was valid under one schema is valid under the next: what readers of answers rely on.
//!
//! The later schema is walked keyword by keyword, beside what the earlier one says of the values at the same place. A
//! keyword is compatible when it follows from that. What cannot be decided counts as incompatible, so a version that is
//! called compatible is.
//!
//! - `known`: what the earlier schema says of the values at a place; `types`: their types;
//! - `assertions`, `children`, `alternatives`: the keywords of the later one;
//! - `same`: whether two subschemas say the same; `document`: reading keywords as their draft does;
//! - `steps`: how much a comparison may cost.

mod alternatives;
mod assertions;
mod children;
mod document;
mod known;
mod same;
mod steps;
mod types;

use serde_json::{Map, Value};

use self::document::Document;
use self::known::Known;
use self::steps::Steps;
use super::keywords::{Draft, Keyword, Role, find};
use crate::domain::json::pointer::join;
use crate::domain::version::Step;

/// Steps before a change is called too large to be decided. The largest schemas that are allowed take some ten
/// thousands; only alternatives within alternatives, and what is referred to from many places, take more.
const MAX_STEPS: usize = 200_000;
/// Most pairs that are compared within each other, so that schemas which refer to themselves do not take the stack.
const MAX_OPEN: usize = 100;
/// Most places that are reported.
const MAX_PLACES: usize = 20;

/// A place at which the later schema refuses what was valid under the earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incompatibility {
    /// JSON Pointer (RFC 6901) into the later schema.
    pub pointer: String,
    /// What was valid and is not any more.
    pub message: String,
}

/// How a schema differs from the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The least step of its version that says so.
    pub step: Step,
    /// What was valid and may not be any more; empty unless the step is a major one.
    pub incompatibilities: Vec<Incompatibility>,
}

impl Change {
    /// How `later` differs from `earlier`, two schemas that compile.
    pub fn between(earlier: &Value, later: &Value) -> Self {
        let steps = || Steps::new(MAX_STEPS);
        let incompatibilities = incompatibilities(earlier, later, &steps());
        let step = if !incompatibilities.is_empty() {
            Step::Major
        } else if !self::incompatibilities(later, earlier, &steps()).is_empty() {
            Step::Minor
        } else {
            Step::Patch
        };
        Self { step, incompatibilities }
    }
}

/// The places at which `later` may refuse what is valid under `earlier`, as far as can be found out in so many steps.
fn incompatibilities(earlier: &Value, later: &Value, steps: &Steps) -> Vec<Incompatibility> {
    if earlier == later {
        return Vec::new();
    }
    if Draft::of(earlier) != Draft::of(later) {
        let message = "the schema is of another draft, in which keywords mean other things".to_owned();
        return vec![Incompatibility { pointer: "/$schema".to_owned(), message }];
    }
    let mut comparison = Comparison::new(earlier, later, steps);
    let known = Known::of(&comparison.earlier, &[earlier]);
    comparison.check(&known, later, "");
    if steps.are_spent() {
        comparison.report("", "the schemas are too large, or have too many alternatives, to be compared");
    }
    let mut found = Vec::new();
    for place in comparison.found {
        if found.len() < MAX_PLACES && !found.contains(&place) {
            found.push(place);
        }
    }
    found
}

/// A comparison under way.
struct Comparison<'a> {
    earlier: Document<'a>,
    later: Document<'a>,
    steps: &'a Steps,
    found: Vec<Incompatibility>,
    /// Pairs that are being compared. One that is met again holds if the rest does: instances end.
    open: Vec<(usize, Known<'a>)>,
}

impl<'a> Comparison<'a> {
    fn new(earlier: &'a Value, later: &'a Value, steps: &'a Steps) -> Self {
        let (earlier, later) = (Document::new(earlier, steps), Document::new(later, steps));
        Self { earlier, later, steps, found: Vec::new(), open: Vec::new() }
    }

    /// Notes where `later` may refuse values of which `known` is known.
    fn check(&mut self, known: &Known<'a>, later: &'a Value, pointer: &str) {
        if known.types.is_empty() {
            return;
        }
        let members = match later {
            Value::Object(members) => members,
            Value::Bool(false) => return self.report(pointer, "nothing is valid here any more"),
            Value::Null | Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Array(_) => return,
        };
        // Each keyword is held against each schema.
        if !self.steps.take(members.len().max(1) * known.schemas.len().max(1)) {
            return;
        }
        let pair = (std::ptr::from_ref(later).addr(), known.clone());
        if self.open.contains(&pair) {
            return;
        }
        if self.open.len() == MAX_OPEN {
            return self.report(pointer, "references lead too deep here to be compared");
        }
        self.open.push(pair);
        let before = self.found.len();
        self.check_keywords(known, members, pointer);
        if self.found.len() > before
            && let Some((alternatives, rest)) = known.split()
        {
            self.found.truncate(before);
            for alternative in alternatives {
                self.check(&rest.and(&self.earlier, alternative), later, pointer);
            }
        }
        self.open.pop();
    }

    /// Whether `later` takes all values of which `known` is known.
    fn holds(&mut self, known: &Known<'a>, later: &'a Value, pointer: &str) -> bool {
        let before = self.found.len();
        self.check(known, later, pointer);
        let holds = self.found.len() == before && !self.steps.are_spent();
        self.found.truncate(before);
        holds
    }

    fn check_keywords(&mut self, known: &Known<'a>, members: &'a Map<String, Value>, pointer: &str) {
        for name in members.keys() {
            let Some(value) = self.later.keyword(members, name) else { continue };
            let role = find(name).map(|Keyword { role, .. }| *role);
            if let Some(Role::Assertion(kind) | Role::Child(kind)) = role
                && !known.types.may_be(kind)
            {
                continue;
            }
            let at = join(pointer, name);
            match (name.as_str(), value) {
                ("$ref", Value::String(target)) => {
                    if let Some((pointer, target)) = self.later.target(target) {
                        self.check(known, target, &pointer);
                    }
                }
                ("allOf", Value::Array(items)) => {
                    for (index, item) in items.iter().enumerate() {
                        self.check(known, item, &format!("{at}/{index}"));
                    }
                }
                ("anyOf" | "oneOf" | "not" | "if" | "dependentSchemas" | "dependencies", _) => {
                    self.check_alternative(known, members, name, value, &at);
                }
                ("then" | "else" | "minContains" | "maxContains", _) => {}
                ("unevaluatedProperties" | "unevaluatedItems", _) => self.check_unevaluated(known, members, name, &at),
                _ => match role {
                    Some(Role::Assertion(_)) => self.check_assertion(known, members, name, value, &at),
                    Some(Role::Child(_) | Role::ChildMap) => self.check_child(known, members, name, value, &at),
                    Some(Role::Reference) => self.report(&at, "what a dynamic reference means cannot be compared"),
                    Some(Role::InPlace | Role::InPlaceMap | Role::Definitions | Role::Annotation) | None => {}
                },
            }
        }
    }

    /// These keywords depend on all others beside them.
    fn check_unevaluated(&mut self, known: &Known<'a>, members: &'a Map<String, Value>, name: &str, at: &str) {
        let is_kept = known.schemas.iter().any(|earlier| self.is_same(earlier, members));
        if !is_kept {
            self.report(at, format!("what `{name}` refuses depends on what stands beside it, which has changed"));
        }
    }

    /// Whether the earlier schema has this keyword with the same meaning, by itself.
    fn is_kept(&mut self, known: &Known<'a>, name: &str, value: &'a Value) -> bool {
        let earlier = known.schemas.iter().filter_map(|schema| self.earlier.keyword(schema, name));
        let earlier: Vec<_> = earlier.collect();
        earlier.into_iter().any(|earlier| self.is_same_keyword(name, earlier, value))
    }

    fn report(&mut self, pointer: &str, message: impl Into<String>) {
        self.found.push(Incompatibility { pointer: pointer.to_owned(), message: message.into() });
    }
}

#[cfg(test)]
mod tests;
