//! The record as a template sees it. Only what the template reads is converted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use serde_json::Value as Json;

use super::numbers::Spellings;
use super::reads::{Need, Path, Reads};
use super::{Key, Scope};
use crate::domain::event::{Data, Event};

/// The variable that has an answer's data.
pub(super) const RESULT: &str = "result";
/// Deepest data that is converted; the codec refuses deeper JSON.
const MAX_DEPTH: usize = 128;

type Members = BTreeMap<Arc<str>, Value>;

/// Why a record has no value for what a template reads.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The event's data is no text; this is its content type.
    Binary(String),
    /// It is nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary(kind) => write!(f, "it reads data, but the event's data is binary ({kind})"),
            Self::TooDeep => write!(f, "the event's data is nested deeper than {MAX_DEPTH} levels"),
        }
    }
}

/// The variables that a template reads, with the values that this record, and its result where there is one, have for
/// them.
pub(super) fn build(reads: &Reads, scope: &Scope<'_>, result: Option<&Json>) -> Result<Value, Unreadable> {
    let mut variables = Members::new();
    let mut spellings = Spellings::new(reads.makes_texts);
    for (root, need) in &reads.roots {
        let value = match &**root {
            "data" => data(need, scope.event, &mut spellings)?,
            "event" => {
                Some(members(need, &attribute_names(scope.event), |name| attribute(scope.event, name).map(Value::from)))
            }
            "headers" => Some(members(need, &header_names(scope), |name| header(scope, name).map(Value::from))),
            "key" => match scope.key {
                Some(Key::Json(json)) => Some(pick(json, need, &mut spellings)?),
                Some(Key::Bytes(_)) | None => scope.key_text().map(Value::from),
            },
            RESULT => result.map(|json| pick(json, need, &mut spellings)).transpose()?,
            _ => None,
        };
        if let Some(value) = value {
            variables.insert(Arc::clone(root), value);
        }
    }
    variables.extend(spellings.into_variable().map(|(name, value)| (Arc::from(name), value)));
    Ok(Value::from(variables))
}

/// The text of the event that the template reads, one value a line; `None` where it reads other than texts.
pub(super) fn content(reads: &Reads, scope: &Scope<'_>) -> Option<String> {
    let mut texts: Vec<&str> = Vec::new();
    for path in &reads.data {
        let text = match (&scope.event.data, path.segments.get(1..)) {
            (Data::Text(text), Some([])) => text,
            (Data::Json(json), Some(members)) => {
                match members.iter().try_fold(json, |json, member| json.get(member.as_str())) {
                    Some(Json::String(text)) => text,
                    Some(Json::Null) => "",
                    Some(Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) | None => return None,
                }
            }
            _ => return None,
        };
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// Says which of the paths on the failing line the record does not have.
pub(super) fn explain_undefined(
    reads: &Reads,
    line: Option<usize>,
    scope: &Scope<'_>,
    result: Option<&Json>,
) -> String {
    let mut missing: Vec<&Path> = reads.paths.iter().filter(|path| !exists(path, scope, result)).collect();
    if missing.iter().any(|path| Some(path.line) == line) {
        missing.retain(|path| Some(path.line) == line);
    }
    let mut names: Vec<String> = missing.iter().map(|path| path.segments.join(".")).collect();
    names.dedup();
    let reason = match &scope.event.data {
        Data::Absent => " (the event has no data)",
        Data::Text(_) => " (the event's data is text, without fields)",
        Data::Json(_) | Data::Binary(_) => "",
    };
    let concerns_data = missing.iter().any(|path| path.segments.first().is_some_and(|root| root == "data"));
    let reason = if concerns_data { reason } else { "" };
    match names.as_slice() {
        [] => "it uses something that is undefined for this record".to_owned(),
        [name] => format!("{name} is undefined{reason}"),
        several => format!("one of these is undefined: {}{reason}", several.join(", ")),
    }
}

fn data(need: &Need, event: &Event, spellings: &mut Spellings) -> Result<Option<Value>, Unreadable> {
    match &event.data {
        Data::Absent => Ok(None),
        Data::Json(json) => Ok(Some(pick(json, need, spellings)?)),
        Data::Text(text) => Ok(Some(Value::from(text.as_str()))),
        Data::Binary(_) => {
            let kind = event.data_content_type.as_deref().unwrap_or("no content type");
            Err(Unreadable::Binary(kind.to_owned()))
        }
    }
}

/// Converts the parts of a JSON value that are read.
fn pick(json: &Json, need: &Need, spellings: &mut Spellings) -> Result<Value, Unreadable> {
    match (json, need) {
        (Json::Object(object), Need::Members(parts)) => {
            let present = parts.iter().filter_map(|(name, need)| object.get(&**name).map(|json| (name, json, need)));
            let picked: Result<Members, Unreadable> =
                present.map(|(name, json, need)| Ok((Arc::clone(name), pick(json, need, spellings)?))).collect();
            Ok(Value::from(picked?))
        }
        (whole, _) => convert(whole, 0, spellings),
    }
}

fn convert(json: &Json, depth: usize, spellings: &mut Spellings) -> Result<Value, Unreadable> {
    if depth > MAX_DEPTH {
        return Err(Unreadable::TooDeep);
    }
    Ok(match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => spellings.value(number),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => {
            let items: Result<Vec<Value>, Unreadable> =
                items.iter().map(|item| convert(item, depth + 1, spellings)).collect();
            Value::from(items?)
        }
        Json::Object(object) => {
            let members =
                object.iter().map(|(name, json)| Ok((Arc::from(name.as_str()), convert(json, depth + 1, spellings)?)));
            Value::from(members.collect::<Result<Members, Unreadable>>()?)
        }
    })
}

/// A map of the members that are read, or of all.
fn members(need: &Need, all: &[&str], get: impl Fn(&str) -> Option<Value>) -> Value {
    let entry = |name: &str| get(name).map(|value| (Arc::from(name), value));
    let members: Members = match need {
        Need::Whole => all.iter().filter_map(|name| entry(name)).collect(),
        Need::Members(parts) => parts.keys().filter_map(|name| entry(name)).collect(),
    };
    Value::from(members)
}

pub(super) fn attribute_names(event: &Event) -> Vec<&str> {
    let fixed = ["id", "source", "type", "subject", "time", "datacontenttype", "dataschema"];
    fixed.into_iter().chain(event.extensions.keys().map(String::as_str)).collect()
}

pub(super) fn attribute<'a>(event: &'a Event, name: &str) -> Option<&'a str> {
    match name {
        "id" => Some(&event.id),
        "source" => Some(&event.source),
        "type" => Some(&event.kind),
        "subject" => event.subject.as_deref(),
        "time" => event.time.as_deref(),
        "datacontenttype" => event.data_content_type.as_deref(),
        "dataschema" => event.data_schema.as_deref(),
        extension => event.extensions.get(extension).map(String::as_str),
    }
}

pub(super) fn header_names<'a>(scope: &Scope<'a>) -> Vec<&'a str> {
    scope.headers.iter().map(|header| &*header.name).collect()
}

/// The last header of that name, if it is text.
pub(super) fn header<'a>(scope: &Scope<'a>, name: &str) -> Option<&'a str> {
    let last = scope.headers.iter().rev().find(|header| header.name == name)?;
    std::str::from_utf8(last.value.as_deref()?).ok()
}

/// Whether the record has what a path names, or its result.
fn exists(path: &Path, scope: &Scope<'_>, result: Option<&Json>) -> bool {
    let Some((root, names)) = path.segments.split_first() else { return false };
    let first = names.first().map(String::as_str);
    let has = |json: &Json| names.iter().try_fold(json, |value, name| value.get(name)).is_some();
    match (&**root, &scope.event.data, scope.key) {
        ("data", Data::Json(json), _) => has(json),
        ("key", _, Some(Key::Json(json))) => has(json),
        ("data", Data::Text(_) | Data::Binary(_), _) => first.is_none(),
        ("key", ..) => first.is_none() && scope.key_text().is_some(),
        ("event", ..) => first.is_none_or(|name| attribute(scope.event, name).is_some()),
        ("headers", ..) => first.is_none_or(|name| header(scope, name).is_some()),
        (RESULT, ..) => result.is_some_and(has),
        _ => false,
    }
}
