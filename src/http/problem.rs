//! Errors as RFC 9457 problem documents.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::error_status::{RequestCode, status_of};
use super::request_id::RequestId;
use crate::domain::attempt::Attempt;
use crate::domain::failure::{Failure, Kind};
use crate::domain::violation::Violation;

/// An error, as the client is told.
#[derive(Debug, Clone, Serialize)]
pub struct Problem(Box<Document>);

/// A problem document (RFC 9457). Its `code` is the stable name of what is wrong, and has a section in `docs/errors.md`.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Document {
    /// Always `about:blank`: `code` says more.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What the status is called.
    #[schema(example = "Bad Request")]
    title: &'static str,
    /// The status of the answer, or that it would have by itself.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, example = 400)]
    status: StatusCode,
    /// What happened, and what to do.
    #[schema(example = "#/promt: there is no such field; did you mean \"prompt\"?")]
    detail: String,
    /// What went wrong, for programs.
    #[schema(example = "invalid_request")]
    code: &'static str,
    /// The request's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<RequestId>,
    /// Each place of the request that is wrong, where places can be named. With `answer_invalid`: of the
    /// answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<PlaceError>,
    /// Whether these are places of an answer.
    #[serde(skip)]
    are_of_answer: bool,
    /// Whether the one place has the name of something that there is not.
    #[serde(skip)]
    is_unknown_name: bool,
    #[serde(skip)]
    retry_after: Option<Duration>,
    #[serde(skip)]
    attempt_log: Arc<[Attempt]>,
}

/// What is wrong at one place of a request, or of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlaceError {
    /// JSON Pointer into the body, or into the answer's data, as a URI fragment: `#/options/timeout`. `?limit` for a
    /// parameter of the query.
    #[schema(example = "#/promt")]
    pub pointer: String,
    /// What is wrong there, and what to write instead.
    pub detail: String,
}

impl Problem {
    /// The problem with this code.
    pub fn new(code: RequestCode, detail: impl Into<String>) -> Self {
        Self::with_status(code.status(), code.as_str(), detail.into())
    }

    /// The problem of a request that cannot be read, with everything that is wrong with it.
    pub fn at_places(code: RequestCode, errors: Vec<PlaceError>) -> Self {
        let detail = match errors.as_slice() {
            [PlaceError { pointer, detail }] => format!("{pointer}: {detail}"),
            several => format!("{} places of the request are wrong; `errors` has each", several.len()),
        };
        let mut problem = Self::new(code, detail);
        problem.0.errors = errors;
        problem
    }

    /// The problem of a request that names something that there is not, at this place.
    pub fn unknown_name(place: PlaceError) -> Self {
        let mut problem = Self::at_places(RequestCode::InvalidRequest, vec![place]);
        problem.0.is_unknown_name = true;
        problem
    }

    /// The problem of a handler that panicked.
    pub fn defect() -> Self {
        let detail = "the request met a defect of this program; please report it with the version and the log's lines \
                      that have this request_id";
        Self::with_status(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail.to_owned())
    }

    /// The problem of a request that needs the store while it is away. Health says why it is.
    pub fn store_unavailable() -> Self {
        let detail = "the store cannot be used now; try again in a moment";
        Self::new(RequestCode::StoreUnavailable, detail).retry_after(Some(Duration::from_secs(1)))
    }

    fn with_status(status: StatusCode, code: &'static str, detail: String) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self(Box::new(Document {
            kind: "about:blank",
            title,
            status,
            detail,
            code,
            request_id: None,
            errors: Vec::new(),
            are_of_answer: false,
            is_unknown_name: false,
            retry_after: None,
            attempt_log: Arc::default(),
        }))
    }

    /// The same with the time after which the request may succeed.
    #[must_use]
    pub fn retry_after(mut self, pause: Option<Duration>) -> Self {
        self.0.retry_after = pause;
        self
    }

    /// The same as the problem of this request.
    #[must_use]
    pub fn of_request(mut self, id: &RequestId) -> Self {
        self.0.request_id = Some(id.clone());
        self
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The calls that were made before there was a problem.
    pub fn attempt_log(&self) -> &[Attempt] {
        &self.0.attempt_log
    }

    /// Its code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What happened, and what to do.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What is wrong at each place of the request that can be named.
    pub fn places(&self) -> &[PlaceError] {
        if self.0.are_of_answer { &[] } else { &self.0.errors }
    }

    /// Whether this place of the request has the name of something that there is not.
    pub fn is_unknown_name_at(&self, pointer: &str) -> bool {
        self.0.is_unknown_name && self.places().iter().any(|place| place.pointer == pointer)
    }

    /// What is wrong at each place of an answer that breaks its schema.
    pub fn places_of_answer(&self) -> &[PlaceError] {
        if self.0.are_of_answer { &self.0.errors } else { &[] }
    }

    /// The same for a request in which the places have other names.
    #[must_use]
    pub fn with_places(mut self, name: impl Fn(&str) -> String) -> Self {
        if !self.0.are_of_answer {
            for place in &mut self.0.errors {
                place.pointer = name(&place.pointer);
            }
        }
        self
    }

    /// The document as a body.
    pub(super) fn body(&self) -> Body {
        Body::from(serde_json::to_vec(self).unwrap_or_default())
    }
}

impl fmt::Display for Problem {
    /// Code and detail, and what is wrong at each place that the detail does not name: all that a person needs at a
    /// terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Document { code, detail, errors, .. } = &*self.0;
        write!(f, "{code}: {detail}")?;
        let mut others = errors.iter().filter(|error| !detail.contains(&error.detail));
        others.try_for_each(|PlaceError { pointer, detail }| write!(f, "; {pointer}: {detail}"))
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Document::schema()
    }
}

impl ToSchema for Problem {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Document::schemas(schemas);
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let pause = failure.retry_after.filter(|_| failure.kind() == Kind::Unavailable);
        let problem = Self::with_status(status_of(failure.code), failure.code.as_str(), failure.detail);
        let mut problem = problem.retry_after(pause);
        problem.0.errors = failure.violations.iter().cloned().map(PlaceError::from).collect();
        problem.0.are_of_answer = true;
        problem.0.attempt_log = failure.attempt_log;
        problem
    }
}

impl From<Violation> for PlaceError {
    fn from(violation: Violation) -> Self {
        Self { pointer: format!("#{}", violation.pointer), detail: violation.message }
    }
}

impl IntoResponse for Problem {
    /// Without a body: [`super::middleware::around`], which knows the request's id, writes it from the response's
    /// extensions.
    fn into_response(self) -> Response {
        let Document { status, retry_after, .. } = *self.0;
        let mut response = status.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(pause) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(pause)));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// At least so many seconds, and one at the least.
pub(super) fn whole_seconds(pause: Duration) -> u64 {
    pause.as_secs().saturating_add(u64::from(pause.subsec_nanos() > 0)).max(1)
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
