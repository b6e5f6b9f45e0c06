//! Answers that are problems. Their statuses come from the tables that the server answers by.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{IntoResponses, ToSchema as _};

use crate::domain::failure::{Code, Kind, Stage};
use crate::http::error_status::{RequestCode, status_of};
use crate::http::problem::Problem;
use crate::http::v1::openai::error::ErrorBody;

/// Why a prompt has no answer, for operations that ask the pipeline.
pub struct PipelineProblems;

/// Those of them that come from what surrounds the pipeline.
const AROUND: [RequestCode; 7] = [
    RequestCode::InvalidRequest,
    RequestCode::InvalidSchema,
    RequestCode::IdempotencyInProgress,
    RequestCode::IdempotencyMismatch,
    RequestCode::PayloadTooLarge,
    RequestCode::ShuttingDown,
    RequestCode::StoreUnavailable,
];

impl IntoResponses for PipelineProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let of_pipeline = Code::ALL.iter().filter(|code| can_end_a_prompt(**code));
        let of_pipeline = of_pipeline.map(|code| (status_of(*code), code.as_str()));
        let responses = by_status(of_pipeline.chain(AROUND.iter().map(coded)));
        responses.into_iter().map(|(status, response)| (status.as_str().to_owned(), response.into())).collect()
    }
}

/// Whether a request over HTTP can fail so, which is no record and has no topic.
fn can_end_a_prompt(code: Code) -> bool {
    let is_of_records = matches!(code.stage(), Stage::Decode | Stage::Publish)
        || matches!(code, Code::IdConflict | Code::RejectedByReviewer);
    !is_of_records && code.kind() != Kind::Bug
}

/// A code with its status.
pub(super) fn coded(code: &RequestCode) -> (StatusCode, &'static str) {
    (code.status(), code.as_str())
}

/// The problems with these codes, by status.
pub(super) fn by_status(codes: impl Iterator<Item = (StatusCode, &'static str)>) -> BTreeMap<StatusCode, Response> {
    let mut statuses: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (status, code) in codes {
        statuses.entry(status).or_default().insert(code);
    }
    let described = |(status, codes): (_, BTreeSet<_>)| {
        let codes: Vec<_> = codes.into_iter().collect();
        (status, Response::new(format!("`{}`", codes.join("`, `"))))
    };
    statuses.into_iter().map(described).collect()
}

/// What the problems of a status that several operations share are called: `TooManyRequests`.
pub(super) fn name_of(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}

/// How an operation writes what is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProblemFormat {
    /// As a problem document.
    Rfc9457,
    /// As OpenAI does.
    OpenAi,
}

impl ProblemFormat {
    /// The body of an answer that is none, unless its operation says that it has another.
    pub(super) fn add_body(self, status: StatusCode, response: &mut Response) {
        if (status.is_client_error() || status.is_server_error()) && response.content.is_empty() {
            let (content_type, schema) = match self {
                Self::Rfc9457 => ("application/problem+json", Problem::name()),
                Self::OpenAi => ("application/json", ErrorBody::name()),
            };
            let schema = Ref::from_schema_name(schema);
            response.content.insert(content_type.to_owned(), Content::new(Some(schema)).into());
        }
    }
}
