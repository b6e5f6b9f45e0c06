//! `GET /v1/models`: what can stand as `model` in a request.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::auth::Identity;
use crate::http::error_status::RequestCode;
use crate::http::fields::Place;
use crate::http::problem::Problem;
use crate::http::state::ApiState;
use crate::http::v1::provider_list::KnownProvider;
use crate::pipeline::definitions::DefinitionError;
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

/// All models but those of schemas and templates that teams keep. There are few, so there is one page.
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
    owned_by: &'static str,
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

fn missing(error: &DefinitionError) -> Problem {
    match error {
        DefinitionError::Unavailable(_) => Problem::store_unavailable(),
        DefinitionError::NotFound | DefinitionError::Unusable(_) => unknown(),
    }
}

/// Lists what can be asked in OpenAI's format
#[utoipa::path(
    get, path = "/v1/models", tag = "OpenAI's format", operation_id = "list_models",
    responses((status = 200, description = "Templates, schemas and providers", body = ModelList, example = json!({
        "object": "list",
        "data": [{ "id": "template/invoice@1.0.0", "object": "model", "created": 0, "owned_by": "structured-prompt" }],
    }))),
)]
pub async fn list(State(api): State<ApiState>) -> Json<ModelList> {
    let named = |model: Model, owned_by| ModelEntry { id: model.name(), object: "model", created: 0, owned_by };
    let templates = templates::all().iter().map(|it| Model::Template(format!("{}@{}", it.name, it.version)));
    let schemas = schemas::all().iter().map(|it| Model::Schema(format!("{}@{}", it.name(), it.version())));
    let built_in = templates.chain(schemas).map(|model| named(model, BUILT_IN));
    let provider = |known: &KnownProvider| named(Model::Provider(known.provider.name().to_string()), known.kind);
    let data = built_in.chain(api.providers.iter().map(provider)).collect();
    Json(ModelList { object: "list", data })
}

/// Shows a model
///
/// # Errors
/// `not_found`, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/models/{id}", tag = "OpenAI's format", operation_id = "get_model",
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
    Path(id): Path<String>,
) -> Result<Json<ModelEntry>, Problem> {
    let (model, definitions, tenant) = (Model::of(id), &api.analyzer.definitions, identity.caller.tenant());
    let (model, owned_by) = match &model {
        Model::Template(id) => {
            let found = definitions.template(tenant, id).await.map_err(|error| missing(&error))?;
            (Model::Template(format!("{}@{}", found.template.name(), found.template.version())), BUILT_IN)
        }
        Model::Schema(id) => {
            let found = definitions.schema(tenant, id).await.map_err(|error| missing(&error))?;
            (Model::Schema(format!("{}@{}", found.name(), found.version())), BUILT_IN)
        }
        Model::Provider(name) => {
            let known = api.providers.iter().find(|known| &**known.provider.name() == name.as_str());
            (model.clone(), known.ok_or_else(unknown)?.kind)
        }
    };
    Ok(Json(ModelEntry { id: model.name(), object: "model", created: 0, owned_by }))
}
