//! What `x-eval` says of a field.

use serde_json::Value;

use super::metric::Metric;
use crate::domain::nearest::nearest;
use crate::schema::annotations;
use crate::schema::node::{Kind, Node};

/// Why an `x-eval` says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {help}")]
pub struct AnnotationError {
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
}

/// Looks at the `x-eval` of this part of a schema, if it has one, and not at those within it.
///
/// # Errors
/// It says nothing.
pub fn check(root: &Value, schema: &Value) -> Result<(), AnnotationError> {
    let Some(keyword) = schema.get(annotations::EVAL) else { return Ok(()) };
    let node = Node::new(root, schema);
    let is_untyped = ["type", "enum", "properties"].iter().all(|key| node.get(key).is_none());
    // Where this part does not say what the value is, another one may say that it is a list.
    read(keyword, node.kind() == Kind::Array || is_untyped).map(drop)
}

/// The metric that an `x-eval` names. How the items of a list are compared is not said by it.
pub(super) fn read(keyword: &Value, is_list: bool) -> Result<Metric, AnnotationError> {
    let (name, setting) = match keyword {
        Value::String(name) => (name.as_str(), None),
        Value::Object(members) => match members.iter().next() {
            Some((name, setting)) if members.len() == 1 => (name.as_str(), Some(setting)),
            _ => {
                return Err(wrong(
                    "one metric is expected",
                    "write for example { \"number\": { \"tolerance\": 0.01 } }",
                ));
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return Err(unknown("")),
    };
    match (name, setting) {
        ("exact", None) => Ok(Metric::Exact),
        ("normalised", None) => Ok(Metric::Normalised),
        ("ignore", None) => Ok(Metric::Ignore),
        ("list-f1", None) if is_list => Ok(Metric::ListF1 { items: Vec::new() }),
        ("list-f1", None) => Err(wrong("list-f1 is for lists", "write exact or normalised")),
        ("number", setting) => {
            let tolerance = amount(name, setting, "tolerance", Value::as_f64)?.unwrap_or(0.0);
            Ok(Metric::Number { tolerance })
        }
        ("date", setting) => {
            let days = amount(name, setting, "days", |days| u32::try_from(days.as_u64()?).ok())?;
            Ok(Metric::Date { days: days.unwrap_or(0) })
        }
        ("exact" | "normalised" | "ignore" | "list-f1", Some(_)) => {
            Err(wrong(format!("{name} has no settings"), format!("write \"{name}\"")))
        }
        (name, _) => Err(unknown(name)),
    }
}

/// The one setting of a metric.
fn amount<T: PartialOrd + Default>(
    metric: &str,
    setting: Option<&Value>,
    name: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, AnnotationError> {
    let Some(setting) = setting else { return Ok(None) };
    let members = setting.as_object().filter(|members| members.len() == 1 && members.contains_key(name));
    let amount = members.and_then(|members| read(members.get(name)?)).filter(|amount| *amount >= T::default());
    let help = || format!("write {{ \"{name}\": … }} with a number that is not negative");
    amount.map(Some).ok_or_else(|| wrong(format!("{metric} has no such setting"), help()))
}

fn unknown(name: &str) -> AnnotationError {
    const NAMES: [&str; 6] = ["exact", "normalised", "number", "date", "list-f1", "ignore"];
    let known = || format!("write one of {}", NAMES.join(", "));
    let help = nearest(name, NAMES).map_or_else(known, |near| format!("did you mean {near}?"));
    wrong("there is no such metric", help)
}

fn wrong(message: impl Into<String>, help: impl Into<String>) -> AnnotationError {
    AnnotationError { message: message.into(), help: help.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_of_a_schema_is_checked_by_itself() {
        let check = |schema: Value| check(&schema, &schema).err().map(|error| error.to_string());
        assert_eq!(check(json!({ "type": "string" })), None);
        assert_eq!(check(json!({ "type": "array", "x-eval": "list-f1" })), None);
        assert_eq!(check(json!({ "x-eval": "list-f1" })), None, "another part may say that it is a list");
        let wrong = check(json!({ "type": "string", "x-eval": "list-f1" }));
        assert_eq!(wrong.as_deref(), Some("list-f1 is for lists; write exact or normalised"));
        let inner = json!({ "type": "object", "properties": { "a": { "x-eval": "fuzzy" } } });
        assert_eq!(check(inner), None, "its parts are checked by themselves");
    }
}
