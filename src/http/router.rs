//! Every route, by audience.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{delete, get, post};

use super::admin::authorize::administrator;
use super::admin::{api_keys, log_level};
use super::endpoint::endpoint;
use super::error_status::RequestCode;
use super::problem::Problem;
use super::request_log::layer::take_down;
use super::request_log::record::CLIENT_GONE;
use super::state::ApiState;
use super::v1::openai::{chat_completions, models};
use super::v1::{analyze, batch, cache, providers, requests, schemas, templates, usage};
use super::{
    admission, audit, compression, cors, health, idempotent, metrics, middleware, pages, request_trace, tls,
    unread_body,
};
use crate::telemetry::metrics::EndedRequest;
use crate::telemetry::traces::trace::Trace;

/// The methods, as metrics call them.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The service's routes: those of administrators too, unless they have an address of their own.
pub fn router(state: ApiState) -> Router {
    let routes = for_operators().merge(pages::routes()).merge(for_clients(&state));
    let has_own_address = state.settings.admin_listen.is_some();
    let routes = if has_own_address { routes } else { routes.merge(for_administrators(&state)) };
    around(routes.fallback(not_found), state)
}

/// The routes of a process that does not answer clients.
pub fn operations_router(state: ApiState) -> Router {
    around(for_operators().fallback(not_for_clients), state)
}

/// What operators and their machines ask.
fn for_operators() -> Router<ApiState> {
    Router::new()
        .route("/v1/health", get(health::health))
        .route("/v1/health/live", get(health::live))
        .route("/v1/health/ready", get(health::ready))
        .route("/v1/metrics", get(metrics::metrics))
}

/// The routes of administrators alone.
pub fn admin_router(state: ApiState) -> Router {
    around(for_administrators(&state).fallback(not_for_administrators), state)
}

/// What holds for all routes, and for requests that none takes.
fn around(routes: Router<ApiState>, state: ApiState) -> Router {
    let routes = routes
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(middleware::around))
        // Outside of what writes problem documents, so that those are compressed too.
        .layer(from_fn_with_state(state.tasks.clone(), compression::compress));
    let routes = match &state.settings.cors {
        Some(settings) => routes.layer(cors::layer(settings)),
        None => routes,
    };
    let has_hsts = state.settings.tls.as_ref().is_some_and(|tls| tls.hsts);
    let routes = if has_hsts { routes.layer(map_response(tls::only_encrypted)) } else { routes };
    routes
        // Outside of what makes an answer of a panic, so that those answers are counted too.
        .layer(from_fn_with_state(Arc::clone(&state), observe))
        .layer(from_fn_with_state(state.tasks.clone(), unread_body::discard))
        .with_state(state)
}

/// What needs a key.
fn for_clients(state: &ApiState) -> Router<ApiState> {
    let limit = from_fn_with_state(Arc::clone(state), admission::limit);
    // The last layer is the first to see a request.
    let asking = Router::new()
        .route("/v1/analyze", post(analyze::analyze))
        .route("/v1/analyze/batch", post(batch::analyze_batch))
        .route("/v1/chat/completions", post(chat_completions::create))
        .route_layer(from_fn_with_state(Arc::clone(state), idempotent::once))
        .route_layer(limit.clone())
        .route_layer(from_fn_with_state(Arc::clone(state), admission::until_given_up))
        .route_layer(from_fn_with_state(Arc::clone(state), take_down));
    let creating = Router::new()
        .route("/v1/schemas", post(schemas::create))
        .route("/v1/templates", post(templates::create))
        .route_layer(from_fn_with_state(Arc::clone(state), idempotent::once));
    let schema = get(schemas::get).put(schemas::change).delete(schemas::delete);
    let template = get(templates::get).put(templates::change).delete(templates::delete);
    Router::new()
        .route("/v1/schemas", get(schemas::list))
        .route("/v1/schemas/{id}", schema)
        .route("/v1/schemas/{id}/versions", get(schemas::versions))
        .route("/v1/templates", get(templates::list))
        .route("/v1/templates/{id}", template)
        .route("/v1/templates/{id}/versions", get(templates::versions))
        .route("/v1/templates/{id}/render", post(templates::render::render))
        .merge(creating)
        .route("/v1/cache", delete(cache::invalidate))
        .route("/v1/cache/stats", get(cache::stats))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::get))
        .route("/v1/providers", get(providers::list))
        .route("/v1/requests", get(requests::list))
        .route("/v1/requests/{request_id}", get(requests::get))
        .route("/v1/usage", get(usage::usage))
        .route_layer(limit)
        .merge(asking)
        .route_layer(from_fn_with_state(Arc::clone(state), audit::denials))
        .route_layer(from_fn_with_state(Arc::clone(state), admission::authenticate))
        .route_layer(from_fn_with_state(Arc::clone(state), admission::admit))
}

/// What needs the admin key.
fn for_administrators(state: &ApiState) -> Router<ApiState> {
    let one = get(api_keys::get).patch(api_keys::change).delete(api_keys::revoke);
    Router::new()
        .route("/admin/api-keys", get(api_keys::list).post(api_keys::create))
        .route("/admin/api-keys/{id}", one)
        .route("/admin/log-level", get(log_level::get).put(log_level::change))
        .route_layer(from_fn_with_state(Arc::clone(state), administrator))
        .route_layer(from_fn_with_state(Arc::clone(state), admission::admit))
}

async fn not_found(request: Request) -> Problem {
    let detail =
        format!("there is no {}; GET /openapi.json lists the routes, and /docs explains them", request.uri().path());
    Problem::new(RequestCode::NotFound, detail)
}

async fn not_for_clients(request: Request) -> Problem {
    let detail = format!(
        "there is no {} at this process, which was started without the role api; it has /v1/health, /v1/health/live, \
         /v1/health/ready and /v1/metrics",
        request.uri().path()
    );
    Problem::new(RequestCode::NotFound, detail)
}

/// The document that lists the routes, and the pages that explain them, are not at the address of administrators.
async fn not_for_administrators(request: Request) -> Problem {
    let detail = format!(
        "there is no {} at this address (http.admin_listen), which has those of /admin alone; all other routes are at \
         that of http.listen",
        request.uri().path()
    );
    Problem::new(RequestCode::NotFound, detail)
}

async fn method_not_allowed(request: Request) -> Problem {
    let detail = format!("{} does not take {}", request.uri().path(), request.method());
    Problem::new(RequestCode::MethodNotAllowed, detail)
}

/// Counts a request and records its trace, which handlers find among the extensions.
async fn observe(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let began_at = Instant::now();
    let endpoint = endpoint(&request);
    let method = METHODS.into_iter().find(|method| request.method().as_str() == *method).unwrap_or("other");
    let trace = request_trace::begin(&state, &request);
    request.extensions_mut().insert(trace.clone());
    state.metrics.http().begun();
    // A client that goes away takes this with it.
    let mut counted = Counted { state, method, endpoint, began_at, trace, status: CLIENT_GONE };
    let response = next.run(request).await;
    counted.status = response.status().as_u16();
    // Before it is counted, since the trace of a failure is exported.
    request_trace::end(&counted.trace, &response);
    response
}

/// A request, which is counted at its end.
struct Counted {
    state: ApiState,
    method: &'static str,
    endpoint: &'static str,
    began_at: Instant,
    trace: Trace,
    status: u16,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Self { method, endpoint, status, .. } = *self;
        let exemplar = self.trace.exemplar(self.state.clock.now());
        let took = self.began_at.elapsed();
        self.state.metrics.http().ended(EndedRequest { method, endpoint, status, took, exemplar });
    }
}
