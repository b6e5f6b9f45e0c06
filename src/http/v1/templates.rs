//! `/v1/templates`: prompt templates that teams keep, in versions.
//!
//! - [`definition_body`]: what a request says of a template; [`render`]: the prompt without a call;
//! - [`mod@document`]: what requests and answers look like, for the OpenAPI document.

pub mod definition_body;
pub mod document;
pub mod render;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::{Value, json};

use self::definition_body::{change_between, check, definition};
use self::document::{NewTemplateBody, TemplateChangeBody, TemplateEntry};
use super::catalog::changing::NextVersion;
use super::catalog::entry_body::{EntryBody, name};
use super::catalog::new_version::{Change, is_forced};
use super::catalog::parameters::{
    EntryName, EntryParameters, EntryPath, ForceParameter, IfMatch, IfNoneMatch, OptionalIfMatch,
};
use super::catalog::shown_entry::{ShownEntry, WrittenEntry};
use super::catalog::{Entries, id_of};
use crate::domain::tenant::Tenant;
use crate::domain::version::Version;
use crate::http::auth::Identity;
use crate::http::fields::{Fields, Place, PlaceErrors};
use crate::http::idempotent::IdempotencyKey;
use crate::http::json_body::JsonBody;
use crate::http::list::{ListPage, PageParameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::state::{ApiParts, ApiState};
use crate::pipeline::definitions::Definitions;
use crate::ports::catalog::{Entry, Visibility};
use crate::prompt::definition::{Parameter, TemplateDefinition};
use crate::prompt::library::{self, Source};

/// Lists templates
///
/// In their latest versions, the newest first, built-in ones at the end.
///
/// # Errors
/// What is wrong with the query, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/templates", tag = "Templates", operation_id = "list_templates",
    params(EntryParameters, PageParameters),
    responses((status = 200, description = "A part of the list, without the documents", body = ListPage<ShownEntry>,
        example = json!({ "data": [], "has_more": false, "next": null }))),
)]
pub async fn list(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    uri: Uri,
) -> Result<Json<ListPage<ShownEntry>>, Problem> {
    templates(&api, identity.caller.tenant()).list(&uri).await.map(Json)
}

/// Shows a template
///
/// # Errors
/// `not_found`, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/templates/{id}", tag = "Templates", operation_id = "get_template",
    params(EntryPath, IfNoneMatch),
    responses(
        (status = 200, description = "The version that is meant, with its `ETag`", body = TemplateEntry,
            example = json!(TemplateEntry::example())),
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
    templates(&api, identity.caller.tenant()).show(&id_of(id), &headers, &uri).await
}

/// Lists the versions of a template, the latest first
///
/// # Errors
/// `not_found`, what is wrong with the query, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/templates/{id}/versions", tag = "Templates", operation_id = "list_template_versions",
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
    templates(&api, identity.caller.tenant()).versions(&id_of(id), &uri).await.map(Json)
}

/// Keeps a new template
///
/// # Errors
/// What is wrong with the request, `already_exists`, or `store_unavailable`.
#[utoipa::path(
    post, path = "/v1/templates", tag = "Templates", operation_id = "create_template",
    params(IdempotencyKey),
    request_body(content = NewTemplateBody, example = json!({
            "name": "order", "description": "An order.",
            "template": "Read this order: {{ document }}", "schema_id": "extraction",
            "parameters": [{ "name": "document", "description": "The order." }],
        })),
    responses(
        (status = 201, description = "The template, with its `ETag` and `Location`", body = TemplateEntry,
            example = json!(TemplateEntry::example())),
        (status = 400, description = "`invalid_request`"),
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
        let (name, about, definition) = (name(&mut fields), EntryBody::read(&mut fields), definition(&mut fields));
        fields.finish();
        Some((name?, about, definition?))
    });
    let (name, about, definition) = errors.check(read)?;
    let asking = Arc::clone(&api);
    let work = async move {
        let tenant = identity.caller.tenant();
        check(&definition, &name, tenant, &api.analyzer.definitions).await?;
        templates(&api, tenant).create(name, about, document(&definition)).await
    };
    asking.to_its_end(work).await?
}

/// Makes the next version of a template
///
/// The least one that fits the change, unless the request says which.
///
/// # Errors
/// What is wrong with the request, `not_found`, `forbidden`, a precondition, `incompatible_schema`, or
/// `store_unavailable`.
#[utoipa::path(
    put, path = "/v1/templates/{id}", tag = "Templates", operation_id = "change_template",
    params(EntryName, ForceParameter, IfMatch),
    request_body(content = TemplateChangeBody, example = json!({
            "description": "An order as it arrives.",
            "template": "Read this order: {{ document }}", "schema_id": "extraction",
            "parameters": [{ "name": "document", "description": "The order." }],
        })),
    responses(
        (status = 200, description = "The new version, with its `ETag`", body = TemplateEntry,
            example = json!(TemplateEntry::example())),
        (status = 400, description = "`invalid_request`"),
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
        let (about, definition) = (EntryBody::read(&mut fields), definition(&mut fields));
        fields.finish();
        Some((about, definition?))
    });
    let (about, definition) = errors.check(read)?;
    let (id, asking) = (id_of(id), Arc::clone(&api));
    let work = async move {
        let tenant = identity.caller.tenant();
        let next = NextTemplate { definition, tenant, api: &api };
        templates(&api, tenant).change(&id, &headers, (about, is_forced), &next).await
    };
    asking.to_its_end(work).await?
}

/// Removes a template with all of its versions
///
/// # Errors
/// `not_found`, `forbidden`, `precondition_failed`, or `store_unavailable`.
#[utoipa::path(
    delete, path = "/v1/templates/{id}", tag = "Templates", operation_id = "delete_template",
    params(EntryName, OptionalIfMatch),
    responses(
        (status = 200, description = "The template as it was", body = TemplateEntry,
            example = json!(TemplateEntry::example())),
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
    let work = async move { templates(&api, identity.caller.tenant()).delete(&id, &headers, &uri).await };
    asking.to_its_end(work).await?
}

/// The definition of a next version.
struct NextTemplate<'a> {
    definition: TemplateDefinition,
    tenant: &'a Tenant,
    api: &'a ApiParts,
}

impl NextVersion for NextTemplate<'_> {
    async fn after(&self, latest: &Entry) -> Result<(Change, String), Problem> {
        let Self { definition: later, tenant, api } = self;
        check(later, &latest.name, tenant, &api.analyzer.definitions).await?;
        let earlier: TemplateDefinition =
            serde_json::from_str(&latest.document).map_err(|_not_written_here| Problem::defect())?;
        Ok((change_between(&earlier, later, tenant, api).await?, document(later)))
    }
}

fn templates<'a>(api: &'a ApiParts, tenant: &'a Tenant) -> Entries<'a> {
    entries(&api.analyzer.definitions, tenant)
}

/// The templates that a tenant sees.
pub fn entries<'a>(definitions: &'a Definitions, tenant: &'a Tenant) -> Entries<'a> {
    Entries {
        noun: "template",
        path: "/v1/templates",
        stored: definitions.stored_templates(),
        definitions,
        forget: Definitions::forget_templates,
        built_in: &BUILT_IN,
        tenant,
    }
}

/// The built-in templates as entries.
static BUILT_IN: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let entry = |source: &Source| Entry {
        name: source.name.to_owned(),
        description: source.description().to_owned(),
        visibility: Visibility::Public,
        owner: Tenant::default(),
        created_at: Duration::ZERO,
        version: source.version.parse().unwrap_or(Version::FIRST),
        updated_at: Duration::ZERO,
        document: document(&TemplateDefinition::of_built_in(source)),
    };
    library::all().iter().map(entry).collect()
});

/// A definition as it is kept and shown; that a parameter is required is said for readers.
fn document(definition: &TemplateDefinition) -> String {
    let TemplateDefinition { text, parameters, schema_id } = definition;
    let parameter = |it: &Parameter| {
        let Parameter { name, description, default } = it;
        json!({ "name": name, "description": description, "required": default.is_none(), "default": default })
    };
    let parameters: Vec<Value> = parameters.iter().map(parameter).collect();
    json!({ "template": text, "parameters": parameters, "schema_id": schema_id }).to_string()
}

#[cfg(test)]
mod tests;
