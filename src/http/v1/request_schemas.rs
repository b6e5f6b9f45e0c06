//! What requests look like, for the OpenAPI document. A test holds that the members here are those that
//! [`super::prompt_request`] and [`super::batch_request`] read.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::Object;
use utoipa::openapi::schema::{SchemaType, Type};

use crate::http::openapi::schemas::nullable_words;

/// A request for one answer: `prompt`, or `template_id` with `parameters`.
#[derive(Debug, ToSchema)]
#[schema(as = PromptRequest)]
#[serde(deny_unknown_fields)]
pub struct PromptRequestSchema {
    /// The text to read.
    #[schema(min_length = 1)]
    pub prompt: Option<String>,
    /// The template to fill: `invoice`, `invoice@1` or `invoice@1.0.0`.
    #[schema(min_length = 1)]
    pub template_id: Option<String>,
    /// What the template's parameters are filled with.
    #[schema(schema_with = parameters)]
    pub parameters: Option<BTreeMap<String, String>>,
    /// The JSON Schema that the answer's data is valid against. Without it and `schema_id` the template's own, or one for
    /// the facts of any text.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// The same by name: `invoice`, `invoice@1` or `invoice@1.0.0`. One of the two can be sent.
    #[schema(min_length = 1)]
    pub schema_id: Option<String>,
    /// How the answer's `data` is written: `json`, an object, unless this says `xml`, the same as XML text.
    #[schema(schema_with = output_formats)]
    pub output_format: Option<String>,
    /// Everything else.
    pub options: Option<PromptOptionsSchema>,
}

/// How a prompt is answered. What is left out is as the service is configured.
#[derive(Debug, ToSchema)]
#[schema(as = PromptOptions)]
#[serde(deny_unknown_fields)]
pub struct PromptOptionsSchema {
    /// The only provider to ask.
    #[schema(min_length = 1)]
    pub provider: Option<String>,
    /// How the first provider is chosen.
    #[schema(schema_with = strategies)]
    pub strategy: Option<String>,
    /// Sampling temperature.
    #[schema(minimum = 0, maximum = 2)]
    pub temperature: Option<f64>,
    /// Ceiling for the answer's tokens.
    #[schema(minimum = 1, maximum = 131_072)]
    pub max_tokens: Option<u32>,
    /// How long the client waits, from `100ms` to `10m`.
    #[schema(pattern = "^[0-9]+(ms|s|m|h|d)$")]
    pub timeout: Option<String>,
    /// Asks a provider in any case. The answer is remembered all the same.
    pub bypass_cache: Option<bool>,
    /// How long the answer is remembered, at most `366d`.
    #[schema(pattern = "^[0-9]+(ms|s|m|h|d)$")]
    pub cache_ttl: Option<String>,
    /// A name by which `DELETE /v1/cache` finds the answer.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,128}$")]
    pub cache_tag: Option<String>,
    /// Takes any object for an answer.
    pub bypass_validation: Option<bool>,
    /// Takes an answer that is only nearly valid, marked `relaxed`.
    pub allow_relaxed: Option<bool>,
    /// Confidence below which the answer is marked `low_confidence`.
    #[schema(minimum = 0, maximum = 1)]
    pub confidence_threshold: Option<f64>,
    /// Whether the answer's values are looked for in the prompt, or in the parameters.
    #[schema(schema_with = evidence_modes)]
    pub evidence: Option<String>,
}

/// Up to 100 requests, and what they have in common. What a request says itself counts.
#[derive(Debug, ToSchema)]
#[schema(as = BatchRequest)]
#[serde(deny_unknown_fields)]
pub struct BatchRequestSchema {
    /// The requests. A plain text is a prompt, or the only parameter of the batch's template.
    #[schema(min_items = 1, max_items = 100)]
    pub prompts: Vec<BatchPromptSchema>,
    /// The template of the requests that have neither a prompt nor a template.
    #[schema(min_length = 1)]
    pub template_id: Option<String>,
    /// The JSON Schema of the requests that have none.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// The same by name.
    #[schema(min_length = 1)]
    pub schema_id: Option<String>,
    /// Options that the requests do not set themselves.
    pub options: Option<PromptOptionsSchema>,
}

/// A prompt of a batch.
#[derive(Debug, ToSchema)]
#[schema(as = BatchPrompt)]
#[serde(untagged)]
pub enum BatchPromptSchema {
    /// A text.
    Text(String),
    /// A whole request.
    Request(Box<PromptRequestSchema>),
}

fn output_formats() -> Object {
    nullable_words(
        "How `data` is written: `json`, an object, unless this says `xml`, the same as XML text",
        ["json", "xml"],
    )
}

fn strategies() -> Object {
    nullable_words("How the first provider is chosen", ["least-busy", "cost", "latency", "priority"])
}

fn evidence_modes() -> Object {
    nullable_words(
        "`locate`, unless this says `off`: the answer says where its values stand in what was sent. `quote` asks the model \
         for quotes too, which costs tokens",
        ["locate", "quote", "off"],
    )
}

fn parameters() -> Object {
    let value = SchemaType::from_iter([Type::String, Type::Number, Type::Boolean]);
    Object::builder()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some("What the template's parameters are filled with"))
        .additional_properties(Some(Object::builder().schema_type(value)))
        .build()
}
