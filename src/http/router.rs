//! Every route, by audience.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::error_status::RequestCode;
use super::problem::Problem;
use super::state::ApiState;
use super::v1::{analyze, batch};
use super::{admission, health, middleware};

/// The service's routes.
pub fn router(state: ApiState) -> Router {
    Router::new()
        // For operators and their machines.
        .route("/v1/health", get(health::health))
        .route("/v1/health/live", get(health::live))
        .route("/v1/health/ready", get(health::ready))
        .route("/v1/metrics", get(metrics))
        .merge(for_clients(&state))
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
        .route_layer(from_fn_with_state(Arc::clone(state), admission::limit))
        .route_layer(from_fn_with_state(Arc::clone(state), admission::authenticate))
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
    let endpoint = match request.extensions().get::<MatchedPath>().map(MatchedPath::as_str) {
        Some("/v1/health") => "/v1/health",
        Some("/v1/health/live") => "/v1/health/live",
        Some("/v1/health/ready") => "/v1/health/ready",
        Some("/v1/metrics") => "/v1/metrics",
        Some("/v1/analyze") => "/v1/analyze",
        Some("/v1/analyze/batch") => "/v1/analyze/batch",
        Some(_) | None => "other",
    };
    let method = match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        _ => "other",
    };
    let response = next.run(request).await;
    state.metrics.http(method, endpoint, response.status().as_u16(), began_at.elapsed());
    response
}
