//! The routes by name, for metrics and the request log.

use axum::extract::{MatchedPath, Request};

/// Every route that has a name.
pub(super) const ENDPOINTS: &[&str] = &[
    "/v1/health",
    "/v1/health/live",
    "/v1/health/ready",
    "/v1/metrics",
    "/openapi.json",
    "/docs",
    "/docs/",
    "/docs/{file}",
    "/redoc",
    "/redoc/",
    "/redoc/{file}",
    "/v1/analyze",
    "/v1/analyze/batch",
    "/v1/chat/completions",
    "/v1/cache",
    "/v1/cache/stats",
    "/v1/models",
    "/v1/models/{*id}",
    "/v1/providers",
    "/v1/requests",
    "/v1/requests/{request_id}",
    "/v1/usage",
    "/v1/schemas",
    "/v1/schemas/{id}",
    "/v1/schemas/{id}/versions",
    "/v1/templates",
    "/v1/templates/{id}",
    "/v1/templates/{id}/versions",
    "/v1/templates/{id}/render",
    "/admin/api-keys",
    "/admin/api-keys/{id}",
    "/admin/log-level",
];

/// The route that a request takes, as metrics and the request log name it. Names come from what we have routes for,
/// never from what was sent: anybody can send anything.
pub fn endpoint(request: &Request) -> &'static str {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    ENDPOINTS.iter().copied().find(|endpoint| route == Some(*endpoint)).unwrap_or("other")
}
