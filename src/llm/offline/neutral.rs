//! What to say where the text says nothing: the most neutral value that a schema accepts.

use serde_json::{Map, Value};

use super::lexicon::NEUTRAL;
use super::numbers::to_json;
use super::pattern;
use super::text::name_words;
use crate::schema::node::{Kind, Node};

/// Depth of made-up objects and arrays.
const MAX_DEPTH: usize = 8;

/// Members of a made-up array, and properties of a made-up object.
const MAX_MEMBERS: usize = 32;

/// The most neutral value for `schema`.
pub(super) fn value(root: &Value, schema: &Value) -> Value {
    at_depth(root, schema, 0)
}

fn at_depth(root: &Value, schema: &Value, depth: usize) -> Value {
    let node = Node::new(root, schema);
    if let Some(given) = node.get("const").or_else(|| node.get("default")) {
        return given.clone();
    }
    if node.nullable || depth > MAX_DEPTH {
        return Value::Null;
    }
    match node.kind() {
        Kind::Choice => choice(&node).cloned().unwrap_or_default(),
        Kind::Boolean => Value::Bool(false),
        Kind::Integer | Kind::Number => number(&node),
        Kind::String => Value::String(string(&node)),
        Kind::Null => Value::Null,
        Kind::Array => {
            let count = node.count("minItems").unwrap_or_default().min(MAX_MEMBERS);
            let item = node.get("items").filter(|_| count > 0).map(|items| at_depth(root, items, depth + 1));
            Value::Array(vec![item.unwrap_or_default(); count])
        }
        Kind::Object => {
            let required = node.properties().filter(|(name, _)| node.requires(name)).take(MAX_MEMBERS);
            let members: Map<_, _> =
                required.map(|(name, schema)| (name.clone(), at_depth(root, schema, depth + 1))).collect();
            Value::Object(members)
        }
    }
}

/// The number nearest to zero within the schema's range.
/// The value that stands for silence: `other`, `unknown`, …; otherwise the first.
pub(super) fn choice<'s>(node: &Node<'s>) -> Option<&'s Value> {
    let choices = node.choices();
    let named = |wanted: &str| {
        let same = |value: &&Value| value.as_str().is_some_and(|value| name_words(value).join("_") == wanted);
        choices.iter().map(|(value, _)| *value).find(same)
    };
    NEUTRAL.iter().find_map(|wanted| named(wanted)).or_else(|| choices.first().map(|(value, _)| *value))
}

fn number(node: &Node<'_>) -> Value {
    let whole = node.kind() == Kind::Integer;
    let step = node.number("multipleOf").filter(|step| *step > 0.0).or(whole.then_some(1.0));
    let nudge = step.unwrap_or(0.5);
    let mut value = 0.0_f64;
    if let Some(least) = node.number("minimum") {
        value = value.max(least);
    }
    if let Some(above) = node.number("exclusiveMinimum").filter(|above| *above >= value) {
        value = above + nudge;
    }
    if let Some(most) = node.number("maximum") {
        value = value.min(most);
    }
    if let Some(below) = node.number("exclusiveMaximum").filter(|below| *below <= value) {
        value = below - nudge;
    }
    if let Some(step) = step {
        let steps = value / step;
        value = step * if value > 0.0 { steps.ceil() } else { steps.floor() };
    }
    if fits_number(node, value) { to_json(value) } else { between(node).unwrap_or_else(|| to_json(value)) }
}

/// The middle of a range that is too narrow for steps.
fn between(node: &Node<'_>) -> Option<Value> {
    let low = node.number("minimum").or_else(|| node.number("exclusiveMinimum"))?;
    let high = node.number("maximum").or_else(|| node.number("exclusiveMaximum"))?;
    Some(to_json(f64::midpoint(low, high)))
}

/// Whether the schema's range and step allow `value`.
pub(super) fn fits_number(node: &Node<'_>, value: f64) -> bool {
    let step = node.number("multipleOf").filter(|step| *step > 0.0);
    node.number("minimum").is_none_or(|least| value >= least)
        && node.number("maximum").is_none_or(|most| value <= most)
        && node.number("exclusiveMinimum").is_none_or(|above| value > above)
        && node.number("exclusiveMaximum").is_none_or(|below| value < below)
        && step.is_none_or(|step| ((value / step).round() * step - value).abs() < 1e-9)
        && (node.kind() == Kind::Number || value.fract() == 0.0)
}

/// Whether the schema's length and pattern allow `text`.
pub(super) fn fits_string(node: &Node<'_>, text: &str) -> bool {
    let length = text.chars().count();
    let pattern = node.get("pattern").and_then(Value::as_str).and_then(pattern::of_schema);
    length >= node.count("minLength").unwrap_or_default()
        && node.count("maxLength").is_none_or(|most| length <= most)
        && pattern.is_none_or(|pattern| pattern.is_match(text))
}

/// A string that says “unknown” as well as the schema lets it.
fn string(node: &Node<'_>) -> String {
    let formatted = match node.text("format") {
        "date" => "1970-01-01",
        "date-time" => "1970-01-01T00:00:00Z",
        "time" => "00:00:00Z",
        "email" | "idn-email" => "unknown@example.invalid",
        "uri" | "iri" | "uri-reference" => "urn:unknown",
        "uuid" => "00000000-0000-0000-0000-000000000000",
        "ipv4" => "0.0.0.0",
        "ipv6" => "::",
        _ => "unknown",
    };
    if fits_string(node, formatted) {
        return formatted.to_owned();
    }
    if let Some(example) = node.get("pattern").and_then(Value::as_str).and_then(pattern::example) {
        return example;
    }
    let least = node.count("minLength").unwrap_or_default().min(100_000);
    let most = node.count("maxLength").unwrap_or(usize::MAX);
    let padded = formatted.chars().chain(std::iter::repeat('-'));
    padded.take(formatted.len().clamp(least, most.max(least))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn neutral_values_respect_the_constraints() {
        for (schema, wanted) in [
            (json!({"type": "integer", "minimum": 3, "maximum": 9}), json!(3)),
            (json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5}), json!(0.25)),
            (json!({"type": "integer", "maximum": -5, "multipleOf": 4}), json!(-8)),
            (json!({"type": "string", "maxLength": 3}), json!("unk")),
            (json!({"type": "string", "minLength": 9}), json!("unknown--")),
            (json!({"type": "string", "pattern": "^[A-Z]{2}$"}), json!("AA")),
            (json!({"enum": ["red", "other", "blue"]}), json!("other")),
            (json!({"enum": ["red", "blue"]}), json!("red")),
            (json!({"type": ["string", "null"]}), json!(null)),
            (json!({"type": "string", "default": "x"}), json!("x")),
            (json!({"type": "array", "minItems": 2, "items": {"type": "integer"}}), json!([0, 0])),
        ] {
            assert_eq!(value(&schema, &schema), wanted, "{schema}");
        }
        let endless = json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}});
        assert!(value(&endless, &endless).is_object());
    }
}
