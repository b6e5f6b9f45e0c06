//! From a [`Document`] to what one provider is sent.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::form::{Additional, Assertions, Document, Form, Shape, is_of_type};
use super::rules::{Literals, Rules};
use super::{Effect, Loss};
use crate::domain::json::pointer;

mod limits;
mod literals;
mod objects;
mod references;

pub(super) use objects::accepts_null;

/// Keywords whose meaning no description can carry.
const INEXPRESSIBLE: [&str; 13] = [
    "not",
    "if",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "patternProperties",
    "propertyNames",
    "contains",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$dynamicRef",
    "$recursiveRef",
    "contentSchema",
];

/// Translations of one schema: each gives up more than the one before.
const MAX_PASSES: u32 = 8;

/// The schema by these rules, or `None` when it cannot be said; and what is lost.
pub(super) fn translate(document: &Document, rules: &Rules) -> (Option<Value>, Vec<Loss>) {
    let mut concessions = Concessions::default();
    for pass in 1.. {
        let mut translation = Translation {
            document,
            rules,
            concessions: concessions.clone(),
            losses: document.losses.clone(),
            counted: limits::Counted::default(),
            definition: None,
            is_optional: false,
        };
        let schema = translation.document();
        // What was lost on the way to a form that is too large is lost differently in the next one.
        if let Some(more) = schema.as_ref().and_then(|_| translation.concede()).filter(|_| pass < MAX_PASSES) {
            concessions = more;
            continue;
        }
        if let Some(schema) = &schema {
            translation.exceed(schema);
        }
        let is_whole = translation.losses.iter().all(|loss| !loss.effect.ends_enforcement());
        return (schema.filter(|_| is_whole), unique(translation.losses));
    }
    (None, Vec::new())
}

fn unique(losses: Vec<Loss>) -> Vec<Loss> {
    let mut kept: Vec<Loss> = Vec::new();
    for loss in losses {
        if !kept.contains(&loss) {
            kept.push(loss);
        }
    }
    kept
}

/// What is given up so that the whole stays within the dialect's limits.
#[derive(Debug, Clone, Default)]
struct Concessions {
    /// Enums that are left out, by their places, with the limit that is the reason.
    enums: BTreeMap<String, &'static str>,
    /// Whether descriptions beside references are left out: each costs a union.
    is_terse: bool,
    /// Of so many properties that may be absent or null, null is not offered.
    without_null: usize,
    /// So many properties that may be absent must be there, and may be null instead.
    required: usize,
}

struct Translation<'a> {
    document: &'a Document,
    rules: &'a Rules,
    concessions: Concessions,
    losses: Vec<Loss>,
    counted: limits::Counted,
    /// The definition that is being translated.
    definition: Option<&'a str>,
    /// Whether the place lies, within the definition, in a property that may be absent.
    is_optional: bool,
}

impl<'a> Translation<'a> {
    fn lose(&mut self, pointer: &str, keyword: &str, effect: Effect) {
        self.losses.push(Loss { pointer: pointer.to_owned(), keyword: keyword.to_owned(), effect });
    }

    /// Loses a subschema as a whole.
    fn lose_whole(&mut self, pointer: &str, effect: Effect) {
        match (pointer.rsplit_once('/'), pointer::last(pointer)) {
            (Some((above, _)), Some(token)) => self.lose(above, &token, effect),
            _ => self.lose("", "type", effect),
        }
    }

    fn document(&mut self) -> Option<Value> {
        let document = self.document;
        let is_object = matches!(&document.root.shape, Shape::Value(own) if own.types.as_deref() == Some(&["object"]));
        // No dialect takes a choice at the root.
        if !is_object {
            let keyword = if matches!(&document.root.shape, Shape::Union(branches) if branches.len() > 1) {
                "anyOf"
            } else {
                "type"
            };
            self.lose("", keyword, Effect::Inexpressible);
        }
        let mut root = self.form(&document.root)?;
        let definitions = self.definitions()?;
        if !definitions.is_empty() {
            root.as_object_mut()?.insert("$defs".to_owned(), definitions.into());
        }
        is_object.then_some(root)
    }

    fn form(&mut self, form: &'a Form) -> Option<Value> {
        match &form.shape {
            Shape::Reference { name, at } => self.reference(form, name, at),
            Shape::Union(branches) => self.union(form, branches),
            Shape::Value(own) => self.value(form, own),
        }
    }

    fn union(&mut self, form: &'a Form, branches: &'a [Form]) -> Option<Value> {
        if branches.is_empty() {
            self.lose_whole(&form.at, Effect::Inexpressible);
            return None;
        }
        // All of them, so that every reason is known.
        let sayable: Vec<Option<Value>> = branches.iter().map(|branch| self.form(branch)).collect();
        let mut sayable: Vec<Value> = sayable.into_iter().collect::<Option<_>>()?;
        if let ([_], false) = (sayable.as_slice(), form.is_annotated()) {
            return sayable.pop();
        }
        let mut out = annotations(form);
        self.counted.union(&form.at, "anyOf");
        out.insert("anyOf".to_owned(), sayable.into());
        Some(out.into())
    }

    fn value(&mut self, form: &'a Form, own: &'a Assertions) -> Option<Value> {
        let mut out = annotations(form);
        let mut left = Map::new();
        let mut is_sayable = true;
        for keyword in INEXPRESSIBLE.into_iter().filter(|keyword| own.others.contains_key(*keyword)) {
            self.lose(own.place(keyword, &form.at), keyword, Effect::Inexpressible);
            is_sayable = false;
        }
        let dropped = self.concessions.enums.get(&literals::place(form, own)).copied();
        if let Some(limit) = dropped.filter(|_| own.literals.is_some()) {
            self.lose_whole(&literals::place(form, own), Effect::LeftOut(limit));
        }
        is_sayable &= match own.literals.as_deref().filter(|_| dropped.is_none()) {
            Some(values) => self.literals(form, own, values, &mut out, &mut left),
            None => self.types(form, own, &mut out, &mut left),
        }
        .is_some();
        self.describe(form, own, &mut out, &left);
        is_sayable.then_some(out.into())
    }

    fn types(
        &mut self,
        form: &'a Form,
        own: &'a Assertions,
        out: &mut Map<String, Value>,
        left: &mut Map<String, Value>,
    ) -> Option<()> {
        let from_literals = own.literals.as_deref().and_then(literals::types_of);
        let Some(types) = own.types.clone().or(from_literals) else {
            self.lose(&form.at, "type", Effect::Inexpressible);
            return None;
        };
        if types.len() == 1 || self.rules.has_type_lists {
            if types.len() > 1 {
                self.counted.union(own.place("type", &form.at), "type");
            }
            return self.typed(form, own, &types, out, left);
        }
        self.counted.union(own.place("type", &form.at), "type");
        let mut is_sayable = true;
        let mut branches: Vec<Value> = Vec::new();
        for one in types {
            let mut branch = Map::new();
            is_sayable &= self.typed(form, own, &[one], &mut branch, left).is_some();
            branches.push(branch.into());
        }
        out.insert("anyOf".to_owned(), branches.into());
        is_sayable.then_some(())
    }

    /// What is said of values of these types.
    fn typed(
        &mut self,
        form: &'a Form,
        own: &'a Assertions,
        types: &[&'static str],
        out: &mut Map<String, Value>,
        left: &mut Map<String, Value>,
    ) -> Option<()> {
        out.insert("type".to_owned(), if let [one] = types { json!(one) } else { json!(types) });
        let mut is_sayable = true;
        if types.contains(&"object") {
            is_sayable &= self.object(form, own, out).is_some();
        }
        if types.contains(&"array") {
            is_sayable &= self.array(form, own, out).is_some();
        }
        for (keyword, value) in own.others.iter().filter(|(keyword, _)| !INEXPRESSIBLE.contains(&keyword.as_str())) {
            if !literals::concerns(keyword, types) {
                continue;
            }
            let target = if self.rules.knows(keyword, value) { &mut *out } else { &mut *left };
            target.insert(keyword.clone(), value.clone());
        }
        is_sayable.then_some(())
    }

    fn array(&mut self, form: &'a Form, own: &'a Assertions, out: &mut Map<String, Value>) -> Option<()> {
        let mut is_sayable = true;
        if !own.prefix.is_empty() {
            let keyword = if own.places.contains_key("prefixItems") { "prefixItems" } else { "items" };
            if self.rules.has_prefix_items {
                let prefix: Vec<Option<Value>> = own.prefix.iter().map(|inner| self.form(inner)).collect();
                let prefix: Vec<Value> = prefix.into_iter().collect::<Option<_>>()?;
                out.insert("prefixItems".to_owned(), prefix.into());
            } else {
                self.lose(own.place(keyword, &form.at), keyword, Effect::Inexpressible);
                is_sayable = false;
            }
        }
        match &own.items {
            Some(items) if items.is_never() || (!own.prefix.is_empty() && !self.rules.has_prefix_items) => {
                self.lose_whole(&items.at, Effect::Inexpressible);
                is_sayable = false;
            }
            Some(items) => match self.form(items) {
                Some(items) => drop(out.insert("items".to_owned(), items)),
                None => is_sayable = false,
            },
            None if self.rules.needs_items => {
                self.lose(&form.at, "items", Effect::Inexpressible);
                is_sayable = false;
            }
            None => {}
        }
        is_sayable.then_some(())
    }

    /// The description, where the dialect has what is left told to the model.
    fn describe(&mut self, form: &Form, own: &Assertions, out: &mut Map<String, Value>, left: &Map<String, Value>) {
        let effect = if self.rules.describes { Effect::Described } else { Effect::Dropped };
        for keyword in left.keys() {
            for place in own.places.get(keyword).into_iter().flatten() {
                self.lose(place, keyword, effect);
            }
        }
        if left.is_empty() || !self.rules.describes {
            return;
        }
        let mut text = form.description.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let rest: Vec<String> = left.iter().map(|(keyword, value)| format!("{keyword}: {value}")).collect();
        let gap = if text.is_empty() { "" } else { "\n\n" };
        text.push_str(&format!("{gap}{{{}}}", rest.join(", ")));
        out.insert("description".to_owned(), text.into());
    }
}

/// Title and description.
fn annotations(form: &Form) -> Map<String, Value> {
    let of = |keyword: &str, value: &Option<Value>| value.clone().map(|value| (keyword.to_owned(), value));
    of("title", &form.title).into_iter().chain(of("description", &form.description)).collect()
}
