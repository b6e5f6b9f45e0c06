//! A schema document, read as its draft does.

use serde_json::{Map, Value};

use super::steps::Steps;
use crate::schema::keywords::{Draft, find};
use crate::schema::reference;

/// What it costs to look for an anchor: the whole document is walked.
const ANCHOR_STEPS: usize = 400;

/// A schema document.
#[derive(Clone, Copy)]
pub(super) struct Document<'a> {
    root: &'a Value,
    pub(super) draft: Draft,
    pub(super) steps: &'a Steps,
}

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Value, steps: &'a Steps) -> Self {
        Self { root, draft: Draft::of(root), steps }
    }

    /// A keyword of one of its subschemas, if the draft looks at it there.
    pub(super) fn keyword(&self, schema: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
        #[cfg(test)]
        self.steps.count_looks(1);
        let is_read = find(name).is_some_and(|keyword| keyword.is_in(self.draft));
        let is_ignored = self.draft.ignores_siblings_of_ref() && name != "$ref" && schema.contains_key("$ref");
        if is_read && !is_ignored { schema.get(name) } else { None }
    }

    /// The members of such a keyword, where it is an object.
    pub(super) fn members(&self, schema: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
        self.keyword(schema, name)?.as_object()
    }

    /// The subschema that a reference means, with its JSON Pointer; `None` once there are no steps left.
    pub(super) fn target(&self, target: &str) -> Option<(String, &'a Value)> {
        let is_anchor = !target.contains("#/") && !target.ends_with('#');
        let is_paid = self.steps.take(if is_anchor { ANCHOR_STEPS } else { 1 });
        is_paid.then(|| reference::resolve(self.root, target).ok()).flatten()
    }

    /// The schemas of an array's first items, and that of all others.
    pub(super) fn items(&self, schema: &'a Map<String, Value>) -> (&'a [Value], Option<&'a Value>) {
        let list = |value: Option<&'a Value>| value.and_then(Value::as_array).map(Vec::as_slice);
        let items = self.keyword(schema, "items");
        if self.draft >= Draft::Draft202012 {
            return (list(self.keyword(schema, "prefixItems")).unwrap_or_default(), items);
        }
        match list(items) {
            Some(first) => (first, self.keyword(schema, "additionalItems")),
            None => (&[], items),
        }
    }
}
