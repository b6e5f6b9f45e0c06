//! What is legal in a schema and costs money all the same: answers that can never be valid, and keywords that do
//! nothing.

mod contradictions;
mod unknown;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use crate::domain::json::pointer::join;
use crate::domain::nearest::nearest;
use crate::schema::keywords::{self, Draft, Keyword, Role, subschemas};

/// Something about a schema that its author should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    /// JSON Pointer of the place.
    pub(super) pointer: String,
    pub(super) message: String,
    pub(super) help: String,
    /// Whether it is a mistake; else it may be meant.
    pub(super) is_mistake: bool,
}

/// Everything remarkable about a schema that compiles.
pub(super) fn review(schema: &Value) -> Vec<Remark> {
    let mut review = Review { root: schema, draft: Draft::of(schema), remarks: Vec::new() };
    let mut open = vec![(String::new(), schema)];
    while let Some((at, schema)) = open.pop() {
        let Some(members) = schema.as_object() else { continue };
        review.schema(members, &at);
        let inner = subschemas(members).into_iter().rev();
        open.extend(inner.map(|(tokens, inner, _)| (format!("{at}{tokens}"), inner)));
    }
    review.contradictions();
    review.remarks
}

struct Review<'a> {
    root: &'a Value,
    draft: Draft,
    remarks: Vec<Remark>,
}

impl Review<'_> {
    fn mistake(&mut self, pointer: String, message: impl Into<String>, help: impl Into<String>) {
        self.remarks.push(Remark { pointer, message: message.into(), help: help.into(), is_mistake: true });
    }

    fn note(&mut self, pointer: String, message: impl Into<String>, help: impl Into<String>) {
        self.remarks.push(Remark { pointer, message: message.into(), help: help.into(), is_mistake: false });
    }

    fn schema(&mut self, schema: &Map<String, Value>, at: &str) {
        for (name, value) in schema {
            match keywords::find(name) {
                Some(keyword) => self.known(keyword, schema, at),
                None => self.unknown(name, value, schema, at),
            }
        }
        self.required(schema, at);
        self.limits(schema, at);
        self.values(schema, at);
    }

    /// A keyword of JSON Schema that does nothing where it stands.
    fn known(&mut self, keyword: &Keyword, schema: &Map<String, Value>, at: &str) {
        let (name, draft) = (keyword.name, self.draft.as_str());
        if matches!(keyword.role, Role::Annotation | Role::Definitions) {
            return;
        }
        if !keyword.is_in(self.draft) {
            let message = if self.draft < keyword.since {
                format!(
                    "{name} is a keyword since {}, and the schema is one of {draft}, which ignores it",
                    keyword.since.as_str()
                )
            } else {
                format!(
                    "{name} is a keyword until {}, and the schema is one of {draft}, which ignores it",
                    keyword.until.as_str()
                )
            };
            self.mistake(
                join(at, name),
                message,
                "name another draft in $schema; without it a schema is one of draft 2020-12",
            );
        } else if name != "$ref" && schema.contains_key("$ref") && self.draft.ignores_siblings_of_ref() {
            let help = "put both into allOf, or name a newer draft in $schema";
            self.note(join(at, name), format!("{draft} ignores what stands beside $ref"), help);
        }
    }

    /// Required properties that nothing declares.
    fn required(&mut self, schema: &Map<String, Value>, at: &str) {
        let declared = schema.get("properties").and_then(Value::as_object);
        let names = || declared.into_iter().flatten().map(|(name, _)| name.as_str());
        let required = schema.get("required").and_then(Value::as_array);
        let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false))
            && schema.get("patternProperties").and_then(Value::as_object).is_none_or(Map::is_empty);
        for (index, name) in required.iter().enumerate().filter(|(_, name)| names().all(|known| known != **name)) {
            let near = nearest(name, names().filter(|known| !required.contains(known)));
            let near = near.or_else(|| nearest(name, names()));
            let pointer = format!("{at}/required/{index}");
            let help = near.map_or_else(
                || "declare it below properties, or take it out of required".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            if is_closed {
                let message = format!(
                    "no answer can have the required property `{name}`: it is not declared, and additionalProperties is false"
                );
                self.mistake(pointer, message, help);
            } else if near.is_some() && self.is_nowhere_declared(name) {
                self.mistake(pointer, format!("the required property `{name}` is not declared"), help);
            }
        }
    }

    /// Whether no `properties` of the whole schema has this name: parts of a composition may declare what others
    /// require.
    fn is_nowhere_declared(&self, name: &str) -> bool {
        let mut open = vec![self.root];
        while let Some(schema) = open.pop() {
            let Some(members) = schema.as_object() else { continue };
            if members.get("properties").is_some_and(|properties| properties.get(name).is_some()) {
                return false;
            }
            open.extend(subschemas(members).into_iter().map(|(_, inner, _)| inner));
        }
        true
    }

    /// Lower limits above upper ones, whatever the type.
    fn limits(&mut self, schema: &Map<String, Value>, at: &str) {
        const PAIRS: [(&str, &str, bool); 8] = [
            ("minimum", "maximum", false),
            ("exclusiveMinimum", "maximum", true),
            ("minimum", "exclusiveMaximum", true),
            ("exclusiveMinimum", "exclusiveMaximum", true),
            ("minLength", "maxLength", false),
            ("minItems", "maxItems", false),
            ("minProperties", "maxProperties", false),
            ("minContains", "maxContains", false),
        ];
        for (least, most, is_exclusive) in PAIRS {
            let limit = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
            let (Some(low), Some(high)) = (limit(least), limit(most)) else { continue };
            if low > high || (is_exclusive && low >= high) {
                let message = format!("{least} and {most} exclude each other: no value is valid here");
                self.mistake(
                    join(at, least),
                    message,
                    format!("{least} is {low}, {most} is {high}: correct one of them"),
                );
            }
        }
    }

    /// Values of `enum`, `const` and examples that the rest of the schema refuses.
    fn values(&mut self, schema: &Map<String, Value>, at: &str) {
        let is_assertion = |name: &str| {
            let role = keywords::find(name).filter(|keyword| keyword.is_in(self.draft)).map(|keyword| keyword.role);
            matches!(role, Some(Role::Assertion(_))) && !matches!(name, "enum" | "const")
        };
        let beside = schema.iter().filter(|(name, _)| is_assertion(name));
        let beside: Map<String, Value> = beside.map(|(name, value)| (name.clone(), value.clone())).collect();
        if beside.is_empty() {
            return;
        }
        let Some(validator) = self.validator(beside) else { return };
        let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten().enumerate();
        let listed = listed.map(|(index, value)| (format!("{at}/enum/{index}"), value));
        for (pointer, value) in listed.chain(schema.get("const").map(|value| (format!("{at}/const"), value))) {
            if let Some(keyword) = broken(&validator, value) {
                let message = format!("{keyword} beside it refuses this value: an answer with it is never valid");
                self.mistake(pointer, message, format!("correct the value or {keyword}"));
            }
        }
        let examples = schema.get("examples").and_then(Value::as_array).into_iter().flatten().enumerate();
        let examples = examples.map(|(index, value)| (format!("{at}/examples/{index}"), value));
        let others = ["default", "example"].into_iter().filter_map(|name| Some((join(at, name), schema.get(name)?)));
        for (pointer, value) in examples.chain(others) {
            if let Some(keyword) = broken(&validator, value) {
                let help = "a model may follow it: correct the one or the other";
                self.note(pointer, format!("{keyword} beside it refuses this value"), help);
            }
        }
    }

    fn validator(&self, mut schema: Map<String, Value>) -> Option<Validator> {
        if let Some(draft) = self.root.get("$schema") {
            schema.insert("$schema".to_owned(), draft.clone());
        }
        let options = jsonschema::options().offline().should_validate_formats(true);
        options.with_pattern_options(PatternOptions::regex()).build(&schema.into()).ok()
    }
}

/// The keyword that a value breaks.
fn broken(validator: &Validator, value: &Value) -> Option<String> {
    let error = validator.iter_errors(value).next()?;
    error.schema_path().to_string().rsplit('/').next().map(str::to_owned)
}

#[cfg(test)]
mod tests;
