//! `/v1/schemas`: JSON Schemas that teams keep, in versions.
//!
//! - [`mod@document`]: what requests and answers look like, for the OpenAPI document.

pub mod document;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::{Value, json};

use self::document::{NewSchemaBody, SchemaChangeBody, SchemaEntry};
use super::catalog::changing::NextVersion;
use super::catalog::entry_body::{EntryBody, name};
use super::catalog::new_version::{Change, is_forced};
use super::catalog::parameters::{
    EntryName, EntryParameters, EntryPath, ForceParameter, IfMatch, IfNoneMatch, OptionalIfMatch,
};
use super::catalog::shown_entry::{ShownEntry, WrittenEntry};
use super::catalog::{Entries, id_of};
use crate::domain::json;
use crate::domain::tenant::Tenant;
use crate::domain::version::Version;
use crate::http::auth::Identity;
use crate::http::error_status::RequestCode;
use crate::http::fields::{Fields, Place, PlaceErrors};
use crate::http::idempotent::IdempotencyKey;
use crate::http::json_body::JsonBody;
use crate::http::list::{ListPage, PageParameters};
use crate::http::problem::{PlaceError, Problem};
use crate::http::query::Query;
use crate::http::state::{ApiParts, ApiState};
use crate::pipeline::definitions::Definitions;
use crate::ports::catalog::{Entry, Visibility};
use crate::schema::{Schema, compatibility, library};

/// Lists schemas
///
/// In their latest versions, the newest first, built-in ones at the end.
///
/// # Errors
/// What is wrong with the query, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/schemas", tag = "Schemas", operation_id = "list_schemas",
    params(EntryParameters, PageParameters),
    responses((status = 200, description = "A part of the list, without the documents", body = ListPage<ShownEntry>,
        example = json!({ "data": [], "has_more": false, "next": null }))),
)]
pub async fn list(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    uri: Uri,
) -> Result<Json<ListPage<ShownEntry>>, Problem> {
    schemas(&api, identity.caller.tenant()).list(&uri).await.map(Json)
}

/// Shows a schema
///
/// # Errors
/// `not_found`, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/schemas/{id}", tag = "Schemas", operation_id = "get_schema",
    params(EntryPath, IfNoneMatch),
    responses(
        (status = 200, description = "The version that is meant, with its `ETag`", body = SchemaEntry,
            example = json!(SchemaEntry::example())),
        (status = 404, description = "`not_found`: there is none, or the team may not see it"),
    ),
)]
pub async fn get(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    schemas(&api, identity.caller.tenant()).show(&id_of(id), &headers, &uri).await
}

/// Lists the versions of a schema, the latest first
///
/// # Errors
/// `not_found`, what is wrong with the query, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/schemas/{id}/versions", tag = "Schemas", operation_id = "list_schema_versions",
    params(EntryPath, PageParameters),
    responses(
        (status = 200, description = "A part of the list, without the documents", body = ListPage<ShownEntry>,
            example = json!({ "data": [], "has_more": false, "next": null })),
        (status = 404, description = "`not_found`: there is none, or the team may not see it"),
    ),
)]
pub async fn versions(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<ListPage<ShownEntry>>, Problem> {
    schemas(&api, identity.caller.tenant()).versions(&id_of(id), &uri).await.map(Json)
}

/// Keeps a new schema
///
/// # Errors
/// What is wrong with the request, `already_exists`, or `store_unavailable`.
#[utoipa::path(
    post, path = "/v1/schemas", tag = "Schemas", operation_id = "create_schema",
    params(IdempotencyKey),
    request_body(content = NewSchemaBody, example = json!({
            "name": "order", "description": "An order.",
            "schema": {
                "type": "object", "additionalProperties": false, "properties": { "total": { "type": "number" } },
            },
        })),
    responses(
        (status = 201, description = "The schema, with its `ETag` and `Location`", body = SchemaEntry,
            example = json!(SchemaEntry::example())),
        (status = 400, description = "`invalid_request`, `invalid_schema`"),
        (status = 409, description = "`already_exists`, `idempotency_in_progress`"),
        (status = 422, description = "`idempotency_mismatch`"),
    ),
)]
pub async fn create(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    uri: Uri,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    Query::of(&uri).finish()?;
    let errors = PlaceErrors::default();
    let read = Fields::of(body, Place::default(), &errors).and_then(|mut fields| {
        let (name, about, schema) = (name(&mut fields), EntryBody::read(&mut fields), schema(&mut fields));
        fields.finish();
        Some((name?, about, schema?))
    });
    let (name, about, schema) = errors.check(read)?;
    let (version, named) = (about.version.unwrap_or(Version::FIRST), name.clone());
    let document = api.computed(move || Ok::<_, Problem>(document(&compile(&named, version, schema)?))).await??;
    let asking = Arc::clone(&api);
    let work = async move { schemas(&api, identity.caller.tenant()).create(name, about, document).await };
    asking.to_its_end(work).await?
}

/// Makes the next version of a schema
///
/// The least one that fits the change, unless the request says which.
///
/// # Errors
/// What is wrong with the request, `not_found`, `forbidden`, a precondition, `incompatible_schema`, or
/// `store_unavailable`.
#[utoipa::path(
    put, path = "/v1/schemas/{id}", tag = "Schemas", operation_id = "change_schema",
    params(EntryName, ForceParameter, IfMatch),
    request_body(content = SchemaChangeBody, example = json!({
            "description": "An order as it arrives.",
            "schema": {
                "type": "object", "additionalProperties": false, "properties": { "total": { "type": "number" } },
            },
        })),
    responses(
        (status = 200, description = "The new version, with its `ETag`", body = SchemaEntry,
            example = json!(SchemaEntry::example())),
        (status = 400, description = "`invalid_request`, `invalid_schema`"),
        (status = 403, description = "`forbidden`: it belongs to another team, or is built in"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`incompatible_schema`: the version is too small, with the places"),
        (status = 412, description = "`precondition_failed`"),
        (status = 428, description = "`precondition_required`"),
    ),
)]
pub async fn change(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let is_forced = is_forced(&uri)?;
    let errors = PlaceErrors::default();
    let read = Fields::of(body, Place::default(), &errors).and_then(|mut fields| {
        let (about, schema) = (EntryBody::read(&mut fields), schema(&mut fields));
        fields.finish();
        Some((about, schema?))
    });
    let (about, schema) = errors.check(read)?;
    let (id, asking) = (id_of(id), Arc::clone(&api));
    let work = async move {
        let next = NextSchema { schema, api: &api };
        schemas(&api, identity.caller.tenant()).change(&id, &headers, (about, is_forced), &next).await
    };
    asking.to_its_end(work).await?
}

/// Removes a schema with all of its versions
///
/// # Errors
/// `not_found`, `forbidden`, `precondition_failed`, or `store_unavailable`.
#[utoipa::path(
    delete, path = "/v1/schemas/{id}", tag = "Schemas", operation_id = "delete_schema",
    params(EntryName, OptionalIfMatch),
    responses(
        (status = 200, description = "The schema as it was", body = SchemaEntry,
            example = json!(SchemaEntry::example())),
        (status = 403, description = "`forbidden`: it belongs to another team, or is built in"),
        (status = 404, description = "`not_found`"),
        (status = 412, description = "`precondition_failed`"),
    ),
)]
pub async fn delete(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<WrittenEntry, Problem> {
    let (id, asking) = (id_of(id), Arc::clone(&api));
    let work = async move { schemas(&api, identity.caller.tenant()).delete(&id, &headers, &uri).await };
    asking.to_its_end(work).await?
}

/// The schema of a next version.
struct NextSchema<'a> {
    schema: Value,
    api: &'a ApiParts,
}

impl NextVersion for NextSchema<'_> {
    async fn after(&self, latest: &Entry) -> Result<(Change, String), Problem> {
        let (schema, latest) = (self.schema.clone(), latest.clone());
        let compared = self.api.computed(move || {
            let compiled = compile(&latest.name, latest.version, schema)?;
            Ok((change_between(&latest, &compiled)?, document(&compiled)))
        });
        compared.await?
    }
}

fn schemas<'a>(api: &'a ApiParts, tenant: &'a Tenant) -> Entries<'a> {
    entries(&api.analyzer.definitions, tenant)
}

/// The schemas that a tenant sees.
pub fn entries<'a>(definitions: &'a Definitions, tenant: &'a Tenant) -> Entries<'a> {
    Entries {
        noun: "schema",
        path: "/v1/schemas",
        stored: definitions.stored_schemas(),
        definitions,
        forget: Definitions::forget_schemas,
        built_in: &BUILT_IN,
        tenant,
    }
}

/// The built-in schemas as entries.
static BUILT_IN: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let entry = |schema: &Arc<Schema>| Entry {
        name: schema.name().to_owned(),
        description: schema.json().get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
        visibility: Visibility::Public,
        owner: Tenant::default(),
        created_at: Duration::ZERO,
        version: schema.version().parse().unwrap_or(Version::FIRST),
        updated_at: Duration::ZERO,
        document: document(schema),
    };
    library::all().iter().map(entry).collect()
});

fn schema(fields: &mut Fields<'_>) -> Option<Value> {
    let schema = fields.value("schema");
    if schema.is_none() {
        fields.error("schema", "it is missing; write a JSON Schema whose root is an object");
    }
    schema
}

fn document(schema: &Schema) -> String {
    json!({ "schema": schema.json() }).to_string()
}

/// The schema, held against everything that schemas of requests are held against.
fn compile(name: &str, version: Version, schema: Value) -> Result<Schema, Problem> {
    Schema::compile(name, &version.to_string(), schema).map_err(|error| {
        let place = Place::default().at("schema").error(&error.pointer, error.message);
        Problem::at_places(RequestCode::InvalidSchema, vec![place])
    })
}

fn change_between(latest: &Entry, later: &Schema) -> Result<Change, Problem> {
    let earlier = json::parse(&latest.document).ok().and_then(|document| document.get("schema").cloned());
    let change = compatibility::Change::between(&earlier.ok_or_else(Problem::defect)?, later.json());
    let place = |it: compatibility::Incompatibility| PlaceError {
        pointer: format!("#/schema{}", it.pointer),
        detail: it.message,
    };
    Ok(Change { step: change.step, places: change.incompatibilities.into_iter().map(place).collect() })
}

#[cfg(test)]
mod tests;
