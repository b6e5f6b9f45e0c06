//! `POST /v1/templates/{id}/render`: the prompt that a request would send, without a call.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::document::ValuesBody;
use crate::http::auth::Identity;
use crate::http::error_status::RequestCode;
use crate::http::fields::{Fields, Place, PlaceErrors};
use crate::http::json_body::JsonBody;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::request_id::RequestId;
use crate::http::state::ApiState;
use crate::http::v1::analyzer::event;
use crate::http::v1::catalog::id_of;
use crate::http::v1::catalog::parameters::EntryPath;
use crate::http::v1::named::{template_problem, values};
use crate::http::v1::prompt_request::parameters;
use crate::pipeline::definitions::DefinitionError;
use crate::prompt::template::Scope;

/// A prompt, and the template that it was made by.
#[derive(Debug, Serialize, ToSchema)]
pub struct RenderedPrompt {
    prompt: String,
    /// With its version.
    template: String,
    /// The schema of requests that use the template and name no other.
    #[schema(required)]
    schema_id: Option<String>,
}

/// Fills a template, without a call
///
/// # Errors
/// `not_found`, what is wrong with the parameters, `template_failed`, or `store_unavailable`.
#[utoipa::path(
    post, path = "/v1/templates/{id}/render", tag = "Templates", operation_id = "render_template",
    params(EntryPath),
    request_body(content = ValuesBody, example = json!({ "parameters": { "document": "Invoice 4711" } })),
    responses(
        (status = 200, description = "The prompt", body = RenderedPrompt, example = json!({
            "prompt": "Read this order: 3 chairs", "template": "order@1.0.0", "schema_id": null,
        })),
        (status = 400, description = "`invalid_request`, `template_failed`"),
        (status = 404, description = "`not_found`"),
    ),
)]
pub async fn render(
    State(api): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
    JsonBody(body): JsonBody,
) -> Result<Json<RenderedPrompt>, Problem> {
    Query::of(&uri).finish()?;
    let errors = PlaceErrors::default();
    let given = Fields::of(body, Place::default(), &errors).map(|mut fields| {
        let given = fields.object("parameters").map(parameters).unwrap_or_default();
        fields.finish();
        given
    });
    let given = errors.check(given)?;
    let found = api.analyzer.definitions.template(identity.caller.tenant(), &id_of(id)).await;
    let named = found.map_err(|error| {
        if error == DefinitionError::NotFound {
            return Problem::new(RequestCode::NotFound, "there is no such template, or you may not see it");
        }
        template_problem(&error, &Place::default(), "")
    })?;
    let data = values(&named.definition, &given, &Place::default())?;
    let event = event(&request_id, data);
    let rendered = named.template.render(&Scope { event: &event, key: None, headers: &[] })?;
    Ok(Json(RenderedPrompt {
        prompt: rendered.prompt,
        template: format!("{}@{}", named.template.name(), named.template.version()),
        schema_id: named.definition.schema_id.clone(),
    }))
}
