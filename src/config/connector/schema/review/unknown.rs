//! Keywords that JSON Schema does not have.

use serde_json::{Map, Value};

use super::Review;
use crate::config::values::quoted;
use crate::domain::json::pointer::join;
use crate::domain::nearest::nearest;
use crate::eval::x_eval;
use crate::schema::annotations::{EVAL, EVIDENCE, ON_UNGROUNDED};
use crate::schema::keywords::{self, KEYWORDS};

/// Annotations of OpenAPI, and of tools that generate code and forms.
const ANNOTATIONS: [&str; 27] = [
    "example",
    "discriminator",
    "xml",
    "externalDocs",
    "propertyOrdering",
    "propertyOrder",
    "enumNames",
    "enumDescriptions",
    "enumTitles",
    "markdownDescription",
    "markdownEnumDescriptions",
    "deprecationMessage",
    "defaultSnippets",
    "errorMessage",
    "patternErrorMessage",
    "doNotSuggest",
    "tsType",
    "tsEnumNames",
    "javaType",
    "existingJavaType",
    "goType",
    "label",
    "order",
    "hidden",
    "unit",
    "version",
    "links",
];

/// The annotations that this program reads, with the words that each can have.
const OWN_WORDS: [(&str, &[&str]); 2] =
    [(EVIDENCE, &["locate", "quote", "judged"]), (ON_UNGROUNDED, &["flag", "null", "review", "dead-letter"])];

/// What other notations call a keyword, and drafts before 4.
const OTHER_NAMES: [(&str, &str); 17] = [
    ("regex", "pattern"),
    ("regexp", "pattern"),
    ("values", "enum"),
    ("choices", "enum"),
    ("oneof", "oneOf"),
    ("min", "minimum"),
    ("max", "maximum"),
    ("minlen", "minLength"),
    ("maxlen", "maxLength"),
    ("minimumlength", "minLength"),
    ("maximumlength", "maxLength"),
    ("ref", "$ref"),
    ("defs", "$defs"),
    ("schema", "$schema"),
    ("extends", "allOf"),
    ("disallow", "not"),
    ("divisibleby", "multipleOf"),
];

impl Review<'_> {
    pub(super) fn unknown(&mut self, name: &str, value: &Value, schema: &Map<String, Value>, at: &str) {
        let pointer = join(at, name);
        if name == "nullable" {
            return self.nullable(value, schema, pointer);
        }
        if let Some((_, words)) = OWN_WORDS.iter().find(|(own, _)| *own == name) {
            return self.own_word(name, value, words, pointer);
        }
        if name == EVAL {
            if let Err(error) = x_eval::check(self.root, &Value::Object(schema.clone())) {
                self.mistake(pointer, format!("{EVAL}: {}", error.message), error.help);
            }
            return;
        }
        let is_own = name.starts_with(['_', '@', '~'])
            || name.contains(':')
            || ["x-", "x_", "ui"].iter().any(|own| name.starts_with(own));
        if is_own || ANNOTATIONS.contains(&name) {
            return;
        }
        if let Some(near) = meant(name) {
            let message = format!("JSON Schema has no keyword {}: it does nothing", quoted(name));
            return self.mistake(pointer, message, format!("did you mean `{near}`?"));
        }
        let is_schema = |members: &Map<String, Value>| members.keys().any(|name| keywords::find(name).is_some());
        if value.as_object().is_some_and(is_schema) {
            let message = format!("JSON Schema has no keyword {}: it does nothing", quoted(name));
            return self.mistake(pointer, message, "if it is a property, put it below properties");
        }
        let message = format!("JSON Schema has no keyword {}: it does nothing", quoted(name));
        self.note(pointer, message, "begin the names of your own annotations with x-");
    }

    fn own_word(&mut self, name: &str, value: &Value, words: &[&str], pointer: String) {
        if !value.as_str().is_some_and(|word| words.contains(&word)) {
            let help = format!("write {}", words.join(" or "));
            self.mistake(pointer, format!("{name} has no such value"), help);
        }
    }

    /// OpenAPI 3.0's way to allow null.
    fn nullable(&mut self, value: &Value, schema: &Map<String, Value>, pointer: String) {
        let refuses_null = match schema.get("type") {
            Some(Value::String(kind)) => kind != "null",
            Some(Value::Array(kinds)) => kinds.iter().all(|kind| kind != "null"),
            _ => schema.get("enum").and_then(Value::as_array).is_some_and(|values| !values.contains(&Value::Null)),
        };
        if value == &Value::Bool(true) && refuses_null {
            let kind = schema.get("type").and_then(Value::as_str).unwrap_or("string");
            let message =
                "nullable is a keyword of OpenAPI 3.0 and does nothing in JSON Schema: null is not valid here";
            self.mistake(
                pointer,
                message,
                format!("write type: [{kind}, \"null\"], and null among the values of an enum"),
            );
        }
    }
}

/// The keyword that was meant.
fn meant(name: &str) -> Option<&'static str> {
    let plain = |name: &str| {
        name.chars().filter(|c| !matches!(c, '_' | '-' | '$')).flat_map(char::to_lowercase).collect::<String>()
    };
    let wanted = plain(name);
    let same = KEYWORDS.iter().map(|keyword| keyword.name).find(|known| plain(known) == wanted);
    let other = || OTHER_NAMES.iter().find(|(other, _)| *other == wanted).map(|(_, known)| *known);
    same.or_else(other).or_else(|| nearest(name, KEYWORDS.iter().map(|keyword| keyword.name)))
}
