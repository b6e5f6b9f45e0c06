//! What requests and answers about schemas look like, for the OpenAPI document. A test holds that the members here are
//! those that are read.

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::Object;

use crate::http::openapi::schemas::nullable_words;
use crate::http::v1::catalog::shown_entry::ShownEntry;

/// A schema to keep.
#[derive(Debug, ToSchema)]
#[schema(as = NewSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchemaBody {
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
    /// A JSON Schema whose root is an object.
    #[schema(value_type = Object)]
    pub schema: Value,
}

/// The next version of a schema. What is left out of the rest stays.
#[derive(Debug, ToSchema)]
#[schema(as = SchemaChange)]
#[serde(deny_unknown_fields)]
pub struct SchemaChangeBody {
    /// What it is for.
    #[schema(min_length = 1, max_length = 1000)]
    pub description: Option<String>,
    /// Who may read it.
    #[schema(schema_with = visibilities)]
    pub visibility: Option<String>,
    /// The version to make; the least one that fits if left out.
    #[schema(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    pub version: Option<String>,
    /// A JSON Schema whose root is an object.
    #[schema(value_type = Object)]
    pub schema: Value,
}

/// A schema in one of its versions.
#[derive(Debug, ToSchema)]
#[schema(as = StoredSchema)]
pub struct SchemaEntry {
    /// What all entries have.
    #[serde(flatten)]
    pub entry: ShownEntry,
    /// The JSON Schema.
    #[schema(value_type = Object)]
    pub schema: Value,
}

impl SchemaEntry {
    /// One for the OpenAPI document.
    pub fn example() -> Value {
        json!({
            "id": "order@1.0.0", "name": "order", "version": "1.0.0", "description": "An order.",
            "visibility": "private", "built_in": false, "team": "default", "created_at": "2026-11-30T08:00:00.000Z",
            "updated_at": "2026-11-30T08:00:00.000Z",
            "schema": {
                "type": "object", "additionalProperties": false, "properties": { "total": { "type": "number" } },
            },
        })
    }
}

/// Who may read an entry.
pub fn visibilities() -> Object {
    nullable_words(
        "`private`, unless this says otherwise, is for the team alone; `public` for every team of the organisation",
        ["private", "public"],
    )
}
