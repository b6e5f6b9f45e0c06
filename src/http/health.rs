//! `/v1/health` and the two probes of Kubernetes. All three answer from memory: no dependency can make them slow.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::Object;

use super::openapi::schemas::words;
use super::state::{ApiParts, ApiState};
use crate::domain::health::{Component, Status};

/// The answer of `/v1/health`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HealthReport)]
pub struct Report {
    #[schema(schema_with = overall_statuses)]
    status: &'static str,
    version: &'static str,
    uptime_seconds: u64,
    /// By kind, then by name.
    components: BTreeMap<&'static str, BTreeMap<String, ComponentReport>>,
}

/// How a part is doing, with counts of its own.
#[derive(Debug, Serialize, ToSchema)]
struct ComponentReport {
    #[schema(schema_with = component_statuses)]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(flatten)]
    facts: BTreeMap<&'static str, i64>,
}

/// The answer of the probes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Probe {
    #[schema(schema_with = probe_statuses)]
    status: &'static str,
    /// What stands in the way.
    reasons: Vec<String>,
}

/// Tells how every part is doing
///
/// 503 when the process is unhealthy, so that a plain HTTP check is enough.
#[utoipa::path(
    get, path = "/v1/health", tag = "Operations", operation_id = "health",
    responses(
        (status = 200, description = "Healthy, or degraded", body = Report, example = json!({
            "status": "healthy", "version": "0.1.0", "uptime_seconds": 3600,
            "components": { "provider": { "claude": { "status": "up", "in_flight": 3 } } },
        })),
        (status = 503, description = "Unhealthy: a part is down that the others depend on", body = Report),
    ),
)]
pub async fn health(State(state): State<ApiState>) -> (StatusCode, Json<Report>) {
    let components = state.health.components();
    let overall = overall(&components);
    let code = if overall == "unhealthy" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let report = Report {
        status: overall,
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: state.started_at.elapsed().as_secs(),
        components: by_kind(components),
    };
    (code, Json(report))
}

/// Tells whether a restart of the process would help
///
/// 200 while it would not.
#[utoipa::path(
    get, path = "/v1/health/live", tag = "Operations", operation_id = "live",
    responses(
        (status = 200, description = "Alive", body = Probe, example = json!({ "status": "alive", "reasons": [] })),
        (status = 503, description = "A restart would help", body = Probe),
    ),
)]
pub async fn live(State(state): State<ApiState>) -> (StatusCode, Json<Probe>) {
    probe("alive", reasons(&state, |component| component.is_alive))
}

/// Tells whether traffic can be sent here
///
/// 200 when every connector has its cluster, its topics and a place in its group, and the process is not about to end.
#[utoipa::path(
    get, path = "/v1/health/ready", tag = "Operations", operation_id = "ready",
    responses(
        (status = 200, description = "Ready", body = Probe, example = json!({ "status": "ready", "reasons": [] })),
        (status = 503, description = "Not now; `reasons` says why", body = Probe),
    ),
)]
pub async fn ready(State(state): State<ApiState>) -> (StatusCode, Json<Probe>) {
    let mut reasons = reasons(&state, |component| component.is_ready);
    if state.open_requests.is_closed() {
        reasons.push("the process is about to end".to_owned());
    }
    probe("ready", reasons)
}

/// Shows the same in the metrics, looked up whenever they are.
pub fn show_in_metrics(api: &ApiParts) {
    let (health, open_requests, shown) = (Arc::clone(&api.health), api.open_requests.clone(), api.metrics.health());
    api.metrics.at_scrape(move || {
        let components = health.components();
        let is_ready = !open_requests.is_closed() && components.iter().all(|component| component.is_ready);
        shown.show(is_ready, components);
    });
}

fn reasons(state: &ApiState, is_good: fn(&Component) -> bool) -> Vec<String> {
    state.health.components().into_iter().filter(|component| !is_good(component)).map(reason).collect()
}

fn probe(good: &'static str, reasons: Vec<String>) -> (StatusCode, Json<Probe>) {
    if reasons.is_empty() {
        (StatusCode::OK, Json(Probe { status: good, reasons }))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(Probe { status: "unavailable", reasons }))
    }
}

fn reason(component: Component) -> String {
    let detail = component.detail.unwrap_or_else(|| component.status.as_str().to_owned());
    format!("{} {}: {detail}", component.kind, component.name)
}

/// Healthy when all is up; unhealthy when something that the others depend on is down; degraded in between.
fn overall(components: &[Component]) -> &'static str {
    match components.iter().map(|component| component.status).max() {
        None | Some(Status::Up) => "healthy",
        Some(Status::Degraded) => "degraded",
        Some(Status::Down) => "unhealthy",
    }
}

fn by_kind(components: Vec<Component>) -> BTreeMap<&'static str, BTreeMap<String, ComponentReport>> {
    let mut kinds: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for component in components {
        let report = ComponentReport {
            status: component.status.as_str(),
            latency_ms: component.latency.map(milliseconds),
            detail: component.detail,
            facts: component.facts.into_iter().collect(),
        };
        kinds.entry(component.kind).or_default().insert(component.name, report);
    }
    kinds
}

fn overall_statuses() -> Object {
    words("How the process is", ["healthy", "degraded", "unhealthy"])
}

fn component_statuses() -> Object {
    words("How the part is", [Status::Up, Status::Degraded, Status::Down].map(Status::as_str))
}

fn probe_statuses() -> Object {
    words("`alive` or `ready`, else `unavailable`", ["alive", "ready", "unavailable"])
}

fn milliseconds(latency: Duration) -> f64 {
    (latency.as_secs_f64() * 1e6).round() / 1e3
}
