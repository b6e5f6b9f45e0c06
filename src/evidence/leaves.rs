//! The values of an answer in their order, each with what the schema says of its place.

use serde_json::{Map, Value};

use crate::domain::evidence::{Evidence, EvidenceState, FieldEvidence};
use crate::domain::json::pointer;

use super::quoted::{MAX_VALUE_BYTES, Quotes};
use super::schema_plan::{Node, Plan};
use super::search::{Found, Search};

/// Walks an answer and collects the evidence of its values.
pub(super) struct Leaves<'a> {
    plan: &'a Plan,
    search: Search<'a>,
    quotes: Quotes<'a>,
    /// JSON Pointer of the value that is looked at.
    pointer: String,
    fields: Vec<FieldEvidence>,
}

impl<'a> Leaves<'a> {
    /// Nothing is walked yet.
    pub(super) fn new(plan: &'a Plan, search: Search<'a>, quotes: Quotes<'a>) -> Self {
        Self { plan, search, quotes, pointer: String::new(), fields: Vec::with_capacity(16) }
    }

    /// The evidence of all values in `data`.
    pub(super) fn evidence(mut self, data: &Value) -> Evidence {
        self.value(self.plan.root(), data);
        Evidence { fields: self.fields, quotes: self.quotes.into_outcomes() }
    }

    fn value(&mut self, node: Option<&'a Node>, value: &Value) {
        match value {
            Value::Object(members) => self.object(node, members),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let length = self.pointer.len();
                    pointer::push(&mut self.pointer, &index.to_string());
                    self.value(self.plan.item(node, index), item);
                    self.pointer.truncate(length);
                }
            }
            Value::Null => self.push(Found::without_place(EvidenceState::Absent)),
            Value::Bool(_) => self.judged(),
            Value::String(text) if text.trim().is_empty() => self.push(Found::without_place(EvidenceState::Absent)),
            Value::String(_) | Value::Number(_) if node.is_some_and(|node| node.judges(value)) => self.judged(),
            Value::String(text) => self.located(text.len(), |search| search.text(text.trim())),
            Value::Number(number) => self.located(number.as_str().len(), |search| search.number(number)),
        }
    }

    /// A value of so many bytes that is looked for, in its quotes first.
    fn located(&mut self, bytes: usize, look: impl Fn(&mut Search<'_>) -> Found) {
        let quoted = (bytes <= MAX_VALUE_BYTES).then(|| self.quotes.find(&self.pointer, &mut self.search, &look));
        let found = quoted.flatten().unwrap_or_else(|| look(&mut self.search));
        self.push(found);
    }

    fn judged(&mut self) {
        let found = self.quotes.judged(&self.pointer, &mut self.search);
        self.push(found);
    }

    fn object(&mut self, node: Option<&'a Node>, members: &Map<String, Value>) {
        for (name, value) in members {
            let length = self.pointer.len();
            pointer::push(&mut self.pointer, name);
            self.value(self.plan.property(node, name), value);
            self.pointer.truncate(length);
        }
        for name in node.map(Node::listed).unwrap_or_default() {
            if !members.contains_key(name) {
                let length = self.pointer.len();
                pointer::push(&mut self.pointer, name);
                self.push(Found::without_place(EvidenceState::Absent));
                self.pointer.truncate(length);
            }
        }
    }

    fn push(&mut self, found: Found) {
        let Found { state, source, spans } = found;
        self.fields.push(FieldEvidence { field: self.pointer.clone(), state, source, spans, accuracy: None });
    }
}
