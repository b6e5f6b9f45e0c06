//! Whether a request may begin: not while the process ends, not without a key, and not beyond the key's limit.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::audit;
use super::auth::{Identified, Identity};
use super::error_status::RequestCode;
use super::problem::Problem;
use super::rate_limit::{add_headers, charge};
use super::request_id::RequestId;
use super::state::ApiState;
use crate::telemetry::traces::names::request as wait;
use crate::telemetry::traces::trace::Trace;

/// When another process has taken over.
const TAKEN_OVER: Duration = Duration::from_secs(1);

/// Lets a request begin unless the process is about to end: then [`super::state::ApiParts::open_requests`] is closed,
/// and its end waits for those that have begun.
pub async fn admit(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    // Taken before the look: the end, which waits for all tokens after it has closed, overlooks no request that begins.
    let _open = api.open_requests.token();
    if api.open_requests.is_closed() {
        return shutting_down("this process is about to end; send the request again, to another one");
    }
    next.run(request).await
}

/// Answers a request that is still under way shortly before the process ends: a connection that just breaks would tell
/// its client nothing.
pub async fn until_given_up(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    let answered = api.requests_given_up.run_until_cancelled(next.run(request)).await;
    answered.unwrap_or_else(|| {
        shutting_down("this process ends, and the answer did not come before; send the request again, to another one")
    })
}

fn shutting_down(detail: &str) -> Response {
    let problem = Problem::new(RequestCode::ShuttingDown, detail).retry_after(Some(TAKEN_OVER));
    ([(header::CONNECTION, HeaderValue::from_static("close"))], problem).into_response()
}

/// Lets a request through on behalf of whoever makes it.
pub async fn authenticate(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    mut request: Request,
    next: Next,
) -> Response {
    let trace = request.extensions().get::<Trace>().cloned().unwrap_or_default();
    let identified = trace.wait(wait::AUTHENTICATE, api.authenticator.identify(request.headers())).await;
    match identified {
        Ok(Identified { identity, is_new }) => {
            if let Some(key) = &identity.key {
                tracing::Span::current().record("api_key_id", tracing::field::display(&key.id));
            }
            if is_new {
                audit::key_accepted(&api, &id, &request, &identity);
            }
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Err(refused) => {
            audit::key_refused(&api, &id, &request, &refused);
            refused.problem.into_response()
        }
    }
}

/// Takes a request out of its key's limit, and says in its answer what is left.
pub async fn limit(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    request: Request,
    next: Next,
) -> Response {
    let Some(key) = &identity.key else { return next.run(request).await };
    let trace = request.extensions().get::<Trace>().cloned().unwrap_or_default();
    let charged = trace.wait(wait::RATE_LIMIT, charge(&*api.rate_limits, key, 1)).await;
    let mut response = match charged {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    // Looked up afterwards: a batch takes more than one.
    add_headers(response.headers_mut(), &api.rate_limits.last_known(&key.id, key.per_hour));
    response
}

#[cfg(test)]
mod tests;
