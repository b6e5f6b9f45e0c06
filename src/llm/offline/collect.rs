//! Arrays: everything of a kind that the text has.

use std::ops::Range;

use serde_json::{Map, Value};

use super::choose;
use super::facts::Facts;
use super::field::{Field, Fill};
use super::label_match;
use super::labels::Label;
use super::lexicon::TOPICS;
use super::neutral::{self, fits_number, fits_string};
use super::numbers::to_json;
use super::strings;
use super::table::{self, Item};
use super::want::{Want, want};
use super::{identifiers, names, numbers};
use crate::schema::node::{Kind, Node};

/// Members that are collected where the schema sets no limit.
const MAX_ITEMS: usize = 50;

/// The members for `field`; [`Fill::Nothing`] if there are none.
pub(super) fn collect(root: &Value, field: &Field<'_>, facts: &Facts<'_>) -> Fill {
    let items = field.node.get("items").unwrap_or(&Value::Null);
    let node = Node::new(root, items);
    let mut found = match node.kind() {
        Kind::Choice => choose::all(&node, facts),
        Kind::Object => objects(root, &node, field, facts),
        Kind::Integer | Kind::Number => numerals(&node, field, facts),
        Kind::String => strings(&node, field, facts),
        Kind::Array | Kind::Boolean | Kind::Null => Vec::new(),
    };
    if field.node.get("uniqueItems") == Some(&Value::Bool(true)) || node.kind() == Kind::String {
        let mut seen: Vec<Value> = Vec::with_capacity(found.len());
        found.retain(|value| {
            !seen.contains(value) && {
                seen.push(value.clone());
                true
            }
        });
    }
    found.truncate(field.node.count("maxItems").unwrap_or(MAX_ITEMS).min(MAX_ITEMS));
    if found.is_empty() || field.node.count("minItems").is_some_and(|least| found.len() < least) {
        return Fill::Nothing;
    }
    Fill::Found(Value::Array(found), 0.8)
}

fn numerals(node: &Node<'_>, field: &Field<'_>, facts: &Facts<'_>) -> Vec<Value> {
    let money = field.is(&["total", "price", "cost", "fee"]) || field.says("amounts") || field.says("prices");
    let lines = label_match::matching(facts.labels(), field);
    let values: Vec<f64> = if money {
        facts.money().iter().map(|money| money.amount).collect()
    } else {
        lines
            .first()
            .map(|line| numbers::numerals(line))
            .unwrap_or_default()
            .iter()
            .map(|number| number.value)
            .collect()
    };
    values.into_iter().filter(|value| fits_number(node, *value)).map(to_json).collect()
}

fn strings(node: &Node<'_>, field: &Field<'_>, facts: &Facts<'_>) -> Vec<Value> {
    let raw = facts.raw();
    let singular = field.singular(node);
    let owned = |found: Vec<&str>| found.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let found = match want(&singular) {
        Want::Email => owned(identifiers::emails(raw)),
        Want::Url => owned(identifiers::urls(raw)),
        Want::Phone => owned(identifiers::phones(raw)),
        Want::Ip => owned(identifiers::ips(raw)),
        Want::Uuid => owned(identifiers::uuids(raw)),
        Want::Date => facts.dates().iter().map(super::dates::Date::to_date).collect(),
        Want::DateTime => facts.dates().iter().map(super::dates::Date::to_date_time).collect(),
        Want::Currency => facts.money().iter().map(|money| money.currency.to_owned()).collect(),
        Want::Identifier(about) => {
            facts.identifiers().iter().filter(|one| one.about == about).map(|one| one.value.to_owned()).collect()
        }
        Want::Company => owned(names::companies(raw)),
        Want::Person => owned(names::people(raw)),
        Want::Product => owned(names::products(raw, facts.german())),
        Want::Topic => topics(facts),
        _ if field.is(&["tags", "tag", "keywords", "labels", "topics", "categories", "intents"]) => topics(facts),
        _ if field.is(&["entities", "mentions"]) => entities(facts).into_iter().map(|entity| entity.text).collect(),
        Want::Language
        | Want::Summary
        | Want::Subject
        | Want::Whole
        | Want::Document
        | Want::Mood
        | Want::Level
        | Want::Title
        | Want::Money
        | Want::Percent
        | Want::Rating
        | Want::Plain => listed(field, facts),
    };
    found.into_iter().filter(|text| fits_string(node, text)).map(Value::String).collect()
}

fn topics(facts: &Facts<'_>) -> Vec<String> {
    choose::spoken_of(facts.text, &TOPICS).into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// `Skills: a, b, c`.
fn listed(field: &Field<'_>, facts: &Facts<'_>) -> Vec<String> {
    let lines = label_match::matching(facts.labels(), field);
    let parts =
        lines.first().map(|line| line.split([',', ';']).map(|part| part.trim().to_owned())).into_iter().flatten();
    parts.filter(|part| !part.is_empty()).collect()
}

fn objects(root: &Value, node: &Node<'_>, field: &Field<'_>, facts: &Facts<'_>) -> Vec<Value> {
    let has = |names: &[&str]| node.properties().any(|(name, _)| names.contains(&name.as_str()));
    if has(&["label"]) && has(&["value"]) {
        return facts.labels().iter().map(|label| entry(root, node, label, facts)).collect();
    }
    if has(&["quantity", "qty", "unit_price", "unitPrice", "price"]) || field.is(&["items", "positions", "lines"]) {
        let items = table::items(facts.raw());
        return items.iter().map(|item| line_item(root, node, item)).collect();
    }
    if has(&["value", "text", "name", "entity"]) && has(&["type", "kind", "label", "category"]) {
        return entities(facts).iter().map(|found| entity(root, node, found)).collect();
    }
    Vec::new()
}

fn line_item(root: &Value, node: &Node<'_>, item: &Item) -> Value {
    members(root, node, |field| {
        let number = |value: Option<f64>| {
            let value = value?;
            if field.node.kind() == Kind::String {
                Some(Value::String(to_json(value).to_string()))
            } else {
                fits_number(&field.node, value).then(|| to_json(value))
            }
        };
        if field.is(&["quantity"]) {
            number(item.quantity)
        } else if field.is(&["price"]) {
            number(item.unit_price)
        } else if field.is(&["total", "line", "sum"]) {
            number(item.total)
        } else if field.is(&["description", "name", "product", "article", "text"]) {
            fits_string(&field.node, &item.description).then(|| Value::String(item.description.clone()))
        } else {
            None
        }
    })
}

/// One entry of a form.
fn entry(root: &Value, node: &Node<'_>, label: &Label<'_>, facts: &Facts<'_>) -> Value {
    let is_required = label.name.ends_with('*').then_some(Value::Bool(true));
    members(root, node, |field| match field.words.first().map(String::as_str) {
        Some("label") => Some(Value::from(label.name)),
        Some("value") => Some(if label.value.is_empty() { Value::Null } else { Value::from(label.value) }),
        Some("kind" | "type") => {
            let kind = kind_of_entry(label, facts);
            field.node.choices().iter().map(|(value, _)| *value).find(|value| value.as_str() == Some(kind)).cloned()
        }
        Some("required") => is_required.clone(),
        _ => None,
    })
}

fn kind_of_entry(label: &Label<'_>, facts: &Facts<'_>) -> &'static str {
    let value = label.value.trim();
    if label.says("signature") {
        "signature"
    } else if matches!(value, "[x]" | "[X]" | "[ ]" | "☑" | "☐" | "☒" | "x" | "✓") {
        "checkbox"
    } else if super::dates::dates(value, facts.day_first()).len() == 1 && value.len() <= 20 {
        "date"
    } else if numbers::numerals(value).first().is_some_and(|number| number.span.len() == value.len()) {
        "number"
    } else {
        "text"
    }
}

fn entity(root: &Value, node: &Node<'_>, found: &Entity) -> Value {
    members(root, node, |field| {
        if field.words.iter().any(|word| matches!(word.as_str(), "type" | "kind" | "label" | "category")) {
            let choices = field.node.choices();
            let own = |value: &&Value| {
                value.as_str().is_some_and(|value| found.names().any(|name| value.eq_ignore_ascii_case(name)))
            };
            let own = choices.iter().map(|(value, _)| *value).find(own);
            if choices.is_empty() { Some(Value::from(found.kind)) } else { own.cloned() }
        } else if field.words.iter().any(|word| word == "normalized" || word == "normalised") {
            found.normal.clone().map(Value::String)
        } else if field.is(&["value", "text", "name", "entity"]) && field.node.kind() == Kind::String {
            fits_string(&field.node, &found.text).then(|| Value::from(found.text.as_str()))
        } else {
            None
        }
    })
}

/// An object whose members `known` gives; the others are null, left out or neutral.
fn members(root: &Value, node: &Node<'_>, known: impl Fn(&Field<'_>) -> Option<Value>) -> Value {
    let mut object = Map::new();
    for (name, schema) in node.properties().take(MAX_ITEMS) {
        let field = Field::new(root, name, schema, &[], true);
        let given = known(&field)
            .or_else(|| (node.requires(name) || field.node.nullable).then(|| neutral::value(root, schema)));
        object.extend(given.map(|value| (name.clone(), value)));
    }
    Value::Object(object)
}

/// Something in the text that has a type of its own.
struct Entity {
    kind: &'static str,
    span: Range<usize>,
    text: String,
    /// A standard form: a date as ISO 8601, an amount with the code of its currency.
    normal: Option<String>,
}

impl Entity {
    /// What a schema may call the type.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        const SAME: [(&str, &[&str]); 3] = [
            ("company", &["organization", "organisation", "org"]),
            ("identifier", &["id", "number", "reference"]),
            ("money", &["amount", "price"]),
        ];
        let others = SAME.iter().find(|(kind, _)| *kind == self.kind).map_or(&[][..], |(_, names)| names);
        std::iter::once(self.kind).chain(others.iter().copied())
    }
}

/// Everything that has a type of its own, in order of appearance; of those that overlap the one of the surer type.
fn entities(facts: &Facts<'_>) -> Vec<Entity> {
    let raw = facts.raw();
    let mut found: Vec<Entity> = Vec::new();
    let mut add = |kind: &'static str, span: Range<usize>, normal: Option<String>| {
        let Some(text) = raw.get(span.clone()) else { return };
        let taken = found.iter().any(|other| other.span.start < span.end && span.start < other.span.end);
        if !taken && found.len() < MAX_ITEMS {
            found.push(Entity { kind, span, text: text.to_owned(), normal });
        }
    };
    let slices: [(&'static str, Vec<&str>); 3] =
        [("email", identifiers::emails(raw)), ("url", identifiers::urls(raw)), ("phone", identifiers::phones(raw))];
    let span = |text: &str| strings::place(raw, text)..strings::place(raw, text) + text.len();
    let spans = |texts: Vec<&str>| texts.into_iter().map(span).collect::<Vec<_>>();
    for (kind, texts) in slices {
        spans(texts).into_iter().for_each(|span| add(kind, span, None));
    }
    facts.dates().iter().for_each(|date| add("date", date.at..date.end, Some(date.to_date())));
    for money in facts.money() {
        add("money", money.span.clone(), Some(format!("{} {}", money.currency, to_json(money.amount))));
    }
    spans(facts.identifiers().iter().map(|one| one.value).collect())
        .into_iter()
        .for_each(|span| add("identifier", span, None));
    spans(names::people(raw)).into_iter().for_each(|span| add("person", span, None));
    spans(names::companies(raw)).into_iter().for_each(|span| add("company", span, None));
    spans(names::products(raw, facts.german())).into_iter().for_each(|span| add("product", span, None));
    found.sort_by_key(|entity| entity.span.start);
    found
}
