//! What a client asks in OpenAI's format, and the PromptRequest that this comes to.

use serde_json::Value;

use super::messages::{self, Message, Role};
use super::models::{self, Model};
use super::other_parameters;
use super::response_format::{self, ResponseFormat};
use crate::http::fields::{Fields, Place, PlaceErrors};
use crate::http::problem::Problem;
use crate::http::v1::prompt_request::{MAX_TOKENS, PromptOptions, PromptRequest, SchemaChoice, parameters};

/// A request for one answer in OpenAI's format.
#[derive(Debug)]
pub struct ChatRequest {
    /// Who or what is asked.
    pub model: Model,
    /// What is asked.
    pub prompt_request: PromptRequest,
    /// How the answer is streamed; `None` gives it as a whole.
    pub stream: Option<Stream>,
    /// Parameters of the request that have no effect.
    pub ignored: Vec<&'static str>,
}

/// How an answer is streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stream {
    /// Whether a chunk at the end has the tokens.
    pub include_usage: bool,
}

impl ChatRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// `not_found` if the model is no template, no schema and none of the providers; `invalid_request` with everything
    /// else that is wrong.
    pub fn of_body(body: Value, is_provider: impl Fn(&str) -> bool) -> Result<Self, Problem> {
        let errors = PlaceErrors::default();
        let read = Fields::of(body, Place::default(), &errors).and_then(|mut fields| {
            let model = fields.text("model").map(Model::of);
            if model.is_none() {
                fields.error("model", format!("the model is missing; {}", models::HELP));
            }
            if let Some(Model::Provider(name)) = &model
                && !is_provider(name)
            {
                return Some(Err(models::unknown()));
            }
            Self::read(fields, model).map(Ok)
        });
        match read {
            Some(Err(unknown)) => Err(unknown),
            Some(Ok(request)) => errors.check(Some(request)),
            None => errors.check(None),
        }
    }

    fn read(mut fields: Fields<'_>, model: Option<Model>) -> Option<Self> {
        let mut prompt_request = PromptRequest {
            parameters: fields.object("parameters").map(parameters),
            options: options(&mut fields),
            ..PromptRequest::default()
        };
        let format = response_format::read(&mut fields);
        let messages = messages::read(&mut fields);
        let stream = stream(&mut fields);
        let ignored = other_parameters::read(&mut fields);
        let model = model.inspect(|model| {
            model.ask(&mut prompt_request, format, &fields);
            if let Some(messages) = messages {
                fill(&mut prompt_request, messages, &fields);
            }
        });
        fields.finish();
        Some(Self { model: model?, prompt_request, stream, ignored })
    }
}

impl Model {
    /// Fills in who is asked, and what the answer has to look like.
    fn ask(&self, request: &mut PromptRequest, format: ResponseFormat, fields: &Fields<'_>) {
        // Whoever asks for a schema to be kept strictly, or names one that is kept here, takes no answer that is only
        // nearly valid.
        let mut is_strict = true;
        request.schema = match (self, format) {
            (Self::Schema(_), ResponseFormat::JsonSchema { .. }) => {
                fields.error("response_format", "the model names a schema already; send one of the two");
                None
            }
            (Self::Schema(id), ResponseFormat::Text | ResponseFormat::JsonObject) => {
                Some(SchemaChoice::Named(id.clone()))
            }
            (Self::Template(_), ResponseFormat::Text | ResponseFormat::JsonObject) => None,
            (Self::Provider(_), ResponseFormat::Text) => {
                let detail = "an answer is an object; send a response_format of type json_schema or json_object, or the \
                              model template/NAME or schema/NAME, which has a schema";
                fields.error("response_format", detail);
                None
            }
            (Self::Provider(_), ResponseFormat::JsonObject) => Some(response_format::any_object()),
            (Self::Template(_) | Self::Provider(_), ResponseFormat::JsonSchema { schema, is_strict: strict }) => {
                is_strict = strict;
                Some(schema)
            }
        };
        request.options.allow_relaxed = request.options.allow_relaxed.or(is_strict.then_some(false));
        match self {
            Self::Template(id) => request.template_id = Some(id.clone()),
            Self::Schema(_) => {}
            Self::Provider(name) => {
                if request.options.provider.replace(name.clone()).is_some_and(|other| other != *name) {
                    fields.error(
                        "options",
                        "the model names another provider than options.provider; send one of the two",
                    );
                }
            }
        }
    }

    /// A problem with its places as they are in a request of OpenAI's format.
    pub(super) fn place_problem(&self, problem: Problem) -> Problem {
        let place_of_name = match self {
            Self::Template(_) => "#/template_id",
            Self::Schema(_) => "#/schema_id",
            Self::Provider(_) => "#/options/provider",
        };
        // A model that there is and that cannot be used is no unknown one: its schema may be gone.
        if problem.is_unknown_name_at(place_of_name) {
            return models::unknown();
        }
        problem.with_places(|pointer| match pointer.strip_prefix("#/schema") {
            _ if ["#/template_id", "#/schema_id"].contains(&pointer) => "#/model".to_owned(),
            Some(rest) => format!("#/response_format/json_schema/schema{rest}"),
            // The text for a template's only parameter.
            None if pointer == "#" => "#/messages".to_owned(),
            None => pointer.to_owned(),
        })
    }
}

/// Fills in the prompt, or the parameters of the template.
fn fill(request: &mut PromptRequest, mut messages: Vec<Message>, fields: &Fields<'_>) {
    if request.template_id.is_none() {
        if messages.is_empty() {
            fields.error("messages", "there is nothing to answer; send at least one message");
        }
        request.prompt = Some(messages::prompt(messages));
        return;
    }
    if request.parameters.is_some() {
        if !messages.is_empty() {
            fields.error("messages", "the template is filled by `parameters`; leave messages empty");
        }
        return;
    }
    if let Some(system) = messages.iter().find(|message| message.role == Role::System) {
        let detail = "the template says what is asked; leave out messages of the roles system and developer";
        fields.errors().add(system.place.error("", detail));
    }
    let Some(last) = messages.pop().filter(|message| message.role == Role::User) else {
        fields.error("messages", "the last message is what the template reads, so it has to be the user's");
        return;
    };
    request.only_parameter = Some(last.text);
}

/// The options of `/v1/analyze`, and those that have a name of their own in OpenAI's format.
fn options(fields: &mut Fields<'_>) -> PromptOptions {
    let ours = fields.object("options").map(PromptOptions::read).unwrap_or_default();
    let limits = ["max_completion_tokens", "max_tokens"].map(|name| fields.integer(name, 1..=MAX_TOKENS));
    if let [Some(limit), Some(older)] = limits
        && limit != older
    {
        fields.error("max_tokens", "max_completion_tokens says something else; send one of the two");
    }
    let own = PromptOptions {
        temperature: fields.number("temperature", 0.0..=2.0),
        max_tokens: limits.into_iter().flatten().next(),
        ..PromptOptions::default()
    };
    own.within(&ours)
}

fn stream(fields: &mut Fields<'_>) -> Option<Stream> {
    let is_streamed = fields.flag("stream") == Some(true);
    let mut stream = Stream::default();
    if let Some(mut options) = fields.object("stream_options") {
        stream.include_usage = options.flag("include_usage") == Some(true);
        // Padding against eavesdroppers who measure the length of each chunk; here the answer is one chunk.
        drop(options.value("include_obfuscation"));
        options.finish();
    }
    is_streamed.then_some(stream)
}
