//! `/v1/requests`: what the caller's team has asked, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::Value;

use super::structured_response::{micro_dollars, milliseconds};
use crate::domain::json;
use crate::domain::time::rfc3339;
use crate::http::auth::Identity;
use crate::http::error_status::RequestCode;
use crate::http::list::{ListPage, page_request};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::state::ApiState;
use crate::ports::repository::RepositoryError;
use crate::ports::request_log::{PastRequest, RequestFilter, RequestHistory};

/// A request as its team sees it. What it has none of is null; texts are left out where they are not kept.
#[derive(Debug, Serialize)]
pub struct ShownRequest {
    request_id: String,
    created_at: Option<String>,
    endpoint: String,
    api_key_id: Option<String>,
    status: u16,
    code: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    schema: Option<String>,
    template: Option<String>,
    processing_time_ms: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: f64,
    cached: bool,
    validation_status: Option<String>,
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

/// Lists requests, newest first.
///
/// # Errors
/// What is wrong with the query, or `store_unavailable`.
pub async fn list(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    uri: Uri,
) -> Result<Json<ListPage<ShownRequest>>, Problem> {
    let mut query = Query::of(&uri);
    let (filter, part) = (filter(&mut query), page_request(&mut query));
    query.finish()?;
    let page = history(&api)?.page(identity.caller.tenant(), filter, part).await.map_err(problem)?;
    Ok(Json(ListPage::new(page, ShownRequest::from)))
}

/// Shows a request. If several had the same id, the last one of them.
///
/// # Errors
/// `not_found`, or `store_unavailable`.
pub async fn get(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<ShownRequest>, Problem> {
    Query::of(&uri).finish()?;
    let Path(id) = id.map_err(|_no_text| no_such_request())?;
    let found = history(&api)?.get(identity.caller.tenant(), &id).await.map_err(problem)?;
    Ok(Json(ShownRequest::from(found)))
}

/// Where requests are found that were taken down.
///
/// # Errors
/// `store_unavailable` where none are.
pub(super) fn history(api: &ApiState) -> Result<&Arc<dyn RequestHistory>, Problem> {
    let none =
        || Problem::new(RequestCode::StoreUnavailable, "the store keeps no requests; set store.url to a database");
    api.request_history.as_ref().ok_or_else(none)
}

fn filter(query: &mut Query) -> RequestFilter {
    let (from, to) = period(query);
    RequestFilter {
        from,
        to,
        key_id: query.take("key_id"),
        provider: query.take("provider"),
        status: query.parse("status", |text| {
            let status = text.parse().ok().filter(|status| (100..=599).contains(status));
            status.ok_or_else(|| "write an HTTP status: 200, 422 …".to_owned())
        }),
        code: query.take("code"),
    }
}

/// The time from `?from=` on and before `?to=`.
pub(super) fn period(query: &mut Query) -> (Option<Duration>, Option<Duration>) {
    let (from, to) = (query.time("from"), query.time("to"));
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        query.error("to", "nothing is before `to` and not before `from`; write a later time");
    }
    (from, to)
}

fn no_such_request() -> Problem {
    Problem::new(RequestCode::NotFound, "your team has no request with this id, or it is not kept any more")
}

pub(super) fn problem(error: RepositoryError) -> Problem {
    match error {
        RepositoryError::NotFound => no_such_request(),
        RepositoryError::Unavailable(_) => Problem::store_unavailable(),
        RepositoryError::AlreadyExists | RepositoryError::Conflict => Problem::defect(),
    }
}

impl From<PastRequest> for ShownRequest {
    fn from(request: PastRequest) -> Self {
        Self {
            request_id: request.request_id,
            created_at: rfc3339(request.created_at),
            endpoint: request.endpoint,
            api_key_id: request.api_key_id,
            status: request.status,
            code: request.code,
            provider: request.provider,
            model: request.model,
            schema: request.schema,
            template: request.template,
            processing_time_ms: milliseconds(request.processing_time),
            input_tokens: request.input_tokens,
            output_tokens: request.output_tokens,
            cost_usd: micro_dollars(request.cost_usd),
            cached: request.cached,
            validation_status: request.validation_status,
            confidence: request.confidence,
            prompt: request.prompt,
            // JSON as it was answered, with all digits of its numbers.
            data: request.data.map(|text| json::parse(&text).unwrap_or(Value::String(text))),
        }
    }
}

#[cfg(test)]
mod tests;
