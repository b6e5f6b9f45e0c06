//! What a request in OpenAI's format looks like, for the OpenAPI document. A test holds that the members here are those
//! that [`super::chat_request`] reads, without those that it always refuses.

#![expect(dead_code, reason = "the document is made of these types, and nothing else is")]

use std::borrow::Cow;

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema, SchemaType};
use utoipa::{PartialSchema, ToSchema};

use super::other_parameters::IGNORED;
use crate::http::openapi::schemas::words;
use crate::http::v1::request_schemas::PromptOptionsSchema;

/// A request in OpenAI's format.
#[derive(Debug)]
pub struct ChatRequestSchema;

/// The members that have an effect.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
struct Effective {
    /// `template/NAME`, `schema/NAME`, or the name of a provider.
    #[schema(min_length = 1)]
    model: String,
    /// The conversation. Of a template the last message, which must be the user's, is its only parameter.
    messages: Option<Vec<MessageSchema>>,
    /// What the answer looks like. A provider needs one that is not `text`.
    response_format: Option<ResponseFormatSchema>,
    /// What the template's parameters are filled with, instead of messages.
    #[schema(value_type = Option<Object>)]
    parameters: Option<Value>,
    /// The options of `POST /v1/analyze`.
    options: Option<PromptOptionsSchema>,
    /// Sampling temperature.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// Ceiling for the answer's tokens.
    #[schema(minimum = 1, maximum = 131_072)]
    max_completion_tokens: Option<u32>,
    /// The same by its older name.
    #[schema(minimum = 1, maximum = 131_072)]
    max_tokens: Option<u32>,
    /// Sends the answer as server-sent events: all of it in the first.
    stream: Option<bool>,
    /// How it is sent so.
    stream_options: Option<StreamOptionsSchema>,
}

/// A message of the conversation.
#[derive(Debug, ToSchema)]
#[schema(as = ChatMessage)]
#[serde(deny_unknown_fields)]
struct MessageSchema {
    #[schema(schema_with = roles)]
    role: String,
    content: Option<ContentSchema>,
    /// Read in the place of `content` where that is missing.
    refusal: Option<String>,
    /// Without effect.
    #[schema(value_type = Option<Value>)]
    name: Option<Value>,
    /// Without effect.
    #[schema(value_type = Option<Value>)]
    annotations: Option<Value>,
}

/// The text of a message, or parts of it.
#[derive(Debug, ToSchema)]
#[schema(as = ChatContent)]
#[serde(untagged)]
enum ContentSchema {
    Text(String),
    Parts(Vec<TextPartSchema>),
}

/// A part of a message.
#[derive(Debug, ToSchema)]
#[schema(as = ChatTextPart)]
#[serde(deny_unknown_fields)]
struct TextPartSchema {
    #[schema(schema_with = text_only)]
    r#type: String,
    #[schema(min_length = 1)]
    text: Option<String>,
}

/// What the answer looks like.
#[derive(Debug, ToSchema)]
#[schema(as = ResponseFormat)]
#[serde(deny_unknown_fields)]
struct ResponseFormatSchema {
    #[schema(schema_with = format_types)]
    r#type: String,
    /// The schema of the type `json_schema`.
    json_schema: Option<JsonSchemaSchema>,
}

/// A JSON Schema that the answer is valid against.
#[derive(Debug, ToSchema)]
#[schema(as = ResponseJsonSchema)]
#[serde(deny_unknown_fields)]
struct JsonSchemaSchema {
    /// Its title, if it has none of its own.
    #[schema(min_length = 1)]
    name: Option<String>,
    /// Its description, if it has none of its own.
    #[schema(min_length = 1)]
    description: Option<String>,
    /// Takes no answer that is only nearly valid.
    strict: Option<bool>,
    /// The schema.
    #[schema(value_type = Object)]
    schema: Value,
}

/// How an answer is streamed.
#[derive(Debug, ToSchema)]
#[schema(as = StreamOptions)]
#[serde(deny_unknown_fields)]
struct StreamOptionsSchema {
    /// Sends the tokens in a chunk at the end.
    include_usage: Option<bool>,
    /// Without effect.
    #[schema(value_type = Option<Value>)]
    include_obfuscation: Option<Value>,
}

impl PartialSchema for ChatRequestSchema {
    fn schema() -> RefOr<Schema> {
        let mut schema = Effective::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            for name in IGNORED {
                let mut any = Object::with_type(SchemaType::AnyValue);
                any.description = Some("Taken, and without effect".to_owned());
                object.properties.insert(name.to_owned(), any.into());
            }
        }
        schema
    }
}

impl ToSchema for ChatRequestSchema {
    fn name() -> Cow<'static, str> {
        "ChatRequest".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Effective::schemas(schemas);
    }
}

fn roles() -> Object {
    words("Who wrote it", ["system", "developer", "user", "assistant"])
}

fn text_only() -> Object {
    words("Messages are texts", ["text"])
}

fn format_types() -> Object {
    words("By a schema, any object, or nothing said", ["json_schema", "json_object", "text"])
}
