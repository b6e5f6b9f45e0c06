//! What a request names: its template and its schema.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::prompt_request::{PromptRequest, SchemaChoice};
use crate::domain::event::Data;
use crate::domain::tenant::Tenant;
use crate::http::error_status::RequestCode;
use crate::http::fields::Place;
use crate::http::problem::Problem;
use crate::pipeline::definitions::{DefinitionError, Definitions, NamedTemplate};
use crate::prompt::definition::{ParameterError, TemplateDefinition};
use crate::schema::{Schema, library};

/// The schema of requests that name none.
pub const DEFAULT_SCHEMA: &str = "extraction";

/// What is said of the name of a template that there is not.
const NO_TEMPLATE: &str = "there is no such template; GET /v1/templates lists those that there are";
/// What is said of the name of a schema that there is not.
pub const NO_SCHEMA: &str = "there is no such schema; GET /v1/schemas lists those that there are";

/// What a request names, found.
#[derive(Debug, Clone)]
pub struct NamedParts {
    /// The template, if it has one.
    pub template: Option<Arc<NamedTemplate>>,
    /// The schema, unless it brings its own.
    pub schema: Option<Arc<Schema>>,
}

impl NamedParts {
    /// What this tenant's request names.
    ///
    /// # Errors
    /// `invalid_request` or `invalid_schema` with the place of a name, or `store_unavailable`.
    pub async fn of(request: &PromptRequest, definitions: &Definitions, tenant: &Tenant) -> Result<Self, Problem> {
        let place = request.place_of(request.inherited.template);
        let template = match &request.template_id {
            Some(id) => {
                let found = definitions.template(tenant, id).await;
                Some(found.map_err(|error| template_problem(&error, &place, "/template_id"))?)
            }
            None => None,
        };
        let schema = match (&request.schema, &template) {
            (Some(SchemaChoice::Own(_)), _) => None,
            (Some(SchemaChoice::Named(id)), _) => {
                let found = definitions.schema(tenant, id).await;
                let place = request.place_of(request.inherited.schema);
                let missing = || Problem::unknown_name(place.error("/schema_id", NO_SCHEMA));
                Some(found.map_err(|error| schema_problem(&error, missing(), &place, "/schema_id"))?)
            }
            (None, Some(template)) => {
                let id = template.definition.schema_id.as_deref().unwrap_or(DEFAULT_SCHEMA);
                let found = match library::find(id).filter(|_| template.is_built_in) {
                    Some(schema) => Ok(schema),
                    None => definitions.schema(tenant, id).await,
                };
                // The name that was sent is that of a template which there is.
                let missing = || {
                    let detail = format!("the template needs the schema {id}, which there is not; send schema_id");
                    Problem::at_places(RequestCode::InvalidRequest, vec![place.error("/template_id", detail)])
                };
                Some(found.map_err(|error| schema_problem(&error, missing(), &place, "/template_id"))?)
            }
            (None, None) => Some(library::find(DEFAULT_SCHEMA).ok_or_else(Problem::defect)?),
        };
        Ok(Self { template, schema })
    }

    /// What the template reads: the prompt, or the values of the parameters.
    ///
    /// # Errors
    /// `invalid_request` with the places of parameters that are missing or unknown.
    pub fn input(&self, request: &PromptRequest) -> Result<Data, Problem> {
        let PromptRequest { place, prompt, parameters, only_parameter, .. } = request;
        let Some(NamedTemplate { definition, .. }) = self.template.as_deref() else {
            return Ok(Data::Text(prompt.clone().unwrap_or_default()));
        };
        let Some(text) = only_parameter else {
            return values(definition, parameters.as_ref().unwrap_or(&BTreeMap::new()), place);
        };
        match definition.parameters.as_slice() {
            [only] => values(definition, &BTreeMap::from([(only.name.clone(), text.clone())]), place),
            several => {
                let names: Vec<_> = several.iter().map(|parameter| parameter.name.as_str()).collect();
                let detail = format!(
                    "the template has several parameters; send `parameters`, an object with {}",
                    names.join(", ")
                );
                Err(Problem::at_places(RequestCode::InvalidRequest, vec![place.error("", detail)]))
            }
        }
    }
}

/// The values of all parameters, as the data that the template reads.
///
/// # Errors
/// `invalid_request` with the places of parameters that are missing or unknown.
pub fn values(
    definition: &TemplateDefinition,
    given: &BTreeMap<String, String>,
    place: &Place,
) -> Result<Data, Problem> {
    let at = |ParameterError { name, message }| place.at("parameters").at(&name).error("", message);
    let values = definition.fill(given).map_err(|errors| {
        Problem::at_places(RequestCode::InvalidRequest, errors.into_iter().take(20).map(at).collect())
    })?;
    let members = values.into_iter().map(|(name, text)| (name, Value::from(text)));
    Ok(Data::Json(Value::Object(members.collect::<Map<_, _>>())))
}

/// Why a template cannot be used that a request names at this place.
pub fn template_problem(error: &DefinitionError, place: &Place, pointer: &str) -> Problem {
    match error {
        DefinitionError::Unavailable(_) => Problem::store_unavailable(),
        DefinitionError::NotFound => Problem::unknown_name(place.error(pointer, NO_TEMPLATE)),
        DefinitionError::Unusable(_) => {
            Problem::at_places(RequestCode::InvalidRequest, vec![place.error(pointer, error.to_string())])
        }
    }
}

/// Why a schema cannot be used; `missing` is the problem if there is none of its name.
fn schema_problem(error: &DefinitionError, missing: Problem, place: &Place, pointer: &str) -> Problem {
    match error {
        DefinitionError::Unavailable(_) => Problem::store_unavailable(),
        DefinitionError::NotFound => missing,
        DefinitionError::Unusable(_) => {
            Problem::at_places(RequestCode::InvalidSchema, vec![place.error(pointer, error.to_string())])
        }
    }
}
