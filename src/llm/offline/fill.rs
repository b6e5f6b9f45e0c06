//! Walks a schema and fills it.

use serde_json::{Map, Value};

use super::confidence::Tally;
use super::facts::Facts;
use super::field::{Field, Fill};
use super::survey::Survey;
use super::want::{Want, want};
use super::{Extraction, amounts, booleans, choose, collect, labels, neutral, strings};
use crate::schema::node::{Kind, Node};

/// Levels of nested objects that are filled from the text.
const MAX_DEPTH: usize = 10;

/// Properties that are filled in all. A recursive schema could ask for any number.
const MAX_PROPERTIES: usize = 1_000;

/// The walk's state.
pub(super) struct Filler<'a> {
    root: &'a Value,
    facts: &'a Facts<'a>,
    survey: Survey,
    tally: Tally,
    left: usize,
}

impl<'a> Filler<'a> {
    /// A walk through `root` that has not begun.
    pub(super) fn new(root: &'a Value, facts: &'a Facts<'a>) -> Self {
        Self { root, facts, survey: Survey::of(root), tally: Tally::default(), left: MAX_PROPERTIES }
    }

    /// Fills the schema.
    pub(super) fn run(mut self) -> Extraction {
        let root = Field::new(self.root, "", self.root, &[], true);
        let data = if root.node.kind() == Kind::Object {
            self.object(&root.node, &[], 0).0
        } else {
            let fill = self.fill(&root, 0);
            self.settle(fill, self.root, &root, true).unwrap_or_default()
        };
        Extraction { data, confidence: self.tally.confidence(self.facts) }
    }

    /// The object, and whether the text said anything about it.
    fn object(&mut self, node: &Node<'a>, parents: &[String], depth: usize) -> (Value, bool) {
        let mut object = Map::new();
        let mut any = false;
        for (name, schema) in node.properties() {
            if object.contains_key(name) {
                continue;
            }
            self.left = self.left.saturating_sub(1);
            let is_unique = self.survey.is_unique(&labels::canonical(name));
            let mut field = Field::new(self.root, name, schema, parents, is_unique);
            field.is_only = self.survey.is_only(want(&field));
            let required = node.requires(name);
            let fill = if self.left == 0 { Fill::Nothing } else { self.fill(&field, depth) };
            any |= matches!(fill, Fill::Found(..));
            object.extend(self.settle(fill, schema, &field, required).map(|value| (name.clone(), value)));
        }
        (Value::Object(object), any)
    }

    /// The value to give for `fill`, if any, and its part in the confidence.
    fn settle(&mut self, fill: Fill, schema: &'a Value, field: &Field<'a>, required: bool) -> Option<Value> {
        let may_be_left = field.node.nullable || !required;
        match fill {
            Fill::Found(value, sure) => {
                // The members of an object have been counted one by one.
                if !value.is_object() {
                    self.tally.found(sure, field);
                }
                Some(value)
            }
            Fill::Silent(_) | Fill::Nothing if may_be_left => field.node.nullable.then_some(Value::Null),
            Fill::Silent(value) => {
                self.tally.found(0.5, field);
                Some(value)
            }
            Fill::Nothing => {
                self.tally.made_up();
                // “Undetermined” by ISO 639-2, or what ISO 639-1 leaves unassigned.
                let is_language = want(field) == Want::Language && field.node.kind() == Kind::String;
                let unknown =
                    ["und", "xx"].into_iter().find(|code| is_language && neutral::fits_string(&field.node, code));
                Some(unknown.map_or_else(|| neutral::value(self.root, schema), Value::from))
            }
        }
    }

    fn fill(&mut self, field: &Field<'a>, depth: usize) -> Fill {
        if let Some(constant) = field.node.get("const") {
            return Fill::Found(constant.clone(), 1.0);
        }
        match field.node.kind() {
            Kind::Object if depth < MAX_DEPTH => self.nested(field, depth),
            Kind::Object | Kind::Null => Fill::Nothing,
            Kind::Choice => choose::choose(field, self.facts),
            Kind::Boolean => booleans::decide(field, self.facts),
            Kind::Integer | Kind::Number => amounts::number(field, self.facts),
            Kind::String => strings::find(field, self.facts)
                .map_or(Fill::Nothing, |(text, sure)| Fill::Found(Value::String(text), sure)),
            Kind::Array => match collect::collect(self.root, field, self.facts) {
                Fill::Nothing if field.node.count("minItems").unwrap_or_default() == 0 => {
                    Fill::Silent(Value::Array(Vec::new()))
                }
                fill @ (Fill::Found(..) | Fill::Silent(_) | Fill::Nothing) => fill,
            },
        }
    }

    /// An object of which the text says nothing, or not what it must have, is unknown as a whole.
    fn nested(&mut self, field: &Field<'a>, depth: usize) -> Fill {
        let before = self.tally;
        let (value, any) = self.object(&field.node, &field.words, depth + 1);
        if any && (!field.node.nullable || self.tally.fillers == before.fillers) {
            return Fill::Found(value, 1.0);
        }
        self.tally = before;
        Fill::Nothing
    }
}
