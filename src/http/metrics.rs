//! `GET /v1/metrics`: what Prometheus scrapes.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::state::ApiState;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Metrics as OpenMetrics text
#[utoipa::path(
    get, path = "/v1/metrics", tag = "Operations", operation_id = "metrics",
    responses((status = 200, description = "The metrics", body = String,
        content_type = "application/openmetrics-text", example = json!("# EOF\n"))),
)]
pub async fn metrics(State(state): State<ApiState>) -> Response {
    match state.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_written_to_memory) => Problem::defect().into_response(),
    }
}
