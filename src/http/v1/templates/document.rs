//! What requests and answers about templates look like, for the OpenAPI document. A test holds that the members here
//! are those that are read.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::Object;
use utoipa::openapi::schema::{SchemaType, Type};

use crate::http::v1::catalog::shown_entry::ShownEntry;
use crate::http::v1::schemas::document::visibilities;

/// A template to keep.
#[derive(Debug, ToSchema)]
#[schema(as = NewTemplate)]
#[serde(deny_unknown_fields)]
pub struct NewTemplateBody {
    /// What requests name it by.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    pub name: String,
    /// What it is for.
    #[schema(min_length = 1, max_length = 1000)]
    pub description: Option<String>,
    /// Who may read it.
    #[schema(schema_with = visibilities)]
    pub visibility: Option<String>,
    /// Its first version; 1.0.0 if left out.
    #[schema(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    pub version: Option<String>,
    /// The text in Jinja syntax: `{{ name }}` prints a parameter.
    #[schema(min_length = 1)]
    pub template: String,
    /// Everything that the text prints.
    #[schema(min_items = 1, max_items = 50)]
    pub parameters: Vec<ParameterBody>,
    /// The schema of requests that use the template and name no other; `extraction` if left out.
    #[schema(min_length = 1)]
    pub schema_id: Option<String>,
}

/// The next version of a template. What is left out of description and visibility stays.
#[derive(Debug, ToSchema)]
#[schema(as = TemplateChange)]
#[serde(deny_unknown_fields)]
pub struct TemplateChangeBody {
    /// What it is for.
    #[schema(min_length = 1, max_length = 1000)]
    pub description: Option<String>,
    /// Who may read it.
    #[schema(schema_with = visibilities)]
    pub visibility: Option<String>,
    /// The version to make; the least one that fits if left out.
    #[schema(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    pub version: Option<String>,
    /// The text in Jinja syntax: `{{ name }}` prints a parameter.
    #[schema(min_length = 1)]
    pub template: String,
    /// Everything that the text prints.
    #[schema(min_items = 1, max_items = 50)]
    pub parameters: Vec<ParameterBody>,
    /// The schema of requests that use the template and name no other; `extraction` if left out.
    #[schema(min_length = 1)]
    pub schema_id: Option<String>,
}

/// A parameter of a template.
#[derive(Debug, ToSchema)]
#[schema(as = TemplateParameter)]
#[serde(deny_unknown_fields)]
pub struct ParameterBody {
    /// Its name.
    #[schema(pattern = "^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
    pub name: String,
    /// What it is.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// Whether it must be sent; unless there is a default, if left out.
    pub required: Option<bool>,
    /// What it is when it is left out.
    pub default: Option<String>,
}

/// A template in one of its versions.
#[derive(Debug, ToSchema)]
#[schema(as = StoredTemplate)]
pub struct TemplateEntry {
    /// What all entries have.
    #[serde(flatten)]
    pub entry: ShownEntry,
    /// The text.
    pub template: String,
    /// Everything that the text prints.
    pub parameters: Vec<ParameterBody>,
    /// The schema of requests that use the template and name no other.
    #[schema(required)]
    pub schema_id: Option<String>,
}

impl TemplateEntry {
    /// One for the OpenAPI document.
    pub fn example() -> Value {
        json!({
            "id": "order@1.0.0", "name": "order", "version": "1.0.0", "description": "An order.",
            "visibility": "private", "built_in": false, "team": "default", "created_at": "2026-11-30T08:00:00.000Z",
            "updated_at": "2026-11-30T08:00:00.000Z",
            "template": "Read this order: {{ document }}", "schema_id": "extraction",
            "parameters": [{ "name": "document", "description": "The order.", "required": true, "default": null }],
        })
    }
}

/// What fills a template.
#[derive(Debug, ToSchema)]
#[schema(as = TemplateValues)]
#[serde(deny_unknown_fields)]
pub struct ValuesBody {
    /// The value of each parameter: text, a number, true or false.
    #[schema(schema_with = values)]
    pub parameters: Option<BTreeMap<String, String>>,
}

fn values() -> Object {
    let value = SchemaType::from_iter([Type::String, Type::Number, Type::Boolean]);
    Object::builder()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some("The value of each parameter: text, a number, true or false"))
        .additional_properties(Some(Object::builder().schema_type(value)))
        .build()
}
