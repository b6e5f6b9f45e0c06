//! One property of a schema, and what the rules know about it.

use serde_json::Value;

use super::labels;
use super::lexicon::Concept;
use super::text::{Text, name_words};
use crate::schema::node::Node;

/// What the rules know about one property.
pub(super) enum Fill {
    /// The text says so; how sure that is, within 0.0–1.0.
    Found(Value, f64),
    /// The text is silent, and this value stands for silence.
    Silent(Value),
    /// Nothing is known.
    Nothing,
}

/// One property: its schema and the words that say what it is.
pub(super) struct Field<'s> {
    /// The words of the name, in the form in which labels are compared.
    pub(super) words: Vec<String>,
    /// What a label may call it, each in the same form: its name, its title, either with the object around it.
    pub(super) names: Vec<Vec<String>>,
    /// No other property of the schema is after the same type of value.
    pub(super) is_only: bool,
    /// The words of the name and the title as written.
    also: Vec<String>,
    parents: Vec<String>,
    pub(super) node: Node<'s>,
}

impl<'s> Field<'s> {
    /// The property `name` of an object whose own words are `parents`. `is_unique`: nothing else in the schema is
    /// called that.
    pub(super) fn new(root: &'s Value, name: &str, schema: &'s Value, parents: &[String], is_unique: bool) -> Self {
        let node = Node::new(root, schema);
        let words = labels::canonical(name);
        let title = labels::canonical(node.text("title"));
        let mut also = name_words(name);
        also.extend(title.iter().cloned());
        let mut names = Vec::new();
        for own in [&words, &title] {
            let with_parents = || parents.iter().chain(own).cloned().collect();
            if parents.is_empty() || is_unique {
                names.push(own.clone());
            }
            if !parents.is_empty() {
                names.push(with_parents());
                if own.iter().all(|word| word == "name") {
                    names.push(parents.to_vec());
                }
            }
        }
        names.retain(|name| !name.is_empty());
        Self { words, names, is_only: false, also, parents: parents.to_vec(), node }
    }

    /// One of these words is among the name's or the title's.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        self.words.iter().chain(&self.also).any(|word| words.contains(&word.as_str()))
    }

    /// `word` stands in the name as written.
    pub(super) fn says(&self, word: &str) -> bool {
        self.also.iter().any(|also| also == word)
    }

    /// One of these words is among those of the objects around.
    pub(super) fn under(&self, words: &[&str]) -> bool {
        self.parents.iter().any(|word| words.contains(&word.as_str()))
    }

    /// The name means `concept`.
    pub(super) fn means(&self, concept: &Concept) -> bool {
        let words = self.also.join(" ");
        let words = Text::new(&words);
        concept.named.iter().any(|name| words.has(name))
    }

    /// The same property for one member of it: `emails` → `email`.
    pub(super) fn singular<'n>(&self, node: &Node<'n>) -> Field<'n> {
        let one = |word: &String| word.strip_suffix('s').unwrap_or(word).to_owned();
        let also: Vec<String> = self.also.iter().map(one).collect();
        let words = labels::canonical(&also.join(" "));
        let (names, parents, node) = (self.names.clone(), self.parents.clone(), node.clone());
        Field { words, names, is_only: false, also, parents, node }
    }
}
