//! Keywords for the parts of a value: properties and items.

use serde_json::{Map, Value};

use super::Comparison;
use super::known::Known;
use super::types::Types;
use crate::domain::json::pointer::join;

/// What a schema says of properties that it does not mention.
static ANYTHING: Value = Value::Bool(true);

impl<'a> Comparison<'a> {
    /// Notes where a schema for parts of a value may refuse what was valid.
    pub(super) fn check_child(
        &mut self,
        known: &Known<'a>,
        members: &'a Map<String, Value>,
        name: &str,
        value: &'a Value,
        at: &str,
    ) {
        match (name, value) {
            ("properties", Value::Object(properties)) if known.types.may_be("object") => {
                for (name, schema) in properties {
                    self.check_property(&known.property(&self.earlier, name), schema, &join(at, name));
                }
            }
            ("patternProperties", Value::Object(patterns)) if known.types.may_be("object") => {
                for (pattern, schema) in patterns {
                    self.check_pattern(known, pattern, schema, &join(at, pattern));
                }
            }
            ("properties" | "patternProperties", _) => {}
            ("additionalProperties", _) => self.check_other_properties(known, members, value, at),
            ("propertyNames", _) => {
                let names = known.schemas.iter().filter_map(|schema| self.earlier.keyword(schema, name));
                let known = Known::of(&self.earlier, &names.collect::<Vec<_>>()).of_types(Types::STRING);
                self.check(&known, value, at);
            }
            ("items" | "prefixItems" | "additionalItems", _) => self.check_items(known, members, name, value, at),
            ("contains", _) => self.check_contains(known, members, value, at),
            _ => {}
        }
    }

    fn check_property(&mut self, known: &Known<'a>, schema: &'a Value, at: &str) {
        if !known.is_anything() {
            return self.check(known, schema, at);
        }
        if !self.holds(known, schema, at) {
            let message = "the property was not declared, but allowed with any value: the schema took properties that \
                           it did not declare";
            self.report(at, message);
        }
    }

    /// Which names an expression matches is not looked at: each declared property may be one of them.
    fn check_pattern(&mut self, known: &Known<'a>, pattern: &str, schema: &'a Value, at: &str) {
        for name in known.declared(&self.earlier) {
            self.check(&known.property(&self.earlier, name), schema, at);
        }
        let same = known.schemas.iter().filter_map(|earlier| {
            self.earlier.members(earlier, "patternProperties").and_then(|patterns| patterns.get(pattern))
        });
        let same: Vec<_> = same.collect();
        let mut others = known.other_properties(&self.earlier);
        for earlier in same {
            others = others.and(&self.earlier, earlier);
        }
        self.check_property(&others, schema, at);
    }

    /// The properties that the later schema neither declares nor has a pattern for.
    fn check_other_properties(
        &mut self,
        known: &Known<'a>,
        members: &'a Map<String, Value>,
        schema: &'a Value,
        at: &str,
    ) {
        let is_declared = |name: &str| {
            self.later.members(members, "properties").is_some_and(|properties| properties.contains_key(name))
        };
        let dropped: Vec<&str> = known.declared(&self.earlier).into_iter().filter(|name| !is_declared(name)).collect();
        for name in dropped {
            if !self.holds(&known.property(&self.earlier, name), schema, at) {
                self.report(at, format!("the property `{name}` was valid and is not declared any more"));
            }
        }
        let others = known.other_properties(&self.earlier);
        if self.holds(&others, schema, at) {
            return;
        }
        let later_patterns = self.later.members(members, "patternProperties");
        let (earlier, schemas) = (self.earlier, known.schemas.clone());
        let is_covered = schemas.into_iter().any(|before| {
            let Some(patterns) = earlier.members(before, "patternProperties") else { return false };
            let is_kept = |pattern: &String| later_patterns.is_some_and(|later| later.contains_key(pattern));
            let rest = earlier.keyword(before, "additionalProperties").unwrap_or(&ANYTHING);
            let mut alternatives =
                patterns.iter().filter(|(pattern, _)| !is_kept(pattern)).map(|(_, schema)| schema).chain([rest]);
            alternatives.all(|alternative| self.holds(&others.and(&earlier, alternative), schema, at))
        });
        if !is_covered {
            self.report(at, "properties that the schema did not declare were valid, and may not be any more");
        }
    }

    fn check_items(
        &mut self,
        known: &Known<'a>,
        members: &'a Map<String, Value>,
        name: &str,
        value: &'a Value,
        at: &str,
    ) {
        let most = usize::try_from(self.most(known, "maxItems")).unwrap_or(usize::MAX);
        let (first, rest) = self.later.items(members);
        if let Value::Array(_) = value {
            for (index, schema) in first.iter().enumerate().take(most) {
                self.check(&known.item(&self.earlier, index), schema, &format!("{at}/{index}"));
            }
            return;
        }
        // In older drafts `additionalItems` says something only beside a list.
        let Some(rest) = rest.filter(|_| name != "additionalItems" || !first.is_empty()) else { return };
        let listed = known.items_listed(&self.earlier).max(first.len());
        for index in first.len()..=listed {
            if index < most {
                self.check(&known.item(&self.earlier, index), rest, at);
            }
        }
    }

    fn check_contains(&mut self, known: &Known<'a>, members: &'a Map<String, Value>, value: &'a Value, at: &str) {
        let count = |value: Option<&Value>| value.and_then(Value::as_u64);
        let [least, most] = ["minContains", "maxContains"].map(|name| self.later.keyword(members, name));
        let is_readable = [least, most].into_iter().flatten().all(Value::is_u64);
        let (least, most) = (count(least).unwrap_or(1), count(most));
        if is_readable && least == 0 && most.is_none() {
            return;
        }
        let (earlier, schemas) = (self.earlier, known.schemas.clone());
        let follows = is_readable
            && schemas.into_iter().any(|before| {
                let Some(schema) = earlier.keyword(before, "contains") else { return false };
                // One that is not read here, such as 0.0, may be zero.
                let before_least = earlier.keyword(before, "minContains").map_or(1, |it| it.as_u64().unwrap_or(0));
                let is_enough = before_least >= least;
                let before_most = count(earlier.keyword(before, "maxContains"));
                match most {
                    None => is_enough && self.holds(&Known::of(&earlier, &[schema]), value, at),
                    Some(most) => {
                        is_enough
                            && before_most.is_some_and(|before| before <= most)
                            && self.is_same_keyword("contains", schema, value)
                    }
                }
            });
        if !follows {
            self.report(at, "arrays without these items, or with more of them, were valid");
        }
    }
}
