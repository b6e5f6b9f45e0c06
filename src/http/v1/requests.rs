//! `/v1/requests`: what the caller's team has asked, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::structured_response::{micro_dollars, milliseconds};
use crate::domain::json;
use crate::domain::time::rfc3339;
use crate::http::auth::Identity;
use crate::http::error_status::RequestCode;
use crate::http::list::{ListPage, PageParameters, page_request};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::state::ApiState;
use crate::ports::repository::RepositoryError;
use crate::ports::request_log::{PastRequest, RequestFilter, RequestHistory};

/// A request as its team sees it. What it has none of is null; texts are left out where they are not kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Request)]
pub struct ShownRequest {
    request_id: String,
    #[schema(required, format = DateTime)]
    created_at: Option<String>,
    endpoint: String,
    #[schema(required)]
    api_key_id: Option<String>,
    /// The status of the answer; 499 where the client went away before it had one.
    status: u16,
    #[schema(required)]
    code: Option<String>,
    #[schema(required)]
    provider: Option<String>,
    #[schema(required)]
    model: Option<String>,
    #[schema(required)]
    schema: Option<String>,
    #[schema(required)]
    template: Option<String>,
    processing_time_ms: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: f64,
    cached: bool,
    #[schema(required)]
    validation_status: Option<String>,
    #[schema(required)]
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    data: Option<Value>,
}

/// Lists requests, newest first
///
/// # Errors
/// What is wrong with the query, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/requests", tag = "Requests", operation_id = "list_requests",
    params(RequestParameters, PageParameters),
    responses((status = 200, description = "A part of the list", body = ListPage<ShownRequest>, example = json!({
        "data": [], "has_more": false, "next": null,
    }))),
)]
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

/// Shows a request
///
/// If several had the same id, the last one of them.
///
/// # Errors
/// `not_found`, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/requests/{request_id}", tag = "Requests", operation_id = "get_request",
    params(("request_id" = String, Path, description = "`x-request-id` of its answer",
        example = "01a22919-4bf0-7689-acaa-b36c615be3cd")),
    responses(
        (status = 200, description = "The request, and what came of it", body = ShownRequest, example = json!({
            "request_id": "01a22919-4bf0-7689-acaa-b36c615be3cd", "created_at": "2026-11-01T08:00:00.000Z",
            "endpoint": "/v1/analyze", "api_key_id": "4f9KqT2mZxB", "status": 200, "code": null,
            "provider": "claude", "model": "claude-sonnet-5-5", "schema": "ticket@ce9cdcdc53de", "template": null,
            "processing_time_ms": 812, "input_tokens": 212, "output_tokens": 9, "cost_usd": 0.000771,
            "cached": false, "validation_status": "passed", "confidence": 0.8,
        })),
        (status = 404, description = "`not_found`: the team has none with this id, or it is not kept any more"),
    ),
)]
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

/// Which requests, for the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RequestParameters {
    /// From this time on.
    #[param(format = DateTime, example = "2026-11-01T00:00:00Z")]
    pub from: Option<String>,
    /// Before this time.
    #[param(format = DateTime)]
    pub to: Option<String>,
    /// Made with the key that has this id.
    pub key_id: Option<String>,
    /// Answered by this provider.
    pub provider: Option<String>,
    /// With this status.
    #[param(minimum = 100, maximum = 599, example = 200)]
    pub status: Option<u16>,
    /// With this error code.
    pub code: Option<String>,
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
