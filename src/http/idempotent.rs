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
use tracing::Instrument as _;

use super::auth::Identity;
use super::error_status::RequestCode;
use super::json_body::collect;
use super::problem::Problem;
use super::state::ApiState;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::tenant::Tenant;
use crate::ports::idempotency::{Begun, Idempotency, IdempotentRequest, StoredAnswer, Ticket};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is an earlier one.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key, in characters.
const MAX_KEY_CHARS: usize = 255;
/// How long an answer is given again.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// After this time the process that works on a request is taken for dead: the longest request takes ten minutes, and a
/// batch of such requests four times as long.
const LEASE: Duration = Duration::from_secs(45 * 60);
/// When to ask again for what is under way.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Who holds a key's ticket.
struct Held {
    requests: Arc<dyn Idempotency>,
    tenant: Tenant,
    key: String,
    ticket: Ticket,
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
    let begun = requests.begin(tenant, IdempotentRequest { key: key.clone(), fingerprint, lease: LEASE }).await;
    let ticket = match begun.map_err(|_away| Problem::store_unavailable())? {
        Begun::New(ticket) => ticket,
        Begun::Done(answer) => return Ok(replay(answer)),
        Begun::Running => {
            let detail = "a request with this Idempotency-Key is under way; ask again for its answer";
            return Err(Problem::new(RequestCode::IdempotencyInProgress, detail).retry_after(Some(ASK_AGAIN)));
        }
        Begun::OtherRequest => {
            let detail = "this Idempotency-Key belongs to another request; choose a new one for each request";
            return Err(Problem::new(RequestCode::IdempotencyMismatch, detail));
        }
    };
    let held = Held { requests: Arc::clone(requests), tenant: tenant.clone(), key, ticket };
    let open = api.open_requests.token();
    let work = async move {
        let response = held.answer(Request::from_parts(parts, Body::from(body)), next).await;
        drop(open);
        response
    };
    api.tasks.side_work(work.in_current_span()).await.map_err(|_panicked| Problem::defect())
}

impl Held {
    /// Only a good answer is repeated: whatever else came, the client may try again.
    async fn answer(self, request: Request, next: Next) -> Response {
        let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let response = response.unwrap_or_else(|_panic| Problem::defect().into_response());
        let (parts, body) = response.into_parts();
        let (true, Ok(body)) = (parts.status.is_success(), to_bytes(body, usize::MAX).await) else {
            self.note(self.requests.abandon(&self.tenant, &self.key, self.ticket).await);
            return Response::from_parts(parts, Body::empty());
        };
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let headers = content_type.map(|value| (header::CONTENT_TYPE.to_string(), value.to_owned()));
        let stored =
            StoredAnswer { status: parts.status.as_u16(), headers: headers.into_iter().collect(), body: body.clone() };
        self.note(self.requests.finish(&self.tenant, &self.key, self.ticket, stored, REMEMBERED).await);
        Response::from_parts(parts, Body::from(body))
    }

    fn note<E: std::fmt::Display>(&self, outcome: Result<(), E>) {
        if let Err(error) = outcome {
            tracing::warn!(%error, "the answer to a request with an idempotency key could not be remembered");
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
