//! A schema as the dialects want to read it: every subschema is a reference, a union, or a value with its assertions.
//!
//! JSON Schema says several things of one value in many ways: `properties` beside `anyOf`, `allOf`, `anyOf` beside
//! `oneOf`, `$ref` beside other keywords. Dialects know a few of them, and close objects one by one, so that two that
//! hold for the same value exclude each other. Here all that is said of one value is merged into one place
//! ([`mod@merge`]); each keyword keeps the place where it was written. Annotations and unknown keywords assert nothing
//! and are not here.

mod merge;
mod read;
mod values;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) use read::read;
pub(super) use values::{contains, is_of_type, is_same};

use super::Loss;

/// The types of JSON Schema.
pub(super) const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "integer", "string"];

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    pub(super) root: Form,
    /// What references name. The root is among them, as [`ROOT`], if something refers to it.
    pub(super) definitions: BTreeMap<String, Form>,
    /// What could not be kept in this form.
    pub(super) losses: Vec<Loss>,
}

/// The name of the root among the definitions.
pub(super) const ROOT: &str = "#";

/// One subschema.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    /// JSON Pointer within the original.
    pub(super) at: String,
    pub(super) title: Option<Value>,
    pub(super) description: Option<Value>,
    pub(super) shape: Shape,
}

/// What a subschema asserts.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// What the definition of this name asserts; and where it is referred to.
    Reference { name: String, at: String },
    /// At least one of these; of none of them nothing is valid.
    Union(Vec<Form>),
    /// All of this.
    Value(Box<Assertions>),
}

/// Assertions on one value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Assertions {
    /// `None` for every type.
    pub(super) types: Option<Vec<&'static str>>,
    /// The values of `enum` and `const`.
    pub(super) literals: Option<Vec<Value>>,
    pub(super) properties: Vec<(String, Form)>,
    pub(super) required: Vec<String>,
    pub(super) additional: Additional,
    pub(super) items: Option<Form>,
    pub(super) prefix: Vec<Form>,
    /// Every other keyword that asserts something.
    pub(super) others: Map<String, Value>,
    /// Where each keyword was written: the subschemas that have it.
    pub(super) places: BTreeMap<String, Vec<String>>,
}

/// Properties that are not declared.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Additional {
    #[default]
    Open,
    Closed,
    Like(Box<Form>),
}

impl Form {
    /// A form without annotations.
    pub(super) fn of(at: &str, shape: Shape) -> Self {
        Self { at: at.to_owned(), title: None, description: None, shape }
    }

    /// Whether nothing is valid.
    pub(super) fn is_never(&self) -> bool {
        matches!(&self.shape, Shape::Union(branches) if branches.is_empty())
    }

    /// Whether every value is valid.
    fn is_anything(&self) -> bool {
        matches!(&self.shape, Shape::Value(own) if own.is_anything())
    }

    /// Whether it has a title or a description.
    pub(super) fn is_annotated(&self) -> bool {
        self.title.is_some() || self.description.is_some()
    }
}

impl Assertions {
    /// The place of a keyword: where it was first written, or else the subschema.
    pub(super) fn place<'a>(&'a self, keyword: &str, at: &'a str) -> &'a str {
        self.places.get(keyword).and_then(|places| places.first()).map_or(at, String::as_str)
    }

    /// Whether every value is valid.
    fn is_anything(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether a value may be of this type.
    pub(super) fn has_type(&self, name: &str) -> bool {
        self.types.as_ref().is_none_or(|types| types.contains(&name))
    }

    /// The schema of a property.
    pub(super) fn property(&self, name: &str) -> Option<&Form> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, form)| form)
    }

    /// Whether a property must be there.
    pub(super) fn requires(&self, name: &str) -> bool {
        self.required.iter().any(|required| required == name)
    }
}
