//! A model behind an HTTP API: what all wire formats have in common.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::anthropic::Anthropic;
use super::error_response::ErrorResponse;
use super::gemini::Gemini;
use super::http_client::{ClientOptions, HttpClient};
use super::http_exchange::{HttpResponse, Key};
use super::keys::{KeyChoice, KeyRing};
use super::openai::OpenAi;
use super::prepared_spec::{PreparedSpec, PreparedSpecs};
use super::provider_schema::{Cause, SchemaMode};
use super::request_body::{BodyForm, BodyWriter};
use super::request_parameters::{Learned, Omitted};
use super::retry_hints;
use super::settings::{Api, Cassettes, Prices, RemoteSettings};
use super::token_logprobs;
use super::wire_format::{self, WireFormat};
use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};
use crate::domain::secret::Secret;
use crate::ports::clock::{Clock, SystemClock};
use crate::ports::model::{Call, CallError, Model, Reply};
use crate::schema::dialect::Dialect;

/// How often a call may be repeated because the request was adapted; there are fewer things to give up than this.
const MAX_ADAPTATIONS: usize = 8;

/// One provider with its connection pool.
#[derive(Debug)]
pub(super) struct RemoteModel {
    name: String,
    vendor: Option<&'static str>,
    /// Host and port.
    server: Option<(String, u16)>,
    digest: [u8; 32],
    prices: Prices,
    bodies: BodyWriter,
    wire_format: Box<dyn WireFormat>,
    http: HttpClient,
    keys: KeyRing,
    specs: PreparedSpecs,
    learned: Learned,
    /// Whether it has been said that the server does not tell what calls use.
    said_usage: AtomicBool,
}

/// What one call does differently from others, because the server did not take its request as it was.
#[derive(Debug, Clone, Copy)]
struct Trial {
    omitted: Omitted,
    /// The mode of the schema, or a looser one.
    mode: SchemaMode,
    cause: Option<Cause>,
}

/// A request on its way.
struct Sent<'a> {
    trial: Trial,
    spec: &'a PreparedSpec,
    form: BodyForm,
    has_schema: bool,
    /// Confirmations, so far, that the server fails on the schema.
    confirmations: u32,
    key: KeyChoice,
    /// The key itself.
    secret: Option<Secret>,
}

/// How one request failed.
enum Attempt {
    /// For the caller to deal with.
    Failed(CallError),
    /// Ask again at once, in this way or with another key. The error counts if that never ends.
    Again(Trial, CallError),
}

impl RemoteModel {
    /// A provider named `name`. Connects to nothing yet.
    ///
    /// # Errors
    /// A sentence that says which setting is not usable, and why.
    pub(super) fn new(
        name: &str,
        settings: &RemoteSettings,
        cassettes: &Cassettes,
        idle_connections: Option<usize>,
    ) -> Result<Self, String> {
        let (wire_format, dialect): (Box<dyn WireFormat>, _) = match &settings.api {
            Api::OpenAi { structured_output, token_limit } => {
                (Box::new(OpenAi::new(*structured_output, *token_limit)), Dialect::OpenAi)
            }
            Api::Anthropic { version, auth } => (Box::new(Anthropic::new(version, *auth)), Dialect::Anthropic),
            Api::Gemini { version } => (Box::new(Gemini::new(version)), Dialect::Gemini),
        };
        let url = wire_format::endpoint(&settings.base_url, &wire_format.path(&settings.model))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // Answers are small, and unpacking is how small bodies become huge. Without the header a server may compress.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (header, value) in wire_format.headers() {
            let value = HeaderValue::try_from(value).map_err(|_| format!("{header} cannot be a header"))?;
            headers.insert(HeaderName::from_static(header), value);
        }
        for key in &settings.api_keys {
            key_header(wire_format.as_ref(), &key.get())?;
        }
        let options = ClientOptions { cassettes, proxy: settings.proxy.as_deref(), idle_connections };
        let mut first = wire_format.parameters(&url);
        first.logprobs &= settings.logprobs;
        let server = url.host_str().zip(url.port_or_known_default()).map(|(host, port)| (host.to_owned(), port));
        Ok(Self {
            name: name.to_owned(),
            vendor: vendor(&settings.api, url.host_str()),
            server,
            digest: settings.digest(),
            prices: settings.prices,
            bodies: BodyWriter::new(settings),
            keys: KeyRing::new(settings.api_keys.clone()),
            wire_format,
            http: HttpClient::new(name, url, headers, settings.timeout, &options)?,
            specs: PreparedSpecs::new(dialect),
            learned: Learned::new(first),
            said_usage: AtomicBool::new(false),
        })
    }

    /// One request.
    async fn attempt(&self, call: &Call<'_>, spec: &PreparedSpec, trial: Trial) -> Result<Reply, Attempt> {
        let parameters = self.learned.parameters(trial.omitted);
        // Read once: another call may change them while this one waits for its answer.
        let mode = if parameters.schema { spec.schema.mode(trial.mode) } else { SchemaMode::Instructions };
        let form = BodyForm { mode, parameters };
        let body = self.bodies.body(self.wire_format.as_ref(), call, spec.schema.schema(mode), &spec.bodies, form);
        let body = body.map_err(|failure| Attempt::Failed(CallError::lasting(failure)))?;
        let (key, confirmations) = (self.keys.choose(), spec.schema.confirmations());
        let has_schema = spec.schema.schema(mode).is_some();
        let secret = self.keys.secret(key);
        let header = secret.as_ref().map(|secret| key_header(self.wire_format.as_ref(), secret)).transpose();
        let header = header.map_err(|reason| Attempt::Failed(CallError::lasting(self.unusable_key(&reason))))?;
        let sent = Sent { trial, spec, form, has_schema, confirmations, key, secret };
        let response = self.http.post(header.as_ref(), body).await;
        let response = response.map_err(|error| Attempt::Failed(error.into_error(&self.name)))?;
        let reply = self.read(&response, &sent)?;
        self.learned.answered(&self.name, trial.omitted);
        if parameters.schema {
            self.specs.answered(&self.name, call.spec, spec, mode, trial.cause);
        }
        let pause = retry_hints::spent(&response.headers, now()).and_then(|pause| self.keys.rest(key, pause));
        Ok(Reply { pause, ..spec.schema.restored(reply, mode) })
    }

    /// The reply in a response.
    fn read(&self, response: &HttpResponse, sent: &Sent<'_>) -> Result<Reply, Attempt> {
        let body = wire_format::json(response);
        if !response.status.is_success() {
            let error = ErrorResponse::read(response, body.as_ref().ok(), now());
            return self.refused(&error, response, sent);
        }
        let error = body.as_ref().ok().and_then(|body| ErrorResponse::reported(response, body, now()));
        let reply = body.and_then(|body| {
            let reply = self.wire_format.reply(&body, response)?;
            let logprobs = token_logprobs::of_values(&reply.text, &self.wire_format.tokens(&body));
            Ok(Reply { logprobs, ..reply })
        });
        match (reply, error) {
            (Ok(reply), None) => Ok(self.with_usage(reply)),
            // Gateways also report what went wrong on the way to an answer.
            (Ok(reply), Some(error)) if !error.has_broken_off() && !reply.text.trim().is_empty() => {
                Ok(self.with_usage(reply))
            }
            (_, Some(error)) => self.refused(&error, response, sent),
            (Err(reason), None) => Err(Attempt::Failed(CallError::transient(self.unusable(&reason)))),
        }
    }

    /// The reply, after it has been said once if the server does not tell what calls use.
    fn with_usage(&self, reply: Reply) -> Reply {
        let Usage { input_tokens, output_tokens, .. } = reply.usage;
        let is_told = input_tokens > 0 && (output_tokens > 0 || reply.text.is_empty());
        if !is_told && !self.said_usage.swap(true, Ordering::Relaxed) {
            let provider = &self.name;
            tracing::warn!(provider, "the provider does not tell how many tokens a call used; its costs are estimates");
        }
        reply
    }

    /// What follows from an error: an answer after all, another try, or a failure.
    fn refused(&self, error: &ErrorResponse, response: &HttpResponse, sent: &Sent<'_>) -> Result<Reply, Attempt> {
        if let Some((text, finish)) = error.failed_generation() {
            let response_id = response.response_id(&Value::Null, "x-request-id");
            let (model, usage) = (String::new(), Usage::default());
            let (confidence, logprobs, pause) = (None, Vec::new(), None);
            return Ok(Reply { text, model, finish, usage, confidence, logprobs, response_id, pause });
        }
        let mut failure = error.failure(&self.name);
        let changed = self.adapt(error, failure.code, sent);
        let is_for_next_key = changed.is_none()
            && error.is_about_key()
            && (self.keys.has_replaced(sent.key, sent.secret.as_ref())
                || self.keys.blame(&self.name, sent.key, &mut failure));
        let error = CallError { failure, is_transient: error.transient() };
        match changed.or(is_for_next_key.then_some(sent.trial)) {
            Some(trial) => Err(Attempt::Again(trial, error)),
            None => Err(Attempt::Failed(error)),
        }
    }

    /// What the request can do without, so that the call is worth repeating: what the error names, or the schema, if
    /// nothing else explains the error.
    fn adapt(&self, error: &ErrorResponse, code: Code, sent: &Sent<'_>) -> Option<Trial> {
        let Sent { trial, spec, form, .. } = *sent;
        if sent.has_schema && error.about_schema() {
            return Some(Trial { mode: form.mode.looser(), cause: Some(Cause::Refused), ..trial });
        }
        let named = error.unsupported_parameter();
        if let Some(omitted) = named.and_then(|parameter| self.learned.without(parameter, form.parameters)) {
            return Some(Trial { omitted: trial.omitted.and(omitted), ..trial });
        }
        if !sent.has_schema {
            return None;
        }
        // Servers word their errors about schemas in ever new ways, so only a request without it can tell whose fault
        // it is.
        let cause = if code == Code::ProviderRejected && error.is_unexplained() {
            Cause::Refused
        } else if error.has_failed() && spec.schema.failed(sent.confirmations) {
            Cause::Failed(sent.confirmations)
        } else {
            return None;
        };
        Some(Trial { mode: SchemaMode::Instructions, cause: Some(cause), ..trial })
    }

    fn unusable_key(&self, reason: &str) -> Failure {
        Failure::new(Code::ProviderUnauthorized, format!("the key of {} cannot be sent: {reason}", self.name))
    }

    fn unusable(&self, reason: &str) -> Failure {
        let (name, answer) = (&self.name, self.wire_format.answer());
        Failure::new(
            Code::ProviderMalformed,
            format!("the answer of {name} is not a {answer}: {reason}; check that base_url is right"),
        )
    }
}

impl Model for RemoteModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn family(&self) -> &str {
        self.bodies.model()
    }

    fn digest(&self) -> [u8; 32] {
        self.digest
    }

    fn cost_usd(&self, usage: Usage) -> f64 {
        self.prices.cost_usd(usage)
    }

    fn max_tokens(&self) -> u32 {
        self.bodies.max_tokens()
    }

    fn vendor(&self) -> &str {
        self.vendor.unwrap_or(&self.name)
    }

    fn server(&self) -> Option<(&str, u16)> {
        self.server.as_ref().map(|(host, port)| (host.as_str(), *port))
    }

    fn instructions(&self) -> Option<&str> {
        self.bodies.instructions()
    }

    fn ask<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, CallError>> {
        Box::pin(async move {
            let spec = self.specs.of(call.spec);
            let mut changes = MAX_ADAPTATIONS + self.keys.len();
            let mut trial = Trial { omitted: Omitted::default(), mode: SchemaMode::Strict, cause: None };
            loop {
                match self.attempt(call, &spec, trial).await {
                    Ok(reply) => return Ok(reply),
                    Err(Attempt::Again(next, _)) if changes > 0 => (trial, changes) = (next, changes - 1),
                    Err(Attempt::Again(_, error) | Attempt::Failed(error)) => return Err(error),
                }
            }
        })
    }
}

/// The header that carries a key.
fn key_header(wire_format: &dyn WireFormat, key: &Secret) -> Result<Key, String> {
    let (name, value) = wire_format.key(key.expose());
    Ok((name, wire_format::sensitive(&value)?))
}

/// Whose models an API has. Many servers speak the one of OpenAI: of those only the original is known by its host.
fn vendor(api: &Api, host: Option<&str>) -> Option<&'static str> {
    match api {
        Api::Anthropic { .. } => Some("anthropic"),
        Api::Gemini { .. } => Some("gcp.gemini"),
        Api::OpenAi { .. } => (host == Some("api.openai.com")).then_some("openai"),
    }
}

/// Only for a date in a response without a `Date`.
fn now() -> SystemTime {
    UNIX_EPOCH.checked_add(SystemClock.now()).unwrap_or(UNIX_EPOCH)
}
