//! Definitions and references to them.

use std::collections::BTreeSet;

use super::{Additional, Effect, Form, Map, Shape, Translation, Value, annotations, json};
use crate::schema::dialect::form::ROOT;
use crate::schema::dialect::rules::Recursion;

impl<'a> Translation<'a> {
    /// Every definition that something refers to.
    pub(super) fn definitions(&mut self) -> Option<Map<String, Value>> {
        let document = self.document;
        let mut translated = Map::new();
        let mut is_sayable = true;
        for (name, definition) in document.definitions.iter().filter(|(name, _)| *name != ROOT) {
            (self.definition, self.is_optional) = (Some(name.as_str()), false);
            self.counted.name_chars += name.chars().count();
            match self.form(definition) {
                Some(definition) => drop(translated.insert(name.clone(), definition)),
                None => is_sayable = false,
            }
        }
        (self.definition, self.is_optional) = (None, false);
        is_sayable.then_some(translated)
    }

    pub(super) fn reference(&mut self, form: &'a Form, name: &str, at: &str) -> Option<Value> {
        if !self.may_refer_to(name) {
            self.lose(at, "$ref", Effect::Inexpressible);
            return None;
        }
        let link = if name == ROOT { ROOT.to_owned() } else { format!("#/$defs/{name}") };
        let link = json!({ "$ref": link });
        if !form.is_annotated() {
            return Some(link);
        }
        // No dialect takes anything beside `$ref`.
        if self.concessions.is_terse {
            for (keyword, _) in annotations(form) {
                self.lose(&form.at, &keyword, Effect::Dropped);
            }
            return Some(link);
        }
        self.counted.union(&form.at, "anyOf");
        self.counted.is_wordy = true;
        let mut out = annotations(form);
        out.insert("anyOf".to_owned(), json!([link]));
        Some(out.into())
    }

    fn may_refer_to(&self, target: &str) -> bool {
        match self.rules.recursion {
            Recursion::Any => true,
            Recursion::None => !self.leads_to(target, target),
            Recursion::Optional if target == ROOT => false,
            Recursion::Optional => self
                .definition
                .filter(|_| !self.is_optional)
                .is_none_or(|definition| target != definition && !self.leads_to(target, definition)),
        }
    }

    /// Whether the definition `from` leads to a reference to `wanted`.
    fn leads_to(&self, from: &'a str, wanted: &str) -> bool
    where
        Self: 'a,
    {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(name) = open.pop() {
            let Some(form) = self.document.definitions.get(name) else { continue };
            let mut names = Vec::new();
            references(form, &mut names);
            if names.contains(&wanted) {
                return true;
            }
            open.extend(names.into_iter().filter(|name| seen.insert(*name)));
        }
        false
    }
}

/// The names that a form refers to.
fn references<'f>(form: &'f Form, names: &mut Vec<&'f str>) {
    match &form.shape {
        Shape::Reference { name, .. } => names.push(name),
        Shape::Union(branches) => branches.iter().for_each(|branch| references(branch, names)),
        Shape::Value(own) => {
            own.properties.iter().for_each(|(_, property)| references(property, names));
            own.items.iter().chain(&own.prefix).for_each(|item| references(item, names));
            if let Additional::Like(inner) = &own.additional {
                references(inner, names);
            }
        }
    }
}
