//! `GET /v1/usage`: how much the caller's team has asked, and what it cost, by the time and in groups.

use std::time::Duration;

use axum::extract::State;
use axum::http::Uri;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::openapi::Object;
use utoipa::{IntoParams, ToSchema};

use super::requests::{history, period, problem};
use super::structured_response::micro_dollars;
use crate::domain::time::rfc3339;
use crate::http::auth::Identity;
use crate::http::openapi::schemas::words;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::state::ApiState;
use crate::ports::request_log::{Interval, Usage, UsageGroup, UsageQuery};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How far back is looked, unless the request says.
const DEFAULT_PERIOD: Duration = Duration::from_secs(30 * DAY.as_secs());
/// The longest time with sums by the hour. More would be pages of numbers that nobody reads.
const LONGEST_BY_HOUR: Duration = Duration::from_secs(31 * DAY.as_secs());
/// The longest time with longer sums: so long they are kept.
const LONGEST: Duration = Duration::from_secs(2 * 366 * DAY.as_secs());

const INTERVALS: &[(&str, Interval)] =
    &[("hour", Interval::Hour), ("day", Interval::Day), ("week", Interval::Week), ("month", Interval::Month)];
const GROUPS: &[(&str, UsageGroup)] = &[
    ("provider", UsageGroup::Provider),
    ("model", UsageGroup::Model),
    ("api_key", UsageGroup::ApiKey),
    ("status", UsageGroup::Status),
];

/// The answer of the route: sums by time, and within a time by group.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageAnswer {
    data: Vec<ShownUsage>,
}

/// What was asked within an interval.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageSum)]
struct ShownUsage {
    /// When the interval begins.
    #[schema(required, format = DateTime)]
    start: Option<String>,
    /// Null for requests that belong to no group, and where there are no groups.
    #[schema(required)]
    group: Option<String>,
    requests: u64,
    errors: u64,
    cached: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: f64,
    #[schema(required)]
    p50_ms: Option<f64>,
    #[schema(required)]
    p95_ms: Option<f64>,
}

/// Which requests are summed up how, for the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsageParameters {
    /// From this time on; 30 days before `to` if left out.
    #[param(format = DateTime, example = "2026-11-01T00:00:00Z")]
    pub from: Option<String>,
    /// Before this time; now if left out.
    #[param(format = DateTime, example = "2026-11-08T00:00:00Z")]
    pub to: Option<String>,
    /// What is summed up together; a day if left out.
    #[param(schema_with = intervals, example = "day")]
    pub interval: Option<String>,
    /// What the sums of an interval are grouped by.
    #[param(schema_with = groups, example = "provider")]
    pub group_by: Option<String>,
}

fn intervals() -> Object {
    words("At most 31 days by the hour, two years by the others", ["hour", "day", "week", "month"])
}

fn groups() -> Object {
    words("One sum for each", ["provider", "model", "api_key", "status"])
}

/// Sums up what was asked and what it cost, by the time and in groups
///
/// # Errors
/// What is wrong with the query, or `store_unavailable`.
#[utoipa::path(
    get, path = "/v1/usage", tag = "Requests", operation_id = "usage",
    params(UsageParameters),
    responses((status = 200, description = "Sums by time, and within a time by group", body = UsageAnswer, example = json!({
        "data": [{
            "start": "2026-11-01T00:00:00.000Z", "group": "claude", "requests": 120, "errors": 2, "cached": 40,
            "input_tokens": 17360, "output_tokens": 820, "cost_usd": 0.06438, "p50_ms": 640.0, "p95_ms": 1840.5,
        }],
    }))),
)]
pub async fn usage(
    State(api): State<ApiState>,
    Extension(identity): Extension<Identity>,
    uri: Uri,
) -> Result<Json<UsageAnswer>, Problem> {
    let query = usage_query(&uri, api.clock.now())?;
    let sums = history(&api)?.usage(identity.caller.tenant(), query).await.map_err(problem)?;
    Ok(Json(UsageAnswer { data: sums.into_iter().map(ShownUsage::from).collect() }))
}

/// What is asked for; by day and up to now, unless the request says.
fn usage_query(uri: &Uri, now: Duration) -> Result<UsageQuery, Problem> {
    let mut query = Query::of(uri);
    let (from, to) = period(&mut query);
    let interval = query.choice("interval", INTERVALS).unwrap_or(Interval::Day);
    let group_by = query.choice("group_by", GROUPS);
    let to = to.unwrap_or(now);
    let from = from.unwrap_or(to.saturating_sub(DEFAULT_PERIOD));
    let (longest, help) = match interval {
        Interval::Hour => (LONGEST_BY_HOUR, "31 days by the hour; ask for less, or with interval=day"),
        Interval::Day | Interval::Week | Interval::Month => (LONGEST, "two years; ask for less"),
    };
    if to.saturating_sub(from) > longest {
        query.error("from", format!("there are at most {help}"));
    }
    query.finish()?;
    Ok(UsageQuery { from, to, interval, group_by })
}

impl From<Usage> for ShownUsage {
    fn from(usage: Usage) -> Self {
        let Usage { start, group, requests, errors, cached, input_tokens, output_tokens, cost_usd, latency } = usage;
        let quantile = |part| latency.quantile(part).map(tenths_of_ms);
        Self {
            start: rfc3339(start),
            group,
            requests,
            errors,
            cached,
            input_tokens,
            output_tokens,
            cost_usd: micro_dollars(cost_usd),
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
        }
    }
}

/// Milliseconds to a tenth: a remembered answer takes less than one.
fn tenths_of_ms(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e4).round() / 10.0
}

#[cfg(test)]
mod tests;
