//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a request that is sent again gets the first
//! answer, and nothing is paid twice.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use sha2::{Digest as _, Sha256};
use tokio::time::sleep;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::Instrument as _;
use utoipa::IntoParams;

use super::auth::Identity;
use super::error_status::RequestCode;
use super::json_body::collect;
use super::problem::Problem;
use super::state::ApiState;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::tenant::Tenant;
use crate::ports::idempotency::{Begun, Idempotency, IdempotentRequest, StoredAnswer, Ticket};
use crate::ports::repository::RepositoryError;
use crate::tasks::Tasks;
use crate::telemetry::traces::names::request as wait;
use crate::telemetry::traces::trace::Trace;

/// The header as the OpenAPI document describes it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// A name for the request, at best a UUID. Sent again within a day, the same request gets the first answer.
    #[param(rename = "Idempotency-Key", pattern = "^[!#-~]{1,255}$")]
    pub idempotency_key: Option<String>,
}

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is an earlier one.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// What is repeated of an answer's headers.
const REPEATED: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];
/// Longest key, in characters.
const MAX_KEY_CHARS: usize = 255;
/// How long an answer is given again.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// After this time the process that works on a request is taken for dead: the longest request takes ten minutes, and a
/// batch of such requests four times as long.
const LEASE: Duration = Duration::from_secs(45 * 60);
/// When to ask again for what is under way.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Pauses before each further attempt to store how a request ended.
const RETRY_PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// A request with its key, and the ticket by which the store knows who works on it.
struct KeyedRequest {
    requests: Arc<dyn Idempotency>,
    tenant: Tenant,
    key: String,
    fingerprint: Fingerprint,
    ticket: Ticket,
    tasks: Tasks,
    /// The process does not end while the ticket is held.
    _open: TaskTrackerToken,
}

/// Answers a request with a key once. One that has begun is finished though its client has gone: it will ask again.
pub async fn once(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    request: Request,
    next: Next,
) -> Response {
    let answer = match key_of(request.headers()) {
        Ok(None) => return next.run(request).await,
        Ok(Some(key)) => answer(&api, identity.caller.tenant(), key, request, next).await,
        Err(problem) => Err(problem),
    };
    answer.unwrap_or_else(Problem::into_response)
}

async fn answer(
    api: &ApiState,
    tenant: &Tenant,
    key: String,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(requests) = &api.idempotency else {
        let detail = "the store keeps no answers to repeat; leave Idempotency-Key out, or set store.url to a database";
        return Err(Problem::new(RequestCode::InvalidRequest, detail));
    };
    let (parts, body) = request.into_parts();
    let body = collect(body, api.settings.max_body_bytes).await?;
    let hash = Sha256::new().chain_update(parts.uri.path()).chain_update([0]).chain_update(&body);
    let fingerprint = Fingerprint(hash.finalize().into());
    let keyed = KeyedRequest {
        requests: Arc::clone(requests),
        tenant: tenant.clone(),
        key,
        fingerprint,
        ticket: Ticket::random(),
        tasks: api.tasks.clone(),
        _open: api.open_requests.token(),
    };
    // All of it, from the moment that the key is taken: nobody else would give it back.
    let work = keyed.answer(Request::from_parts(parts, Body::from(body)), next);
    api.tasks.side_work(work.in_current_span()).await.map_err(|_panicked| Problem::defect())?
}

impl KeyedRequest {
    async fn answer(self, request: Request, next: Next) -> Result<Response, Problem> {
        let Self { fingerprint, ticket, .. } = self;
        let begin = IdempotentRequest { key: self.key.clone(), fingerprint, ticket, lease: LEASE };
        let trace = request.extensions().get::<Trace>().cloned().unwrap_or_default();
        let begun = trace.wait(wait::IDEMPOTENCY, self.requests.begin(&self.tenant, begin)).await;
        match begun {
            Ok(Begun::New) => Ok(self.work(request, next).await),
            Ok(Begun::Done(answer)) => Ok(replay(answer)),
            Ok(Begun::Running) => {
                let detail = "a request with this Idempotency-Key is under way; ask again for its answer";
                Err(Problem::new(RequestCode::IdempotencyInProgress, detail).retry_after(Some(ASK_AGAIN)))
            }
            Ok(Begun::OtherRequest) => {
                let detail = "this Idempotency-Key belongs to another request; choose a new one for each request";
                Err(Problem::new(RequestCode::IdempotencyMismatch, detail))
            }
            Err(_away) => {
                // The key may have been taken, and only the answer lost.
                self.end_later(None);
                Err(Problem::store_unavailable())
            }
        }
    }

    /// Only a good answer is repeated: whatever else came, the client may try again.
    async fn work(self, request: Request, next: Next) -> Response {
        let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let response = response.unwrap_or_else(|_panic| Problem::defect().into_response());
        let (parts, body) = response.into_parts();
        let (true, Ok(body)) = (parts.status.is_success(), to_bytes(body, usize::MAX).await) else {
            self.end(None).await;
            return Response::from_parts(parts, Body::empty());
        };
        let header = |name: &HeaderName| {
            let value = parts.headers.get(name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        };
        let headers = REPEATED.iter().filter_map(header);
        let stored = StoredAnswer { status: parts.status.as_u16(), headers: headers.collect(), body: body.clone() };
        self.end(Some(stored)).await;
        Response::from_parts(parts, Body::from(body))
    }

    /// Stores an answer, or gives the key back where there is none. The client waits for the first attempt only.
    async fn end(self, answer: Option<StoredAnswer>) {
        if self.try_end(answer.clone()).await.is_err() {
            self.end_later(answer);
        }
    }

    fn end_later(self, answer: Option<StoredAnswer>) {
        let tasks = self.tasks.clone();
        let work = async move {
            for pause in RETRY_PAUSES {
                sleep(pause).await;
                match self.try_end(answer.clone()).await {
                    Ok(()) => return,
                    Err(error) => tracing::debug!(%error, "the end of a request with an idempotency key is not stored"),
                }
            }
            let minutes = LEASE.as_secs() / 60;
            tracing::warn!(
                minutes,
                "the end of a request with an idempotency key could not be stored; its key may be in use for so long"
            );
        };
        drop(tasks.side_work(work.in_current_span()));
    }

    async fn try_end(&self, answer: Option<StoredAnswer>) -> Result<(), RepositoryError> {
        let Self { requests, tenant, key, ticket, .. } = self;
        match answer {
            Some(answer) => requests.finish(tenant, key, *ticket, answer, REMEMBERED).await,
            None => requests.abandon(tenant, key, *ticket).await,
        }
    }
}

fn replay(StoredAnswer { status, headers, body }: StoredAnswer) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// Refuses an idempotency key where the answer has a secret, which is not stored and so cannot be given again.
///
/// # Errors
/// `invalid_request` if there is one.
pub fn refuse(headers: &HeaderMap) -> Result<(), Problem> {
    if !headers.contains_key(KEY) {
        return Ok(());
    }
    let detail = "the answer is not stored, because it has a secret, so it cannot be given again; leave \
                  Idempotency-Key out, and before you ask again list what is there";
    Err(Problem::new(RequestCode::InvalidRequest, detail))
}

/// The key, as a string of structured fields (`"8e03…"`) or bare.
fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let is_key =
        (1..=MAX_KEY_CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if !is_key {
        let detail = format!("Idempotency-Key has 1 to {MAX_KEY_CHARS} visible ASCII characters, for example a UUID");
        return Err(Problem::new(RequestCode::InvalidRequest, detail));
    }
    Ok(Some(key.to_owned()))
}

#[cfg(test)]
mod tests;
