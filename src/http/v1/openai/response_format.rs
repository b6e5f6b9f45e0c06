//! What the answer has to look like, as OpenAI's format says it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::http::fields::Fields;
use crate::http::v1::prompt_request::{OwnSchema, SchemaChoice};

/// A `response_format`.
#[derive(Debug)]
pub enum ResponseFormat {
    /// The default: nothing is said.
    Text,
    /// Any object.
    JsonObject,
    /// An object that is valid against a schema.
    JsonSchema {
        /// The client's own schema.
        schema: SchemaChoice,
        /// Whether an answer that is only nearly valid is none.
        is_strict: bool,
    },
}

#[derive(Clone, Copy)]
enum Type {
    Text,
    JsonObject,
    JsonSchema,
}

/// Reads it. Whatever is wrong is noted.
pub fn read(fields: &mut Fields<'_>) -> ResponseFormat {
    let Some(mut format) = fields.object("response_format") else { return ResponseFormat::Text };
    let types = [("text", Type::Text), ("json_object", Type::JsonObject), ("json_schema", Type::JsonSchema)];
    let kind = format.required_choice("type", &types);
    let read = match kind {
        None | Some(Type::Text) => ResponseFormat::Text,
        Some(Type::JsonObject) => ResponseFormat::JsonObject,
        Some(Type::JsonSchema) => json_schema(&mut format),
    };
    if kind.is_some() {
        format.finish();
    }
    read
}

fn json_schema(format: &mut Fields<'_>) -> ResponseFormat {
    let Some(mut fields) = format.object("json_schema") else {
        format.error("json_schema", "the schema is missing; send an object with name and schema");
        return ResponseFormat::JsonObject;
    };
    let titles = [("title", fields.text("name")), ("description", fields.text("description"))];
    let is_strict = fields.flag("strict") == Some(true);
    let schema = fields.value("schema");
    if schema.is_none() {
        fields.error("schema", "the schema is missing; send a JSON Schema of an object");
    }
    fields.finish();
    let schema = titled(schema.unwrap_or_default(), titles);
    ResponseFormat::JsonSchema { schema: SchemaChoice::Own(Arc::new(OwnSchema::new(schema))), is_strict }
}

/// The schema with name and description of the format, where it has none of its own: models read them, and answers are
/// invalidated by the name.
fn titled(mut schema: Value, titles: [(&str, Option<String>); 2]) -> Value {
    if let Some(members) = schema.as_object_mut() {
        for (name, text) in titles {
            if let Some(text) = text {
                members.entry(name).or_insert(text.into());
            }
        }
    }
    schema
}

/// The schema that every object is valid against.
pub fn any_object() -> SchemaChoice {
    SchemaChoice::Own(Arc::new(OwnSchema::new(json!({ "title": "object", "type": "object" }))))
}
