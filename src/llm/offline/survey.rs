//! What the properties of a whole schema are called and after, so that one knows its rivals.

use serde_json::Value;

use super::field::Field;
use super::labels;
use super::want::{Want, want};
use crate::schema::node::{Kind, Node};

const MAX_DEPTH: usize = 10;
const MAX_PROPERTIES: usize = 1_000;

/// Names and types of the properties of a schema that hold one value each.
#[derive(Debug, Default)]
pub(super) struct Survey {
    names: Vec<Vec<String>>,
    wants: Vec<Want>,
}

impl Survey {
    pub(super) fn of(root: &Value) -> Self {
        let mut survey = Self::default();
        survey.object(root, &Node::new(root, root), &[], 0);
        survey
    }

    fn object<'s>(&mut self, root: &'s Value, node: &Node<'s>, parents: &[String], depth: usize) {
        for (name, schema) in node.properties() {
            if self.names.len() >= MAX_PROPERTIES {
                return;
            }
            let words = labels::canonical(name);
            let field = Field::new(root, name, schema, parents, true);
            if field.node.kind() == Kind::Object && depth < MAX_DEPTH {
                self.object(root, &field.node, &words, depth + 1);
            } else if field.node.kind() != Kind::Array {
                self.wants.push(want(&field).class());
                self.names.push(words);
            }
        }
    }

    /// Whether at most one property has this name.
    pub(super) fn is_unique(&self, words: &[String]) -> bool {
        self.names.iter().filter(|name| *name == words).count() <= 1
    }

    /// Whether at most one property is after values of this type.
    pub(super) fn is_only(&self, want: Want) -> bool {
        self.wants.iter().filter(|other| **other == want.class()).count() <= 1
    }
}
