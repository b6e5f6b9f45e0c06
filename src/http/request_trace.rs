//! The trace of a request (the semantic conventions for HTTP).

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::endpoint::endpoint;
use super::request_id;
use super::state::ApiState;
use crate::codec::trace::{self, SpanContext};
use crate::telemetry::traces::names::{http, own};
use crate::telemetry::traces::span::{SpanKind, Value};
use crate::telemetry::traces::trace::Trace;
use crate::telemetry::traces::tracer::{FirstSpan, TraceOrigin};

/// What is asked for several times a minute by machines, and would fill the traces.
const NOT_TRACED: [&str; 4] = ["/v1/health", "/v1/health/live", "/v1/health/ready", "/v1/metrics"];

/// The trace of a request that has come.
pub(super) fn begin(api: &ApiState, request: &Request) -> Trace {
    let (route, given) = (endpoint(request), given(request.headers()));
    let Some(tracer) = api.tracer.as_ref().filter(|_| !NOT_TRACED.contains(&route)) else {
        return given.map(|origin| origin.unrecorded()).unwrap_or_default();
    };
    let origin = given.unwrap_or_else(TraceOrigin::new_trace);
    let is_sampled = tracer.samples(&origin);
    if !is_sampled && !tracer.keeps_failures() {
        return origin.unrecorded();
    }
    let method = request.method().as_str();
    let scheme = if api.settings.tls.is_some() { "https" } else { "http" };
    let attributes = vec![
        (http::METHOD, Value::text(method)),
        (http::ROUTE, route.into()),
        (http::PATH, Value::text(request.uri().path())),
        (http::SCHEME, scheme.into()),
    ];
    let name = Cow::Owned(format!("{method} {route}"));
    tracer.begin(origin, is_sampled, FirstSpan { name, kind: SpanKind::Server, began_at: tracer.now(), attributes })
}

/// It has its answer. Work on it may go on.
pub(super) fn end(trace: &Trace, response: &Response) {
    if !trace.is_on() {
        return;
    }
    let status = response.status();
    trace.note(http::STATUS, Value::Int(i64::from(status.as_u16())));
    if let Some(id) = response.headers().get(request_id::HEADER).and_then(|id| id.to_str().ok()) {
        trace.note(own::REQUEST_ID, Value::text(id));
    }
    if status.is_server_error() {
        trace.fail(status.as_u16().to_string());
    }
    trace.end(outcome(status));
}

fn outcome(status: StatusCode) -> &'static str {
    if status.is_success() {
        "answered"
    } else if status.is_server_error() {
        "failed"
    } else {
        "refused"
    }
}

/// The trace that the client names.
fn given(headers: &HeaderMap) -> Option<TraceOrigin> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let context = trace::of_headers(text("traceparent")?, text("tracestate"))?;
    let SpanContext { trace_id, span_id, is_sampled } = context.span()?;
    Some(TraceOrigin {
        trace_id: trace_id.into(),
        parent: Some((span_id, is_sampled)),
        first_span: None,
        tracestate: context.tracestate.map(Into::into),
    })
}

#[cfg(test)]
mod tests;
