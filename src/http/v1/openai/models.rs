//! `GET /v1/models`: what can stand as `model` in a request.

use std::collections::HashSet;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::stored_models;
use crate::http::auth::Identity;
use crate::http::error_status::RequestCode;
use crate::http::fields::Place;
use crate::http::problem::Problem;
use crate::http::query::NoQuery;
use crate::http::state::ApiState;
use crate::http::v1::provider_list::KnownProvider;
use crate::ports::catalog::{Entry, ListedEntry, find_entry};
use crate::ports::repository::RepositoryError;
use crate::prompt::library as templates;
use crate::schema::library as schemas;

const TEMPLATE: &str = "template/";
const SCHEMA: &str = "schema/";
/// Where models come from that nobody here has made.
const BUILT_IN: &str = "structured-prompt";

/// What a model is called.
pub(super) const HELP: &str =
    "a model is template/NAME, schema/NAME or the name of a provider, and GET /v1/models lists them";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Model {
    /// This template, with its schema.
    Template(String),
    /// For an object of this schema.
    Schema(String),
    /// This provider.
    Provider(String),
}

/// All models. There are few, so there is one page.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelList {
    object: &'static str,
    data: Vec<ModelEntry>,
}

/// A model as it is listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model)]
pub struct ModelEntry {
    id: String,
    object: &'static str,
    /// Seconds since the Unix epoch; 0 where nobody knows.
    created: u64,
    /// A team, the kind of a provider, or `structured-prompt`.
    owned_by: String,
}

impl Model {
    /// The model of this name.
    pub fn of(name: String) -> Self {
        if let Some(id) = name.strip_prefix(TEMPLATE) {
            Self::Template(id.to_owned())
        } else if let Some(id) = name.strip_prefix(SCHEMA) {
            Self::Schema(id.to_owned())
        } else {
            Self::Provider(name)
        }
    }

    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Self::Template(id) => format!("{TEMPLATE}{id}"),
            Self::Schema(id) => format!("{SCHEMA}{id}"),
            Self::Provider(name) => name.clone(),
        }
    }
}

/// The problem of a model that does not exist.
pub fn unknown() -> Problem {
    let detail = format!("there is no such model; {HELP}");
    Problem::at_places(RequestCode::NotFound, vec![Place::default().error("/model", detail)])
}

fn problem(error: RepositoryError) -> Problem {
    match error {
        RepositoryError::NotFound => unknown(),
        RepositoryError::AlreadyExists | RepositoryError::Conflict | RepositoryError::Unavailable(_) => {
            Problem::store_unavailable()
        }
    }
}

impl ModelEntry {
    fn built_in(kind: fn(String) -> Model, name: &str, version: &str) -> Self {
        let (id, owned_by) = (kind(format!("{name}@{version}")).name(), BUILT_IN.to_owned());
        Self { id, object: "model", created: 0, owned_by }
    }

    fn stored<Document>(kind: fn(String) -> Model, entry: &Entry<Document>) -> Self {
        let id = kind(format!("{}@{}", entry.name, entry.version)).name();
        let (created, owned_by) = (entry.created_at.as_secs(), entry.owner.team().to_owned());
        Self { id, object: "model", created, owned_by }
    }

    fn provider(known: &KnownProvider) -> Self {
        let id = known.provider.name().to_string();
        Self { id, object: "model", created: 0, owned_by: known.kind.to_owned() }
    }
}

/// Lists what can be asked in OpenAI's format
#[utoipa::path(
    get, path = "/v1/models", tag = "OpenAI", operation_id = "list_models",
    responses((status = 200, description = "Templates, schemas and providers", body = ModelList, example = json!({
        "object": "list",
        "data": [{ "id": "template/invoice@1.0.0", "object": "model", "created": 0, "owned_by": "structured-prompt" }],
    }))),
)]
pub async fn list(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    _: NoQuery,
) -> Result<Json<ModelList>, Problem> {
    let (definitions, tenant) = (&api.analyzer.definitions, identity.caller.tenant());
    let stored_templates = stored_models::list(definitions.stored_templates(), tenant, is_template).await?;
    let stored_schemas = stored_models::list(definitions.stored_schemas(), tenant, is_schema).await?;
    let templates = templates::all().iter().map(|it| (it.name, it.version));
    let schemas = schemas::all().iter().map(|it| (it.name(), it.version()));
    let mut data = of_kind(Model::Template, &stored_templates, templates);
    data.extend(of_kind(Model::Schema, &stored_schemas, schemas));
    data.extend(api.providers.iter().map(ModelEntry::provider));
    Ok(Json(ModelList { object: "list", data }))
}

/// Whether there is a built-in template of this name.
fn is_template(name: &str) -> bool {
    templates::find(name).is_some()
}

/// Whether there is a built-in schema of this name.
fn is_schema(name: &str) -> bool {
    schemas::find(name).is_some()
}

/// Templates, or schemas: those that are kept, and built-in ones with other names.
fn of_kind<'a>(
    kind: fn(String) -> Model,
    stored: &[ListedEntry],
    built_in: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<ModelEntry> {
    let names: HashSet<&str> = stored.iter().map(|entry| entry.name.as_str()).collect();
    let stored = stored.iter().map(|entry| ModelEntry::stored(kind, entry));
    let built_in = built_in.filter(|(name, _)| !names.contains(name));
    stored.chain(built_in.map(|(name, version)| ModelEntry::built_in(kind, name, version))).collect()
}

/// Shows a model
///
/// # Errors
/// `not_found`, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/models/{id}", tag = "OpenAI", operation_id = "get_model",
    params(("id" = String, Path, description = "Its name, whose slash need not be encoded", example = "template/invoice")),
    responses(
        (status = 200, description = "The model", body = ModelEntry, example = json!({
            "id": "template/invoice@1.0.0", "object": "model", "created": 0, "owned_by": "structured-prompt",
        })),
        (status = 404, description = "`not_found`"),
    ),
)]
pub async fn get(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    _: NoQuery,
) -> Result<Json<ModelEntry>, Problem> {
    let Path(id) = id.map_err(|_no_text| unknown())?;
    let (definitions, tenant) = (&api.analyzer.definitions, identity.caller.tenant());
    let entry = match Model::of(id) {
        Model::Template(id) => {
            match find_entry(definitions.stored_templates(), tenant, &id, is_template).await.map_err(problem)? {
                Some(entry) => Some(ModelEntry::stored(Model::Template, &entry)),
                None => templates::find(&id).map(|it| ModelEntry::built_in(Model::Template, it.name, it.version)),
            }
        }
        Model::Schema(id) => {
            match find_entry(definitions.stored_schemas(), tenant, &id, is_schema).await.map_err(problem)? {
                Some(entry) => Some(ModelEntry::stored(Model::Schema, &entry)),
                None => schemas::find(&id).map(|it| ModelEntry::built_in(Model::Schema, it.name(), it.version())),
            }
        }
        Model::Provider(name) => {
            api.providers.iter().find(|known| &**known.provider.name() == name.as_str()).map(ModelEntry::provider)
        }
    };
    entry.map(Json).ok_or_else(unknown)
}
