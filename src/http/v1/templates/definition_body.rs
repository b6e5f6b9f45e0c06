//! What a request says of a template, and whether that can be used.

use serde_json::Value;

use crate::domain::tenant::Tenant;
use crate::domain::version::Step;
use crate::http::error_status::RequestCode;
use crate::http::fields::{Fields, Place, PlaceErrors};
use crate::http::problem::{PlaceError, Problem};
use crate::http::state::ApiParts;
use crate::http::v1::catalog::new_version::Change;
use crate::http::v1::named::{DEFAULT_SCHEMA, NO_SCHEMA};
use crate::pipeline::definitions::{DefinitionError, Definitions};
use crate::prompt::definition::{Parameter, TemplateDefinition, is_parameter_name};
use crate::prompt::template::TemplateError;
use crate::schema::compatibility;

/// Most parameters of one template.
const MAX_PARAMETERS: usize = 50;
/// Longest description of a parameter, in characters.
const MAX_DESCRIPTION_CHARS: usize = 500;

/// Reads a definition. Whatever is wrong is noted.
pub fn definition(fields: &mut Fields<'_>) -> Option<TemplateDefinition> {
    let text = fields.text("template");
    if text.is_none() {
        fields.error("template", "it is missing; write a text with {{ parameters }} in it");
    }
    let items = fields.list("parameters").unwrap_or_default();
    if !(1..=MAX_PARAMETERS).contains(&items.len()) {
        let detail =
            format!("expected 1 to {MAX_PARAMETERS} parameters, found {}; each is {{\"name\": …}}", items.len());
        fields.error("parameters", detail);
    }
    let errors = fields.errors();
    let mut parameters: Vec<Parameter> = Vec::new();
    for (item, place) in items.into_iter().take(MAX_PARAMETERS) {
        let Some(parameter) = parameter(item, &place, errors) else { continue };
        if parameters.iter().any(|other| other.name == parameter.name) {
            errors.add(place.at("name").error("", "there is a parameter of this name already"));
        }
        parameters.push(parameter);
    }
    let schema_id = fields.text("schema_id");
    Some(TemplateDefinition { text: text?, parameters, schema_id })
}

fn parameter(item: Value, place: &Place, errors: &PlaceErrors) -> Option<Parameter> {
    let mut fields = Fields::of(item, place.clone(), errors)?;
    let (name, description) = (fields.text("name"), fields.text("description").unwrap_or_default());
    let (is_required, default) = (fields.flag("required"), fields.value("default"));
    if !name.as_ref().is_some_and(|name| is_parameter_name(name)) {
        fields.error("name", "a name has 1 to 64 letters, digits or `_`, and does not begin with a digit");
    }
    if description.chars().count() > MAX_DESCRIPTION_CHARS {
        fields.error("description", format!("a description has at most {MAX_DESCRIPTION_CHARS} characters"));
    }
    let default = match default {
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            fields.error("default", "expected text");
            None
        }
        None => None,
    };
    if is_required == Some(true) && default.is_some() {
        fields.error("default", "a required parameter has no default; leave one of the two out");
    }
    // What may be left out, and has no default, is nothing.
    let default = default.or_else(|| (is_required == Some(false)).then(String::new));
    fields.finish();
    Some(Parameter { name: name?, description, default })
}

/// Checks that a definition can be used by this tenant.
///
/// # Errors
/// `invalid_request` with the place, or `store_unavailable`.
pub async fn check(
    definition: &TemplateDefinition,
    name: &str,
    tenant: &Tenant,
    definitions: &Definitions,
) -> Result<(), Problem> {
    // The version is not printed.
    definition.over_values(name, "1.0.0").map_err(|error| unusable(definition, error))?;
    let Some(schema_id) = &definition.schema_id else { return Ok(()) };
    match definitions.schema(tenant, schema_id).await {
        Ok(_) => Ok(()),
        Err(DefinitionError::Unavailable(_)) => Err(Problem::store_unavailable()),
        Err(DefinitionError::NotFound | DefinitionError::Unusable(_)) => Err(wrong("/schema_id", NO_SCHEMA)),
    }
}

/// What is wrong with a template, where it stands.
fn unusable(definition: &TemplateDefinition, error: TemplateError) -> Problem {
    let TemplateError { parameter, line, message } = error;
    let index = parameter.and_then(|name| definition.parameters.iter().position(|parameter| parameter.name == name));
    let line = line.map_or_else(String::new, |line| format!("line {line}: "));
    match index {
        Some(index) => wrong(&format!("/parameters/{index}"), format!("{line}{message}")),
        None => wrong("/template", format!("{line}{message}")),
    }
}

/// How the later definition differs for those who use the earlier one: what they send, and what they are answered.
///
/// # Errors
/// `store_unavailable`.
pub async fn change_between(
    earlier: &TemplateDefinition,
    later: &TemplateDefinition,
    tenant: &Tenant,
    api: &ApiParts,
) -> Result<Change, Problem> {
    let mut places = Vec::new();
    let place = |pointer: String, detail: String| PlaceError { pointer: format!("#{pointer}"), detail };
    let find = |definition: &TemplateDefinition, name: &str| -> Option<Parameter> {
        definition.parameters.iter().find(|parameter| parameter.name == name).cloned()
    };
    for Parameter { name, .. } in earlier.parameters.iter().filter(|parameter| find(later, &parameter.name).is_none()) {
        places.push(place("/parameters".to_owned(), format!("`{name}` was a parameter, and is refused now")));
    }
    for (index, parameter) in later.parameters.iter().enumerate() {
        let was_required = find(earlier, &parameter.name).is_some_and(|parameter| parameter.default.is_none());
        if parameter.default.is_none() && !was_required {
            let detail = format!("`{}` could be left out, and is required now", parameter.name);
            places.push(place(format!("/parameters/{index}"), detail));
        }
    }
    let is_extended = later.parameters.iter().any(|parameter| {
        let before = find(earlier, &parameter.name);
        before.is_none_or(|before| before.default.is_none() && parameter.default.is_some())
    });
    let mut step = if is_extended { Step::Minor } else { Step::Patch };
    if earlier.schema_id != later.schema_id {
        let of_answers = schema_step(earlier, later, tenant, api).await?;
        if of_answers == Step::Major {
            let detail = "answers that were valid may not be valid against this schema";
            places.push(place("/schema_id".to_owned(), detail.to_owned()));
        }
        step = step.max(of_answers);
    }
    Ok(Change { step: if places.is_empty() { step } else { Step::Major }, places })
}

/// How the schema of the answers differs; the largest step where the earlier one is gone.
async fn schema_step(
    earlier: &TemplateDefinition,
    later: &TemplateDefinition,
    tenant: &Tenant,
    api: &ApiParts,
) -> Result<Step, Problem> {
    let definitions = &api.analyzer.definitions;
    let [earlier, later] = [earlier, later].map(|definition| definition.schema_id.as_deref().unwrap_or(DEFAULT_SCHEMA));
    match (definitions.schema(tenant, earlier).await, definitions.schema(tenant, later).await) {
        (Ok(earlier), Ok(later)) => {
            api.computed(move || compatibility::Change::between(earlier.json(), later.json()).step).await
        }
        (Err(DefinitionError::Unavailable(_)), _) | (_, Err(DefinitionError::Unavailable(_))) => {
            Err(Problem::store_unavailable())
        }
        (Err(_), _) | (_, Err(_)) => Ok(Step::Major),
    }
}

fn wrong(pointer: &str, detail: impl Into<String>) -> Problem {
    Problem::at_places(RequestCode::InvalidRequest, vec![Place::default().error(pointer, detail)])
}
