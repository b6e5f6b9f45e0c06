//! What holds for every request: an id, an answer even after a panic, and headers for browsers.

use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tracing::Instrument as _;
use tracing::field::{Empty, display};

use super::problem::Problem;
use super::request_id::{self, RequestId};
use super::v1::openai;
use crate::telemetry::traces::trace::Trace;

/// Answers hold data of one caller, and no pages: nobody keeps them, frames them or guesses their type.
const FOR_BROWSERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Goes around everything else.
pub async fn around(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let is_openai = openai::error::is_expected(&request);
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let trace_id = request.extensions().get().and_then(Trace::id).map(display);
    // At the highest level, so that lines have it whatever the log's level is.
    let span = tracing::error_span!("http_request", request_id = id.as_str(), trace_id, api_key_id = Empty);
    let answer = AssertUnwindSafe(next.run(request).instrument(span)).catch_unwind().await;
    let mut response = answer.unwrap_or_else(|_panic| Problem::defect().into_response());
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        // Its body comes with a length of its own.
        response.headers_mut().remove(header::CONTENT_LENGTH);
        if is_openai {
            openai::error::write(&problem, &mut response);
        } else {
            *response.body_mut() = problem.of_request(&id).body();
        }
    }
    let headers = response.headers_mut();
    headers.insert(request_id::HEADER, id.header_value());
    if is_chunked {
        // There may have been a length as well, by which a proxy sees the body's end elsewhere. Then what follows on the
        // connection is no request of its client.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    add_missing(headers);
    response
}

fn add_missing(headers: &mut HeaderMap) {
    for (name, value) in FOR_BROWSERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests;
