//! From a JSON Schema to its [`Document`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Additional, Assertions, Document, Form, ROOT, Shape, TYPES, contains, is_of_type};
use crate::domain::json::pointer::{self, join};
use crate::schema::dialect::{Effect, Loss};
use crate::schema::keywords::{self, Draft, Role};
use crate::schema::reference::resolve;

/// Most subschemas that are read and merged. Schemas that we accept expand to fewer; this stops what merging
/// multiplies.
const MAX_STEPS: u32 = 20_000;
/// Deepest that subschemas are followed.
const MAX_DEPTH: u32 = 64;

/// Reads a document.
pub(in crate::schema::dialect) fn read(schema: &Value) -> Document {
    let mut reader = Reader {
        root: schema,
        draft: Draft::of(schema),
        names: BTreeMap::new(),
        wanted: Vec::new(),
        inlining: Vec::new(),
        losses: Vec::new(),
        steps: MAX_STEPS,
        depth: 0,
    };
    let root = reader.schema(schema, "");
    let mut definitions = BTreeMap::new();
    while let Some((name, pointer)) = reader.wanted.pop() {
        if let Some(target) = schema.pointer(&pointer) {
            let form = reader.schema(target, &pointer);
            definitions.insert(name, form);
        }
    }
    let mut losses: Vec<Loss> = Vec::new();
    for loss in reader.losses {
        if !losses.contains(&loss) {
            losses.push(loss);
        }
    }
    Document { root, definitions, losses }
}

pub(super) struct Reader<'a> {
    root: &'a Value,
    draft: Draft,
    /// Names of definitions by their JSON Pointers.
    names: BTreeMap<String, String>,
    /// Definitions that are named and not read yet.
    wanted: Vec<(String, String)>,
    /// Definitions that are being merged with something.
    pub(super) inlining: Vec<String>,
    losses: Vec<Loss>,
    steps: u32,
    depth: u32,
}

impl Reader<'_> {
    pub(super) fn lose(&mut self, pointer: &str, keyword: &str, effect: Effect) {
        self.losses.push(Loss { pointer: pointer.to_owned(), keyword: keyword.to_owned(), effect });
    }

    /// One step of the work; false when there is no more of it to be had, which is said once.
    pub(super) fn step(&mut self, at: &str) -> bool {
        if self.steps == 1 {
            self.lose(at, "", Effect::TooMuch("expanded schemas"));
        }
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    pub(super) fn schema(&mut self, schema: &Value, at: &str) -> Form {
        let members = match schema {
            Value::Bool(false) => return Form::of(at, Shape::Union(Vec::new())),
            Value::Object(members) if self.step(at) && self.depth < MAX_DEPTH => members,
            Value::Object(_) => {
                self.lose(at, "", Effect::TooMuch("levels"));
                return Form::of(at, Shape::Value(Box::default()));
            }
            Value::Null | Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Form::of(at, Shape::Value(Box::default()));
            }
        };
        self.depth += 1;
        let form = self.object(members, at);
        self.depth -= 1;
        form
    }

    fn object(&mut self, schema: &Map<String, Value>, at: &str) -> Form {
        let text = |keyword: &str| schema.get(keyword).filter(|value| value.is_string()).cloned();
        let annotated =
            |shape: Shape| Form { at: at.to_owned(), title: text("title"), description: text("description"), shape };
        let reference = schema.get("$ref").and_then(Value::as_str).map(|reference| self.reference(reference, at));
        if let Some(reference) = &reference
            && self.draft.ignores_siblings_of_ref()
        {
            return annotated(reference.shape.clone());
        }
        let own = self.assertions(schema, at);
        let mut form = annotated(settled(own));
        if let Some(reference) = reference {
            form = self.both(form, reference);
        }
        for (index, part) in list(schema, "allOf").iter().enumerate() {
            let part = self.schema(part, &format!("{at}/allOf/{index}"));
            form = self.both(form, part);
        }
        for keyword in ["anyOf", "oneOf"] {
            let branches = list(schema, keyword);
            if !schema.contains_key(keyword) {
                continue;
            }
            if keyword == "oneOf" && branches.len() > 1 {
                self.lose(at, keyword, Effect::AnyOf);
            }
            let branches = branches.iter().enumerate();
            let branches = branches.map(|(index, branch)| self.schema(branch, &format!("{at}/{keyword}/{index}")));
            let branches = branches.filter(|branch| !branch.is_never()).collect();
            form = self.both(form, Form::of(at, Shape::Union(branches)));
        }
        if schema.get("unevaluatedProperties") == Some(&Value::Bool(false)) && self.knows("unevaluatedProperties") {
            form = self.closed(form, at);
        }
        form
    }

    fn knows(&self, keyword: &str) -> bool {
        keywords::find(keyword).is_some_and(|keyword| keyword.is_in(self.draft))
    }

    /// All that stands in the schema itself.
    fn assertions(&mut self, schema: &Map<String, Value>, at: &str) -> Assertions {
        let mut own = Assertions::default();
        for (keyword, value) in schema {
            let Some(known) = keywords::find(keyword).filter(|known| known.is_in(self.draft)) else { continue };
            if is_empty(known.role, keyword, value) {
                continue;
            }
            match keyword.as_str() {
                "type" => own.types = Some(types(value)),
                "enum" | "const" => {
                    let values = if keyword == "enum" { list(schema, "enum").to_vec() } else { vec![value.clone()] };
                    own.literals = Some(match own.literals.take() {
                        Some(before) => before.into_iter().filter(|one| contains(&values, one)).collect(),
                        None => values,
                    });
                }
                "properties" => {
                    let members = value.as_object().into_iter().flatten();
                    let at = join(at, "properties");
                    own.properties =
                        members.map(|(name, inner)| (name.clone(), self.schema(inner, &join(&at, name)))).collect();
                }
                "required" => {
                    let names: BTreeSet<&str> = list(schema, "required").iter().filter_map(Value::as_str).collect();
                    own.required = names.into_iter().map(str::to_owned).collect();
                }
                "additionalProperties" => own.additional = self.additional(value, at),
                "items" | "prefixItems" | "additionalItems" => self.items(schema, keyword, value, &mut own, at),
                "allOf" | "anyOf" | "oneOf" | "$ref" => continue,
                "unevaluatedProperties" if value.is_boolean() => continue,
                _ => drop(own.others.insert(keyword.clone(), value.clone())),
            }
            own.places.insert(keyword.clone(), vec![at.to_owned()]);
        }
        // Draft 4 has booleans where later ones have the limit itself.
        for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            match own.others.get(exclusive).and_then(Value::as_bool) {
                Some(true) => {
                    let value = own.others.shift_remove(limit);
                    own.others.shift_remove(exclusive);
                    own.others.extend(value.map(|value| (exclusive.to_owned(), value)));
                }
                Some(false) => drop(own.others.shift_remove(exclusive)),
                None => {}
            }
        }
        own
    }

    fn additional(&mut self, value: &Value, at: &str) -> Additional {
        if value == &Value::Bool(false) {
            return Additional::Closed;
        }
        if !value.is_object() {
            return Additional::Open;
        }
        let like = self.schema(value, &join(at, "additionalProperties"));
        if like.is_never() {
            Additional::Closed
        } else if like.is_anything() {
            Additional::Open
        } else {
            Additional::Like(Box::new(like))
        }
    }

    /// `items` and `prefixItems` of draft 2020-12, which before were `additionalItems` and `items`.
    fn items(&mut self, schema: &Map<String, Value>, keyword: &str, value: &Value, own: &mut Assertions, at: &str) {
        let pointer = join(at, keyword);
        if let Value::Array(prefix) = value {
            let prefix = prefix.iter().enumerate();
            own.prefix = prefix.map(|(index, inner)| self.schema(inner, &format!("{pointer}/{index}"))).collect();
        } else if keyword != "additionalItems" || schema.get("items").is_some_and(Value::is_array) {
            let items = self.schema(value, &pointer);
            own.items = (!items.is_anything()).then_some(items);
        }
    }

    /// What a reference means, by the name of its definition.
    fn reference(&mut self, reference: &str, at: &str) -> Form {
        let Ok((pointer, _)) = resolve(self.root, reference) else {
            self.lose(at, "$ref", Effect::Inexpressible);
            return Form::of(at, Shape::Value(Box::default()));
        };
        let name = match self.names.get(&pointer) {
            Some(name) => name.clone(),
            None => {
                let name = self.name(&pointer);
                self.names.insert(pointer.clone(), name.clone());
                self.wanted.push((name.clone(), pointer));
                name
            }
        };
        Form::of(at, Shape::Reference { name, at: at.to_owned() })
    }

    /// A name that needs no escapes anywhere, and that no other definition has.
    fn name(&self, pointer: &str) -> String {
        let Some(token) = pointer::last(pointer) else { return ROOT.to_owned() };
        let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' };
        let plain: String = token.chars().take(64).map(legal).collect();
        let is_free = |name: &String| !name.is_empty() && self.names.values().all(|known| known != name);
        let numbered = (2..).map(|number: u32| format!("{plain}_{number}"));
        std::iter::once(plain.clone()).chain(numbered).find(is_free).unwrap_or_default()
    }

    /// The definition of this name, to be merged with something. `None` while that is going on already: such a merger
    /// has no end.
    pub(super) fn inlined(&mut self, name: &str, at: &str) -> Option<Form> {
        let pointer = self.names.iter().find(|(_, known)| *known == name).map(|(pointer, _)| pointer.clone())?;
        if self.inlining.iter().filter(|open| *open == name).count() > 1 {
            self.lose(at, "$ref", Effect::Inexpressible);
            return None;
        }
        let target = self.root.pointer(&pointer)?;
        Some(self.schema(target, &pointer))
    }
}

/// A value's assertions, or nothing at all when they exclude each other.
pub(super) fn settled(mut own: Assertions) -> Shape {
    if let (Some(literals), Some(types)) = (&mut own.literals, &mut own.types) {
        literals.retain(|value| types.iter().any(|name| is_of_type(value, name)));
        types.retain(|name| literals.iter().any(|value| is_of_type(value, name)));
    }
    let is_closed = own.additional == Additional::Closed;
    let lacks = |name: &String| match own.property(name) {
        Some(form) => form.is_never(),
        None => is_closed && !own.others.contains_key("patternProperties"),
    };
    let is_object = own.types.as_deref() == Some(&["object"]);
    let is_never = own.literals.as_ref().is_some_and(Vec::is_empty)
        || own.types.as_ref().is_some_and(Vec::is_empty)
        || (is_object && own.required.iter().any(lacks));
    if is_never {
        return Shape::Union(Vec::new());
    }
    if is_closed {
        own.properties.retain(|(_, form)| !form.is_never());
    }
    if let Some(types) = own.types.clone() {
        let concerns =
            |kind: &str| kind.is_empty() || types.contains(&kind) || (kind == "number" && types.contains(&"integer"));
        own.others.retain(|keyword, _| match keywords::find(keyword).map(|keyword| keyword.role) {
            Some(Role::Assertion(kind) | Role::Child(kind)) => concerns(kind),
            Some(Role::ChildMap) => concerns("object"),
            _ => true,
        });
    }
    Shape::Value(Box::new(own))
}

/// Whether a keyword with this value asserts nothing.
fn is_empty(role: Role, keyword: &str, value: &Value) -> bool {
    let is_anything = value == &Value::Bool(true) || value.as_object().is_some_and(Map::is_empty);
    match role {
        Role::Annotation | Role::Definitions => true,
        Role::ChildMap | Role::InPlaceMap => value.as_object().is_none_or(Map::is_empty),
        Role::Assertion(_) | Role::Child(_) | Role::InPlace | Role::Reference => match keyword {
            // `if` alone asserts nothing, and the others do nothing without it.
            "then" | "else" | "minContains" | "maxContains" => true,
            "uniqueItems" => value == &Value::Bool(false),
            "propertyNames" | "unevaluatedItems" | "dependentRequired" => is_anything,
            "contentEncoding" | "contentMediaType" => true,
            _ => false,
        },
    }
}

fn types(value: &Value) -> Vec<&'static str> {
    let named = |value: &Value| TYPES.into_iter().find(|name| value == name);
    match value.as_array() {
        Some(several) => several.iter().filter_map(named).collect(),
        None => named(value).into_iter().collect(),
    }
}

fn list<'a>(schema: &'a Map<String, Value>, keyword: &str) -> &'a [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
