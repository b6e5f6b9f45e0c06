//! Problems as OpenAI's clients read them: `{"error": {"message", "type", "param", "code"}}`, with our codes.

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::json::pointer;
use crate::http::problem::{PlaceError, Problem};

/// An error as OpenAI writes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenAiErrorBody)]
pub struct ErrorBody<'a> {
    error: Error<'a>,
}

/// What went wrong. `code` is one of ours.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenAiError)]
struct Error<'a> {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    /// The member that is wrong, where one can be named: `messages[0].content`.
    #[schema(required)]
    param: Option<String>,
    code: &'a str,
    /// With `answer_invalid`: what is wrong at each place of the answer.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [PlaceError],
}

/// Whether the route of a request is one of OpenAI's.
pub fn is_expected(request: &Request) -> bool {
    request.extensions().get::<MatchedPath>().is_some_and(|route| is_route(route.as_str()))
}

/// Whether a route is one of OpenAI's.
pub fn is_route(route: &str) -> bool {
    route.starts_with("/v1/chat/") || route.starts_with("/v1/models")
}

/// Writes a problem into its response.
pub fn write(problem: &Problem, response: &mut Response) {
    let places = problem.places();
    let param = places.first().map(|place| param(&place.pointer));
    let (message, kind) = (message(problem), kind(problem.status()));
    let error = Error {
        message,
        kind,
        param: param.filter(|param| !param.is_empty()),
        code: problem.code(),
        errors: problem.places_of_answer(),
    };
    *response.body_mut() = Body::from(serde_json::to_vec(&ErrorBody { error }).unwrap_or_default());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
}

/// What is wrong at each place, or else the detail.
fn message(problem: &Problem) -> String {
    let said = |place: &PlaceError| match param(&place.pointer) {
        param if param.is_empty() => place.detail.clone(),
        param => format!("{param}: {}", place.detail),
    };
    match problem.places() {
        [] => problem.detail().to_owned(),
        places => places.iter().map(said).collect::<Vec<_>>().join("; "),
    }
}

/// A place as OpenAI writes it: `#/messages/0/content` is `messages[0].content`. One in the query stays as it is.
fn param(pointer: &str) -> String {
    if pointer.starts_with('?') {
        return pointer.to_owned();
    }
    let mut param = String::new();
    for token in pointer::tokens(pointer) {
        if token.parse::<usize>().is_ok() {
            param.push_str(&format!("[{token}]"));
            continue;
        }
        if !param.is_empty() {
            param.push('.');
        }
        param.push_str(&token);
    }
    param
}

fn kind(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request_error",
    }
}
