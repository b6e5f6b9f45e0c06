//! Arrays: everything of a kind that the text has.

use serde_json::{Map, Value};

use super::choose;
use super::facts::Facts;
use super::fill::{Field, Fill};
use super::labels;
use super::lexicon::TOPICS;
use super::neutral::{self, fits_number, fits_string};
use super::numbers::to_json;
use super::schema::{Kind, Node};
use super::strings::{self, Want};
use super::table::{self, Item};
use super::{identifiers, names, numbers};

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
    let values: Vec<f64> = if money {
        facts.money().iter().map(|money| money.amount).collect()
    } else {
        facts.numerals().iter().map(|number| number.value).collect()
    };
    values.into_iter().filter(|value| fits_number(node, *value)).map(to_json).collect()
}

fn strings(node: &Node<'_>, field: &Field<'_>, facts: &Facts<'_>) -> Vec<Value> {
    let raw = facts.raw();
    let singular = field.singular(node);
    let owned = |found: Vec<&str>| found.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let found = match strings::want(&singular) {
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
        _ if field.is(&["entities", "mentions"]) => entities(facts).into_iter().map(|(_, text)| text).collect(),
        Want::Language
        | Want::Summary
        | Want::Subject
        | Want::Whole
        | Want::Document
        | Want::Mood
        | Want::Level
        | Want::Amount
        | Want::Plain => listed(field, facts),
    };
    found.into_iter().filter(|text| fits_string(node, text)).map(Value::String).collect()
}

fn topics(facts: &Facts<'_>) -> Vec<String> {
    choose::spoken_of(facts.text, &TOPICS).into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// `Skills: a, b, c`.
fn listed(field: &Field<'_>, facts: &Facts<'_>) -> Vec<String> {
    let lines = labels::matching(facts.labels(), &field.words);
    let parts =
        lines.first().map(|line| line.split([',', ';']).map(|part| part.trim().to_owned())).into_iter().flatten();
    parts.filter(|part| !part.is_empty()).collect()
}

fn objects(root: &Value, node: &Node<'_>, field: &Field<'_>, facts: &Facts<'_>) -> Vec<Value> {
    let has = |names: &[&str]| node.properties().any(|(name, _)| names.contains(&name.as_str()));
    if has(&["quantity", "qty", "unit_price", "unitPrice", "price"]) || field.is(&["items", "positions", "lines"]) {
        let items = table::items(facts.raw());
        return items.iter().map(|item| line_item(root, node, item)).collect();
    }
    if has(&["value", "text", "name", "entity"]) && has(&["type", "kind", "label", "category"]) {
        return entities(facts).into_iter().map(|(kind, text)| entity(root, node, kind, &text)).collect();
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
        } else if field.is(&["price", "rate", "unit"]) {
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

fn entity(root: &Value, node: &Node<'_>, kind: &str, text: &str) -> Value {
    members(root, node, |field| {
        if field.is(&["type", "kind", "label", "category"]) {
            let choices = field.node.choices();
            let own =
                choices.iter().find(|(value, _)| value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(kind)));
            if choices.is_empty() { Some(Value::from(kind)) } else { own.map(|(value, _)| (*value).clone()) }
        } else if field.is(&["value", "text", "name", "entity"]) && field.node.kind() == Kind::String {
            fits_string(&field.node, text).then(|| Value::from(text))
        } else {
            None
        }
    })
}

/// An object whose members `known` gives; the others are null, left out or neutral.
fn members(root: &Value, node: &Node<'_>, known: impl Fn(&Field<'_>) -> Option<Value>) -> Value {
    let mut object = Map::new();
    for (name, schema) in node.properties().take(MAX_ITEMS) {
        let field = Field::new(root, name, schema, &[]);
        let given = known(&field)
            .or_else(|| (node.requires(name) || field.node.nullable).then(|| neutral::value(root, schema)));
        object.extend(given.map(|value| (name.clone(), value)));
    }
    Value::Object(object)
}

/// Everything that has a type of its own, with the type's name.
fn entities(facts: &Facts<'_>) -> Vec<(&'static str, String)> {
    let raw = facts.raw();
    let mut found: Vec<(&'static str, String)> = Vec::new();
    let mut add = |kind: &'static str, texts: Vec<&str>| {
        found.extend(texts.into_iter().map(|text| (kind, text.to_owned())));
    };
    add("person", names::people(raw));
    add("company", names::companies(raw));
    add("product", names::products(raw, facts.german()));
    add("email", identifiers::emails(raw));
    add("url", identifiers::urls(raw));
    add("phone", identifiers::phones(raw));
    add("money", numbers::money(raw).iter().filter_map(|money| raw.get(money.span.clone())).collect());
    add("identifier", facts.identifiers().iter().map(|one| one.value).collect());
    let dates: Vec<String> = facts.dates().iter().map(super::dates::Date::to_date).collect();
    add("date", dates.iter().map(String::as_str).collect());
    found.dedup();
    found.truncate(MAX_ITEMS);
    found
}
