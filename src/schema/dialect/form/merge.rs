//! Two forms that hold for the same value, as one.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::read::{Reader, settled};
use super::{Additional, Assertions, Form, Shape, contains, is_same};
use crate::domain::json::Decimal;
use crate::schema::dialect::Effect;

impl Reader<'_> {
    /// What is valid by both. Annotations are those of `a`, or else of `b`.
    pub(super) fn both(&mut self, a: Form, b: Form) -> Form {
        if !self.step(&a.at) {
            return a;
        }
        let (at, title, description) = (a.at, a.title.or(b.title), a.description.or(b.description));
        let shape = match (a.shape, b.shape) {
            (Shape::Value(own), shape) | (shape, Shape::Value(own)) if own.is_anything() => shape,
            (Shape::Union(branches), other) => self.each(branches, |reader, branch| {
                let other = Form::of(&b.at, other.clone());
                reader.both(branch, other)
            }),
            (shape, Shape::Union(branches)) => self.each(branches, |reader, branch| {
                let (own, place) = (Form::of(&at, shape.clone()), branch.at.clone());
                Form { at: place, ..reader.both(own, branch) }
            }),
            (Shape::Reference { name, at }, Shape::Reference { name: other, .. }) if name == other => {
                Shape::Reference { name, at }
            }
            (Shape::Reference { name, at: place }, shape) => {
                let other = Form::of(&b.at, shape);
                self.with_definition(&name, &place, other, |reader, definition, other| reader.both(definition, other))
            }
            (shape, Shape::Reference { name, at: place }) => {
                let own = Form::of(&at, shape);
                self.with_definition(&name, &place, own, |reader, definition, own| reader.both(own, definition))
            }
            (Shape::Value(own), Shape::Value(other)) => self.values(*own, *other),
        };
        Form { at, title, description, shape }
    }

    fn each(&mut self, branches: Vec<Form>, mut merge: impl FnMut(&mut Self, Form) -> Form) -> Shape {
        let merged = branches.into_iter().map(|branch| merge(self, branch));
        Shape::Union(merged.filter(|branch| !branch.is_never()).collect())
    }

    /// Merges a definition in the place of a reference to it.
    fn with_definition(
        &mut self,
        name: &str,
        at: &str,
        other: Form,
        merge: impl FnOnce(&mut Self, Form, Form) -> Form,
    ) -> Shape {
        let Some(definition) = self.inlined(name, at) else { return other.shape };
        self.inlining.push(name.to_owned());
        let merged = merge(self, definition, other);
        self.inlining.pop();
        merged.shape
    }

    fn values(&mut self, a: Assertions, b: Assertions) -> Shape {
        let types = match (a.types.clone(), &b.types) {
            (Some(own), Some(other)) => Some(common_types(&own, other)),
            (own, other) => own.or_else(|| other.clone()),
        };
        let literals = match (a.literals.clone(), &b.literals) {
            (Some(own), Some(other)) => Some(own.into_iter().filter(|value| contains(other, value)).collect()),
            (own, other) => own.or_else(|| other.clone()),
        };
        let properties = self.properties(&a, &b);
        let mut required = a.required.clone();
        required.extend(b.required.iter().filter(|name| !a.requires(name)).cloned());
        let items = match (a.items.clone(), b.items.clone()) {
            (Some(own), Some(other)) => Some(self.both(own, other)),
            (own, other) => own.or(other),
        };
        let prefix = self.prefix(&a, &b);
        let others = self.others(&a, &b);
        let mut places = a.places;
        for (keyword, others) in b.places {
            let own: &mut Vec<String> = places.entry(keyword).or_default();
            own.extend(others.into_iter().filter(|place| !own.contains(place)).collect::<Vec<_>>());
        }
        let additional = match (a.additional, b.additional) {
            (Additional::Closed, _) | (_, Additional::Closed) => Additional::Closed,
            (Additional::Like(own), Additional::Like(other)) => Additional::Like(Box::new(self.both(*own, *other))),
            (Additional::Like(one), Additional::Open) | (Additional::Open, Additional::Like(one)) => {
                Additional::Like(one)
            }
            (Additional::Open, Additional::Open) => Additional::Open,
        };
        settled(Assertions { types, literals, properties, required, additional, items, prefix, others, places })
    }

    /// The properties of both. To one that only one of them declares, the other one's `additionalProperties` apply.
    fn properties(&mut self, a: &Assertions, b: &Assertions) -> Vec<(String, Form)> {
        let mut merged = Vec::with_capacity(a.properties.len() + b.properties.len());
        for (name, own) in &a.properties {
            let form = match b.property(name) {
                Some(other) => self.both(own.clone(), other.clone()),
                None => self.undeclared(own, &b.additional),
            };
            merged.push((name.clone(), form));
        }
        for (name, other) in b.properties.iter().filter(|(name, _)| a.property(name).is_none()) {
            let form = self.undeclared(other, &a.additional);
            merged.push((name.clone(), form));
        }
        merged
    }

    fn undeclared(&mut self, form: &Form, additional: &Additional) -> Form {
        match additional {
            Additional::Open => form.clone(),
            Additional::Closed => Form::of(&form.at, Shape::Union(Vec::new())),
            Additional::Like(like) => self.both(form.clone(), Form::clone(like)),
        }
    }

    fn prefix(&mut self, a: &Assertions, b: &Assertions) -> Vec<Form> {
        let at = |own: &Assertions, index: usize| own.prefix.get(index).or(own.items.as_ref()).cloned();
        let positions = 0..a.prefix.len().max(b.prefix.len());
        let merged = positions.filter_map(|index| match (at(a, index), at(b, index)) {
            (Some(own), Some(other)) => Some(self.both(own, other)),
            (own, other) => own.or(other),
        });
        merged.collect()
    }

    /// The stricter of two limits; of two keywords that cannot be one, the first.
    fn others(&mut self, a: &Assertions, b: &Assertions) -> Map<String, Value> {
        let mut merged = a.others.clone();
        for (keyword, other) in &b.others {
            let Some(own) = merged.get(keyword) else {
                merged.insert(keyword.clone(), other.clone());
                continue;
            };
            if is_same(own, other) {
                continue;
            }
            let numbers = own.as_f64().zip(other.as_f64());
            let is_other = match (keyword.as_str(), numbers) {
                ("minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties", _) => {
                    order(other, own).map(Ordering::is_gt)
                }
                ("maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties", _) => {
                    order(other, own).map(Ordering::is_lt)
                }
                ("multipleOf", Some((own, other))) if (other / own).fract() == 0.0 => Some(true),
                ("multipleOf", Some((own, other))) if (own / other).fract() == 0.0 => Some(false),
                _ => None,
            };
            match is_other {
                Some(true) => drop(merged.insert(keyword.clone(), other.clone())),
                Some(false) => {}
                None => self.lose(b.place(keyword, ""), keyword, Effect::Dropped),
            }
        }
        merged
    }

    /// The form with its objects closed, after everything that declares properties has been merged.
    pub(super) fn closed(&mut self, form: Form, at: &str) -> Form {
        let shape = match form.shape {
            Shape::Union(branches) => {
                Shape::Union(branches.into_iter().map(|branch| self.closed(branch, at)).collect())
            }
            Shape::Reference { name, at: place } => match self.inlined(&name, &place) {
                Some(definition) => {
                    self.inlining.push(name);
                    let closed = self.closed(definition, at);
                    self.inlining.pop();
                    closed.shape
                }
                None => Shape::Value(Box::default()),
            },
            Shape::Value(mut own) => {
                if own.additional == Additional::Open {
                    own.additional = Additional::Closed;
                    own.places.insert("unevaluatedProperties".to_owned(), vec![at.to_owned()]);
                }
                settled(*own)
            }
        };
        Form { shape, ..form }
    }
}

/// The types that both lists have; every integer is a number.
fn common_types(a: &[&'static str], b: &[&'static str]) -> Vec<&'static str> {
    let has = |types: &[&str], name: &str| types.contains(&name) || (name == "integer" && types.contains(&"number"));
    let mut common: Vec<&'static str> = a.iter().copied().filter(|name| has(b, name)).collect();
    common.extend(b.iter().copied().filter(|name| !a.contains(name) && has(a, name)));
    common
}

/// How two limits compare, in every digit.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    let (a, b) = (a.as_number()?, b.as_number()?);
    Some(Decimal::of(a.as_str()).cmp(&Decimal::of(b.as_str())))
}
