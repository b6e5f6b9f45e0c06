//! From one request to its answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::named::NamedParts;
use super::prompt_request::PromptRequest;
use super::specs::Specs;
use super::structured_response::{Asked, StructuredResponse};
use crate::domain::event::{Data, Event};
use crate::domain::failure::Failure;
use crate::http::error_status::RequestCode;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::pipeline::caller::Caller;
use crate::pipeline::definitions::Definitions;
use crate::pipeline::engine::{Begun, Engine};
use crate::pipeline::request::Request;
use crate::pipeline::spec::Spec;
use crate::ports::request_observer::RequestObserver;
use crate::prompt::language;
use crate::prompt::template::Scope;
use crate::telemetry::traces::names::request as wait;
use crate::telemetry::traces::trace::Trace;

/// What a request is as an event, which is what templates read.
const EVENT_TYPE: &str = "com.structuredprompt.prompt.requested.v1";
const EVENT_SOURCE: &str = "/v1/analyze";

/// A request that was begun.
pub struct BegunRequest<'a> {
    request: &'a PromptRequest,
    id: &'a RequestId,
    spec: Arc<Spec>,
    language: Option<&'static str>,
    begun: Begun,
    took: Duration,
}

/// Takes requests to their answers.
pub struct Analyzer {
    /// The pipeline.
    pub engine: Arc<Engine>,
    /// What requests come to.
    pub specs: Specs,
    /// What they name.
    pub definitions: Arc<Definitions>,
    /// How long a request waits that does not say.
    pub timeout: Duration,
}

impl Analyzer {
    /// The answer to one request, which `observer` follows, if there is one, and which is recorded in `trace`.
    ///
    /// # Errors
    /// What is wrong with the request, or why it has no answer.
    pub async fn answer(
        &self,
        request: &PromptRequest,
        caller: &Arc<Caller>,
        id: &RequestId,
        observer: Option<Arc<dyn RequestObserver>>,
        trace: Trace,
    ) -> Result<StructuredResponse, Problem> {
        self.finish(self.begin(request, caller, id, observer, trace).await?).await
    }

    /// Begins a request: it is known then what it asks, and what this process remembers.
    ///
    /// # Errors
    /// What is wrong with the request.
    pub async fn begin<'a>(
        &self,
        request: &'a PromptRequest,
        caller: &Arc<Caller>,
        id: &'a RequestId,
        observer: Option<Arc<dyn RequestObserver>>,
        trace: Trace,
    ) -> Result<BegunRequest<'a>, Problem> {
        let began_at = Instant::now();
        check_form(request)?;
        let named = NamedParts::of(request, &self.definitions, caller.tenant());
        let named = trace.wait(wait::LOOK_UP, timeout(self.time_for(request), named)).await;
        let named = named.map_err(|_elapsed| Failure::deadline_exceeded())??;
        let data = named.input(request)?;
        let spec = self.specs.find(request, &named).await?;
        let language = language::detect(&text_of(&data));
        let event = event(id, data);
        let input = Scope { event: &event, key: None, headers: &[] };
        let mut begun = self.engine.begin(&Request { input, spec: &spec, caller, trace });
        if let Some(observer) = observer {
            begun = begun.observed_by(observer);
        }
        Ok(BegunRequest { request, id, spec, language, begun, took: began_at.elapsed() })
    }

    /// Looks for the answer among those that processes share.
    pub async fn look_ahead<'a>(&self, request: BegunRequest<'a>) -> BegunRequest<'a> {
        let began_at = Instant::now();
        let begun = self.engine.look_ahead(request.begun).await;
        BegunRequest { begun, took: request.took + began_at.elapsed(), ..request }
    }

    /// The answer to a request that was begun. Its time does not run while it waits for its turn.
    ///
    /// # Errors
    /// Why it has no answer.
    pub async fn finish(&self, begun: BegunRequest<'_>) -> Result<StructuredResponse, Problem> {
        let BegunRequest { request, id, spec, language, begun, took } = begun;
        let went_on_at = Instant::now();
        let time_left = self.time_for(request).saturating_sub(took);
        let answered = self.engine.finish_until(went_on_at + time_left, begun).await?;
        let asked = Asked {
            id,
            format: request.output_format.unwrap_or_default(),
            is_template: request.template_id.is_some(),
            language,
            took: took + went_on_at.elapsed(),
        };
        StructuredResponse::new(&spec, &answered, asked)
    }

    /// How long a request takes at most.
    fn time_for(&self, request: &PromptRequest) -> Duration {
        request.options.timeout.unwrap_or(self.timeout)
    }
}

/// There is a prompt or a template, and parameters go with a template.
fn check_form(request: &PromptRequest) -> Result<(), Problem> {
    let PromptRequest { place, prompt, template_id, parameters, .. } = request;
    let wrong = |error| Err(Problem::at_places(RequestCode::InvalidRequest, vec![error]));
    match (prompt, template_id, parameters) {
        (Some(_), None, None) | (None, Some(_), _) => Ok(()),
        (Some(_), None, Some(_)) => {
            wrong(place.error("/parameters", "only a template has parameters; send template_id"))
        }
        (None, None, _) => wrong(place.error("", "there is nothing to answer; send prompt, or template_id")),
        (Some(_), Some(_), _) => wrong(place.error("/template_id", "there is a prompt already; send one of the two")),
    }
}

/// The texts that the client sent.
fn text_of(data: &Data) -> std::borrow::Cow<'_, str> {
    match data {
        Data::Text(text) => text.into(),
        Data::Json(Value::Object(members)) => {
            members.values().filter_map(Value::as_str).collect::<Vec<_>>().join("\n").into()
        }
        Data::Json(_) | Data::Absent | Data::Binary(_) => "".into(),
    }
}

/// A request as the event that templates read.
pub fn event(id: &RequestId, data: Data) -> Event {
    Event {
        id: id.as_str().to_owned(),
        source: EVENT_SOURCE.to_owned(),
        kind: EVENT_TYPE.to_owned(),
        subject: None,
        time: None,
        data_content_type: None,
        data_schema: None,
        extensions: std::collections::BTreeMap::default(),
        data,
    }
}
