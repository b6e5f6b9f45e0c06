//! Walks a schema and fills it.

use serde_json::{Map, Value};

use super::facts::Facts;
use super::lexicon::Concept;
use super::neutral::{self, fits_number};
use super::numbers::{self, to_json};
use super::schema::{Kind, Node};
use super::text::{Phrase, Text, name_words};
use super::{Extraction, booleans, choose, collect, labels, strings};

/// Levels of nested objects that are filled from the text.
const MAX_DEPTH: usize = 10;

/// Properties that are filled in all. A recursive schema could ask for any number.
const MAX_PROPERTIES: usize = 1_000;

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
    /// The words of the name and the title as written.
    also: Vec<String>,
    parents: Vec<String>,
    pub(super) node: Node<'s>,
}

impl<'s> Field<'s> {
    /// The property `name` of an object whose own words are `parents`.
    pub(super) fn new(root: &'s Value, name: &str, schema: &'s Value, parents: &[String]) -> Self {
        let node = Node::new(root, schema);
        let mut also = name_words(name);
        also.extend(labels::canonical(node.text("title")));
        Self { words: labels::canonical(name), also, parents: parents.to_vec(), node }
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
        Field { words: labels::canonical(&also.join(" ")), also, parents: self.parents.clone(), node: node.clone() }
    }
}

/// The walk's state.
pub(super) struct Filler<'a> {
    root: &'a Value,
    facts: &'a Facts<'a>,
    tally: Tally,
    left: usize,
}

/// What the confidence is computed from.
#[derive(Clone, Copy, Default)]
struct Tally {
    points: f64,
    values: u32,
}

impl Tally {
    fn add(&mut self, points: f64) {
        self.points += points;
        self.values += 1;
    }
}

impl<'a> Filler<'a> {
    /// A walk through `root` that has not begun.
    pub(super) fn new(root: &'a Value, facts: &'a Facts<'a>) -> Self {
        Self { root, facts, tally: Tally::default(), left: MAX_PROPERTIES }
    }

    /// Fills the schema.
    pub(super) fn run(mut self) -> Extraction {
        let root = Field::new(self.root, "", self.root, &[]);
        let data = if root.node.kind() == Kind::Object {
            self.object(&root.node, &[], 0).0
        } else {
            let fill = self.fill(&root, 0);
            self.settle(fill, self.root, &root.node, true).unwrap_or_default()
        };
        let Tally { points, values } = self.tally;
        let mean = if values == 0 { 0.0 } else { points / f64::from(values) };
        Extraction { data, confidence: (mean * 100.0).round() / 100.0 }
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
            let field = Field::new(self.root, name, schema, parents);
            let required = node.requires(name);
            let fill = if self.left == 0 { Fill::Nothing } else { self.fill(&field, depth) };
            any |= matches!(fill, Fill::Found(..));
            object.extend(self.settle(fill, schema, &field.node, required).map(|value| (name.clone(), value)));
        }
        (Value::Object(object), any)
    }

    /// The value to give for `fill`, if any, and its part in the confidence.
    fn settle(&mut self, fill: Fill, schema: &'a Value, node: &Node<'a>, required: bool) -> Option<Value> {
        match fill {
            Fill::Found(value, sure) => {
                // The members of an object have been counted one by one.
                if !value.is_object() {
                    self.tally.add(sure);
                }
                Some(value)
            }
            Fill::Silent(_) | Fill::Nothing if node.nullable => Some(Value::Null),
            Fill::Silent(value) => {
                self.tally.add(0.5);
                Some(value)
            }
            Fill::Nothing if required => {
                self.tally.add(0.0);
                Some(neutral::value(self.root, schema))
            }
            Fill::Nothing => None,
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
            Kind::Integer | Kind::Number => number(field, self.facts),
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

    /// An object of which the text says nothing counts for nothing.
    fn nested(&mut self, field: &Field<'a>, depth: usize) -> Fill {
        let before = self.tally;
        let parents: Vec<String> = field.parents.iter().chain(&field.words).cloned().collect();
        let (value, any) = self.object(&field.node, &parents, depth + 1);
        if any {
            return Fill::Found(value, 1.0);
        }
        self.tally = before;
        Fill::Nothing
    }
}

/// A number that the text gives for `field`.
fn number(field: &Field<'_>, facts: &Facts<'_>) -> Fill {
    let found = |value: f64, sure: f64| Fill::Found(to_json(value), sure);
    let fits = |value: &f64| fits_number(&field.node, *value);
    let money = field.is(&[
        "total", "price", "subtotal", "tax", "cost", "fee", "balance", "charge", "refund", "value", "budget", "salary",
    ]);
    let percent = field.is(&["percent", "percentage", "rate", "discount"]);
    let lines = labels::matching(facts.labels(), &field.words);
    let labelled = lines.into_iter().find_map(|line| {
        let amount = numbers::money(line).first().map(|money| money.amount);
        let number = || numbers::numerals(line).first().map(|number| number.value);
        amount.or_else(|| numbers::percentages(line).first().copied().filter(|_| percent)).or_else(number).filter(fits)
    });
    if let Some(value) = labelled {
        return found(value, 1.0);
    }
    if percent && let Some(value) = numbers::percentages(facts.raw()).into_iter().find(fits) {
        return found(value, 0.8);
    }
    if money && !field.is(&["tax", "subtotal"]) {
        let mut amounts = facts.money().iter().map(|money| money.amount).filter(fits);
        let amount = if field.says("total") { amounts.reduce(f64::max) } else { amounts.next() };
        return amount.map_or(Fill::Nothing, |amount| found(amount, 0.8));
    }
    number_near(field, facts).filter(fits).map_or(Fill::Nothing, |value| found(value, 0.7))
}

/// Units that stand for a quantity.
const UNITS: [&str; 14] = [
    "x", "pcs", "pieces", "units", "items", "copies", "boxes", "stuck", "stk", "pieces", "unidades", "piezas", "seats",
    "licences",
];

/// A lone number next to a word of the property's name: `12 employees`, `room 7`, `4/5 stars`.
pub(super) fn number_near(field: &Field<'_>, facts: &Facts<'_>) -> Option<f64> {
    let text = facts.text;
    let stems = field.also.iter().filter(|word| word.len() >= 3).map(|word| word.strip_suffix('s').unwrap_or(word));
    let mut phrases: Vec<Phrase> = stems.map(|stem| Phrase::new(&format!("{stem}*"))).collect();
    if field.is(&["quantity"]) {
        phrases.extend(UNITS.iter().map(|unit| Phrase::new(unit)));
    }
    if field.is(&["rating", "stars", "score"]) {
        phrases.extend(["stars", "sterne", "étoiles", "estrellas", "out of"].map(Phrase::new));
    }
    let near = |at: usize| {
        let (from, to) =
            (text.span(at.saturating_sub(2)).start, text.span((at + 3).min(text.len().saturating_sub(1))).end);
        facts
            .numerals()
            .iter()
            .find(|number| number.span.start >= from && number.span.end <= to)
            .map(|number| number.value)
    };
    phrases.iter().find_map(|phrase| text.find(phrase).take(16).find_map(near))
}
