//! What a client asks in a batch: PromptRequests, and what they have in common.

use serde_json::Value;

use super::prompt_request::{Inherited, PromptOptions, PromptRequest, schema};
use crate::http::fields::{Fields, Place, PlaceErrors};
use crate::http::problem::Problem;

/// Most prompts of one request.
const MAX_PROMPTS: usize = 100;

/// A batch: each request as it is by itself, or what is wrong with it. What is wrong with one concerns no other.
#[derive(Debug)]
pub struct BatchRequest(pub Vec<Result<PromptRequest, Problem>>);

impl BatchRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// `invalid_request`, with everything that is wrong with what the requests have in common.
    pub fn of_body(body: Value) -> Result<Self, Problem> {
        let errors = PlaceErrors::default();
        let batch = Self::read(body, &errors);
        errors.check(batch)
    }

    fn read(body: Value, errors: &PlaceErrors) -> Option<Self> {
        let mut fields = Fields::of(body, Place::default(), errors)?;
        let shared = PromptRequest {
            template_id: fields.text("template_id"),
            schema: schema(&mut fields),
            options: fields.object("options").map(PromptOptions::read).unwrap_or_default(),
            ..PromptRequest::default()
        };
        let prompts = fields.list("prompts").unwrap_or_default();
        if !(1..=MAX_PROMPTS).contains(&prompts.len()) {
            fields.error("prompts", format!("expected 1 to {MAX_PROMPTS} prompts, found {}", prompts.len()));
        }
        fields.finish();
        // Of more, none is answered.
        let prompts = prompts.into_iter().take(MAX_PROMPTS);
        Some(Self(prompts.map(|(item, place)| read_item(item, place, &shared)).collect()))
    }
}

fn read_item(item: Value, place: Place, shared: &PromptRequest) -> Result<PromptRequest, Problem> {
    let errors = PlaceErrors::default();
    let request = match item {
        Value::String(text) => Some(of_text(text, place, shared.template_id.as_deref())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            PromptRequest::read(item, place, &errors)
        }
    };
    errors.check(request).map(|request| request.within(shared))
}

/// A plain text is the prompt, or the only parameter of the batch's template.
fn of_text(text: String, place: Place, template: Option<&str>) -> PromptRequest {
    let mut request = PromptRequest { place, ..PromptRequest::default() };
    let Some(template) = template else {
        request.prompt = Some(text);
        return request;
    };
    request.template_id = Some(template.to_owned());
    request.inherited = Inherited { template: true, ..Inherited::default() };
    request.only_parameter = Some(text);
    request
}
