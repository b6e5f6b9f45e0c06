//! A model behind an HTTP API: what all wire formats have in common.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::anthropic::Anthropic;
use super::complaint::Complaint;
use super::exchange::Exchange;
use super::formats::{Format, Formats};
use super::gemini::Gemini;
use super::habits::{Habits, Learned};
use super::hints;
use super::keys::KeyRing;
use super::openai::OpenAi;
use super::settings::{Api, Cassettes, Prices, RemoteSettings};
use super::wire::{self, Question, Wire};
use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};
use crate::ports::clock::{Clock, SystemClock};
use crate::ports::model::{Call, CallError, Model, Reply};
use crate::schema::dialect::Dialect;

/// How often a call may be repeated because the request was adapted; there are fewer things to give up than this.
const MAX_ADAPTATIONS: usize = 8;

/// One provider with its connection pool.
#[derive(Debug)]
pub(super) struct Remote {
    name: String,
    model: String,
    max_tokens: u32,
    temperature: Option<f64>,
    logprobs: bool,
    instructions: Option<String>,
    prices: Prices,
    wire: Box<dyn Wire>,
    exchange: Exchange,
    keys: KeyRing,
    formats: Formats,
    learned: Learned,
}

/// How one exchange failed.
enum Attempt {
    /// For the caller to deal with.
    Failed(CallError),
    /// The request, or its key, has been changed: ask again at once. The error counts if that never ends.
    Changed(CallError),
    /// A request with a schema was refused, and nothing says why. Servers word their complaints about schemas in ever new
    /// ways, so only a request without it can tell whose fault it is.
    Unexplained,
}

impl Remote {
    /// A provider named `name`. Connects to nothing yet.
    ///
    /// # Errors
    /// A sentence that says which setting is not usable, and why.
    pub(super) fn new(name: &str, settings: &RemoteSettings, cassettes: &Cassettes) -> Result<Self, String> {
        let (wire, dialect): (Box<dyn Wire>, _) = match &settings.api {
            Api::OpenAi { structured_output, token_limit } => {
                (Box::new(OpenAi::new(*structured_output, *token_limit)), Dialect::OpenAi)
            }
            Api::Anthropic { version, auth } => (Box::new(Anthropic::new(version, *auth)), Dialect::Anthropic),
            Api::Gemini { version } => (Box::new(Gemini::new(version)), Dialect::Gemini),
        };
        let url = endpoint(&settings.base_url, &wire.path(&settings.model))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (header, value) in wire.headers() {
            let value = HeaderValue::try_from(value).map_err(|_| format!("{header} cannot be a header"))?;
            headers.insert(HeaderName::from_static(header), value);
        }
        let keys = settings.api_keys.iter().map(|key| {
            let (name, value) = wire.key(key.expose());
            Ok((name, wire::sensitive(&value)?))
        });
        let mut first = wire.habits(&url);
        first.logprobs &= settings.logprobs;
        Ok(Self {
            name: name.to_owned(),
            model: settings.model.clone(),
            max_tokens: settings.max_tokens,
            temperature: settings.temperature,
            logprobs: settings.logprobs,
            instructions: settings.instructions.clone(),
            prices: settings.prices,
            keys: KeyRing::new(keys.collect::<Result<_, String>>()?),
            wire,
            exchange: Exchange::new(name, url, headers, settings.timeout, cassettes)?,
            formats: Formats::new(dialect),
            learned: Learned::new(first),
        })
    }

    /// One exchange; `is_bare` leaves the schema out.
    async fn attempt(&self, call: &Call<'_>, system: &str, format: &Format, is_bare: bool) -> Result<Reply, Attempt> {
        let failed = |error| Err(Attempt::Failed(error));
        let mut habits = self.learned.habits();
        habits.schema &= !is_bare;
        // Read once: another call may give up the strict form while this one waits for its answer.
        let is_strict = habits.schema && format.is_strict();
        let schema = format.schema(is_strict).filter(|_| habits.schema);
        let body = match self.body(call, system, schema, is_strict, habits) {
            Ok(body) => body,
            Err(failure) => return failed(CallError::lasting(failure)),
        };
        let turn = self.keys.turn();
        let received = match self.exchange.post(self.keys.header(turn), body).await {
            Ok(received) => received,
            Err(broken) => return failed(broken.into_error(&self.name)),
        };
        if received.status.is_success() {
            return match self.wire.reply(&received) {
                Ok(reply) => {
                    if schema.is_some() {
                        format.accepted();
                    }
                    let pause = hints::spent(&received.headers, now()).and_then(|pause| self.keys.rest(turn, pause));
                    Ok(Reply { pause, ..format.restored(reply, call.schema, is_strict) })
                }
                Err(reason) => failed(CallError::transient(self.unusable(&reason))),
            };
        }
        let complaint = Complaint::read(&received, now());
        let mut failure = complaint.failure(&self.name);
        let is_changed = self.adapt(&complaint, habits, format, is_strict)
            || (complaint.is_about_key() && self.keys.blame(&self.name, turn, &mut failure));
        let error = CallError { failure, is_transient: complaint.transient() };
        if is_changed {
            return Err(Attempt::Changed(error));
        }
        let may_be_schema = schema.is_some() && error.failure.code == Code::ProviderRejected;
        if may_be_schema && complaint.is_unexplained() { Err(Attempt::Unexplained) } else { failed(error) }
    }

    /// Whether the complaint names something of ours that we can do without, so that the call is worth repeating.
    fn adapt(&self, complaint: &Complaint, habits: Habits, format: &Format, is_strict: bool) -> bool {
        if is_strict && complaint.about_schema() {
            if format.loosen() {
                tracing::info!(
                    provider = self.name,
                    "the provider refuses the strict form of a schema; it is given up"
                );
            }
            return true;
        }
        complaint.unsupported_parameter().is_some_and(|parameter| self.learned.without(&self.name, parameter, habits))
    }

    fn body(
        &self,
        call: &Call<'_>,
        system: &str,
        schema: Option<&Value>,
        is_strict: bool,
        habits: Habits,
    ) -> Result<Bytes, Failure> {
        let question = Question {
            model: &self.model,
            system,
            call,
            schema,
            is_strict,
            max_tokens: call.max_tokens.unwrap_or(self.max_tokens),
            temperature: call.temperature.or(self.temperature).filter(|_| habits.temperature),
            logprobs: self.logprobs && habits.logprobs,
            habits,
        };
        serde_json::to_vec(&self.wire.body(&question))
            .map(Bytes::from)
            .map_err(|e| Failure::new(Code::InternalError, format!("the request cannot be written as JSON: {e}")))
    }

    fn unusable(&self, reason: &str) -> Failure {
        let (name, answer) = (&self.name, self.wire.answer());
        Failure::new(
            Code::ProviderMalformed,
            format!("the answer of {name} is not a {answer}: {reason}; check that base_url is right"),
        )
    }
}

impl Model for Remote {
    fn name(&self) -> &str {
        &self.name
    }

    fn family(&self) -> &str {
        &self.model
    }

    fn cost_usd(&self, usage: Usage) -> f64 {
        self.prices.cost_usd(usage)
    }

    fn max_tokens(&self) -> u32 {
        self.max_tokens
    }

    fn instructions(&self) -> Option<&str> {
        self.instructions.as_deref()
    }

    fn ask<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, CallError>> {
        Box::pin(async move {
            let format: Arc<Format> = self.formats.of(call.schema_name, call.schema);
            let system = match &self.instructions {
                Some(more) => Cow::Owned(format!("{}\n\n{more}", call.system)),
                None => Cow::Borrowed(call.system),
            };
            let mut changes = MAX_ADAPTATIONS + self.keys.len();
            let mut is_bare = false;
            loop {
                match self.attempt(call, &system, &format, is_bare).await {
                    Ok(reply) => {
                        if is_bare && format.refused() {
                            let (provider, schema) = (&self.name, call.schema_name);
                            tracing::warn!(
                                provider,
                                schema,
                                "the provider refuses the schema; it is not sent to it again"
                            );
                        }
                        return Ok(reply);
                    }
                    Err(Attempt::Unexplained) => is_bare = true,
                    Err(Attempt::Changed(_)) if changes > 0 => changes -= 1,
                    Err(Attempt::Changed(error) | Attempt::Failed(error)) => return Err(error),
                }
            }
        })
    }
}

/// The base URL with these segments below it; a query (Azure's `api-version`) stays where it is.
fn endpoint(base_url: &str, segments: &[String]) -> Result<Url, String> {
    let mut url = Url::parse(base_url).map_err(|e| format!("base_url is not a URL ({e}); write http(s)://host/…"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("base_url has the scheme {:?}; write http(s)://host/…", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("base_url contains a user name or password; give the key as the API key".to_owned());
    }
    match url.path_segments_mut() {
        Ok(mut path) => path.pop_if_empty().extend(segments),
        Err(()) => return Err("base_url has no path; write http(s)://host/…".to_owned()),
    };
    Ok(url)
}

/// Only for a date in a response without a `Date`.
fn now() -> SystemTime {
    UNIX_EPOCH.checked_add(SystemClock.now()).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_below_the_base_url() {
        for (base, whole) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1/chat/completions"),
            ("http://localhost:1", "http://localhost:1/chat/completions"),
            ("https://x.example/openai/v1?api-version=1", "https://x.example/openai/v1/chat/completions?api-version=1"),
        ] {
            assert_eq!(endpoint(base, &["chat".to_owned(), "completions".to_owned()]).unwrap().as_str(), whole);
        }
        for refused in ["", "api.openai.com/v1", "ftp://x/v1", "https://user:pw@x/v1", "data:x"] {
            let reason = endpoint(refused, &[]).unwrap_err();
            assert!(!reason.contains("pw"), "{reason}");
        }
    }
}
