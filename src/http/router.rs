//! Every route, by audience.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};

use super::admin::api_keys;
use super::admin::authorize::administrator;
use super::error_status::RequestCode;
use super::problem::Problem;
use super::state::ApiState;
use super::v1::{analyze, batch, cache, providers};
use super::{admission, health, idempotent, middleware};

/// The routes, as metrics call them.
const ENDPOINTS: [&str; 11] = [
    "/v1/health",
    "/v1/health/live",
    "/v1/health/ready",
    "/v1/metrics",
    "/v1/analyze",
    "/v1/analyze/batch",
    "/v1/cache",
    "/v1/cache/stats",
    "/v1/providers",
    "/admin/api-keys",
    "/admin/api-keys/{id}",
];
/// The methods, as metrics call them.
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PATCH", "DELETE"];

/// The service's routes.
pub fn router(state: ApiState) -> Router {
    Router::new()
        // For operators and their machines.
        .route("/v1/health", get(health::health))
        .route("/v1/health/live", get(health::live))
        .route("/v1/health/ready", get(health::ready))
        .route("/v1/metrics", get(metrics))
        .merge(for_clients(&state))
        .merge(for_administrators(&state))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(from_fn_with_state(Arc::clone(&state), count))
        .layer(from_fn(middleware::around))
        .with_state(state)
}

/// What needs a key.
fn for_clients(state: &ApiState) -> Router<ApiState> {
    // The last layer is the first to see a request.
    Router::new()
        .route("/v1/analyze", post(analyze::analyze))
        .route("/v1/analyze/batch", post(batch::analyze_batch))
        .route_layer(from_fn_with_state(Arc::clone(state), idempotent::once))
        .route("/v1/cache", delete(cache::invalidate))
        .route("/v1/cache/stats", get(cache::stats))
        .route("/v1/providers", get(providers::list))
        .route_layer(from_fn_with_state(Arc::clone(state), admission::limit))
        .route_layer(from_fn_with_state(Arc::clone(state), admission::authenticate))
        .route_layer(from_fn_with_state(Arc::clone(state), admission::admit))
}

/// What needs the admin key.
fn for_administrators(state: &ApiState) -> Router<ApiState> {
    let one = get(api_keys::get).patch(api_keys::change).delete(api_keys::revoke);
    Router::new()
        .route("/admin/api-keys", get(api_keys::list).post(api_keys::create))
        .route("/admin/api-keys/{id}", one)
        .route_layer(from_fn_with_state(Arc::clone(state), administrator))
        .route_layer(from_fn_with_state(Arc::clone(state), admission::admit))
}

async fn metrics(State(state): State<ApiState>) -> Response {
    match state.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
            .into_response(),
        Err(_written_to_memory) => Problem::defect().into_response(),
    }
}

async fn not_found(request: Request) -> Problem {
    let detail = format!("there is no {}; the README lists the routes", request.uri().path());
    Problem::new(RequestCode::NotFound, detail)
}

async fn method_not_allowed(request: Request) -> Problem {
    let detail = format!("{} does not take {}", request.uri().path(), request.method());
    Problem::new(RequestCode::MethodNotAllowed, detail)
}

async fn count(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let began_at = Instant::now();
    // Labels come from what we have routes for, never from what was sent: anybody can send anything.
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let endpoint = ENDPOINTS.into_iter().find(|endpoint| route == Some(*endpoint)).unwrap_or("other");
    let method = METHODS.into_iter().find(|method| request.method().as_str() == *method).unwrap_or("other");
    let response = next.run(request).await;
    state.metrics.http(method, endpoint, response.status().as_u16(), began_at.elapsed());
    response
}
