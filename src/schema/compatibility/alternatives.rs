//! Keywords that hold a value against other schemas: alternatives, conditions, what it must not be.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Comparison;
use super::known::Known;
use super::types::Types;
use crate::domain::json::pointer::join;

/// Deepest that properties are looked at for what tells two alternatives apart.
const MAX_LEVELS: usize = 3;
/// Pairs of values that are compared for one step.
pub(super) const PAIRS_A_STEP: usize = 16;

impl<'a> Comparison<'a> {
    /// Notes such a keyword where it may refuse what was valid.
    pub(super) fn check_alternative(
        &mut self,
        known: &Known<'a>,
        members: &'a Map<String, Value>,
        name: &str,
        value: &'a Value,
        at: &str,
    ) {
        if name == "if" {
            return self.check_condition(known, members, value, at);
        }
        if self.is_kept(known, name, value) {
            return;
        }
        match (name, value) {
            ("anyOf" | "oneOf", Value::Array(alternatives)) => {
                let is_one = name == "oneOf";
                let holds = self.is_one_of(known, alternatives, is_one, at)
                    || known.types.each().all(|one| self.is_one_of(&known.of_types(one), alternatives, is_one, at));
                if !holds {
                    let message = if is_one {
                        "what was valid may be valid under none of these, or under several"
                    } else {
                        "what was valid may be valid under none of these"
                    };
                    self.report(at, message);
                }
            }
            ("not", _) if !self.is_apart(known, value, MAX_LEVELS) => {
                self.report(at, "what this refuses may have been valid");
            }
            ("dependentSchemas" | "dependencies", Value::Object(dependencies)) => {
                let required = known.required(&self.earlier);
                for (property, dependency) in dependencies {
                    self.check_dependency(known, &required, (property, dependency), &join(at, property));
                }
            }
            _ => {}
        }
    }

    /// Whether every value is valid under one of the alternatives; under exactly one, if `is_one`.
    fn is_one_of(&mut self, known: &Known<'a>, alternatives: &'a [Value], is_one: bool, at: &str) -> bool {
        (0..).zip(alternatives).any(|(index, alternative): (usize, _)| {
            let mut others = alternatives.iter().enumerate().filter(|(other, _)| *other != index);
            self.holds(known, alternative, &format!("{at}/{index}"))
                && (!is_one || others.all(|(_, other)| self.is_apart(known, other, MAX_LEVELS)))
        })
    }

    /// Whether no value is valid under a schema, by its type, by the values that there are, or by a property. Once there
    /// are no steps left, it is not said of any.
    fn is_apart(&self, known: &Known<'a>, later: &'a Value, levels: usize) -> bool {
        if !self.steps.take(1) {
            return false;
        }
        let other = Known::of(&self.later, &[later]);
        if known.types.and(other.types).is_empty() {
            return true;
        }
        if let (Some(before), Some(after)) = (known.values(&self.earlier), other.values(&self.later)) {
            // Numbers have several spellings.
            let is_comparable = before.iter().chain(&after).all(|value| !value.is_number() && !is_composed(value));
            let is_paid = self.steps.take(before.len() * after.len() / PAIRS_A_STEP);
            return is_comparable && is_paid && !before.iter().any(|value| self.is_listed(value, &after));
        }
        let has_no_others = known.types.may_be("object") && known.types.each().count() == 1;
        levels > 0
            && has_no_others
            && known.required(&self.earlier).iter().any(|name| {
                let schemas = other.schemas.iter().filter_map(|schema| self.later.members(schema, "properties"));
                self.steps.take(other.schemas.len())
                    && schemas
                        .filter_map(|properties| properties.get(*name))
                        .any(|schema| self.is_apart(&known.property(&self.earlier, name), schema, levels - 1))
            })
    }

    fn is_listed(&self, value: &Value, values: &[Value]) -> bool {
        #[cfg(test)]
        self.steps.count_looks(values.len() / PAIRS_A_STEP);
        values.contains(value)
    }

    /// A condition need not be looked at where both of its ends follow.
    fn check_condition(&mut self, known: &Known<'a>, members: &'a Map<String, Value>, value: &'a Value, at: &str) {
        let [then, other] = ["then", "else"].map(|name| self.later.keyword(members, name));
        let (earlier, later) = (self.earlier, self.later);
        let schemas = known.schemas.clone();
        let is_kept = schemas.into_iter().any(|before| {
            earlier.keyword(before, "if").is_some_and(|before| self.is_same_keyword("if", before, value))
                && ["then", "else"].into_iter().all(|name| match later.keyword(members, name) {
                    None => true,
                    Some(after) => {
                        earlier.keyword(before, name).is_some_and(|before| self.is_same_keyword(name, before, after))
                    }
                })
        });
        let holds = is_kept || [then, other].into_iter().flatten().all(|end| self.holds(known, end, at));
        if !holds {
            self.report(at, "what follows from this condition may refuse what was valid");
        }
    }

    /// What an object has to be that has a property.
    fn check_dependency(
        &mut self,
        known: &Known<'a>,
        required: &BTreeSet<&str>,
        (property, dependency): (&str, &'a Value),
        at: &str,
    ) {
        if !known.types.may_be("object") || known.property(&self.earlier, property).types.is_empty() {
            return;
        }
        let Value::Array(names) = dependency else {
            return self.check(&known.of_types(Types::OBJECT), dependency, at);
        };
        if !names.iter().all(|name| name.as_str().is_some_and(|name| required.contains(name))) {
            self.report(at, format!("objects with `{property}` and without these properties were valid"));
        }
    }
}

/// Whether numbers may stand within a value.
fn is_composed(value: &Value) -> bool {
    value.is_array() || value.is_object()
}
