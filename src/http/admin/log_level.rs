//! `/admin/log-level`: what this process logs, shown and changed while it runs.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::authorize::ADMIN;
use crate::http::audit;
use crate::http::error_status::RequestCode;
use crate::http::fields::{Fields, Place, PlaceErrors};
use crate::http::json_body::JsonBody;
use crate::http::problem::Problem;
use crate::http::query::NoQuery;
use crate::http::request_id::RequestId;
use crate::http::state::ApiState;
use crate::ports::audit::{AuditEvent, AuditEventType, AuditResult};
use crate::telemetry::log_level::{LogLevel, LogLevelError};

/// What is logged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogLevel)]
pub struct ShownLevel {
    /// Levels, as in `log.filter`.
    level: String,
}

/// What to log.
#[derive(Debug, ToSchema)]
#[schema(as = LogLevelChange)]
#[serde(deny_unknown_fields)]
pub struct LevelSchema {
    /// A level, also of modules: `info,structured_prompt::kafka=debug`.
    #[schema(
        max_length = 1000,
        pattern = "^([A-Za-z0-9_:-]+=)?(off|error|warn|info|debug|trace)(,([A-Za-z0-9_:-]+=)?(off|error|warn|info|debug|trace))*$"
    )]
    pub level: String,
}

/// Tells what this process logs
///
/// # Errors
/// `invalid_request` with a query.
#[utoipa::path(
    get, path = "/admin/log-level", tag = "Logs", operation_id = "get_log_level",
    responses((status = 200, description = "What is logged", body = ShownLevel, example = json!({ "level": "info" }))),
)]
pub async fn get(State(api): State<ApiState>, _: NoQuery) -> Result<Json<ShownLevel>, Problem> {
    shown(level(&api)?)
}

/// Changes what this process logs
///
/// Until it ends or the next change: `log.filter` stays as it is, and so do other processes.
///
/// # Errors
/// What is wrong with the request.
#[utoipa::path(
    put, path = "/admin/log-level", tag = "Logs", operation_id = "change_log_level",
    request_body(content = LevelSchema, example = json!({ "level": "info,structured_prompt::kafka=debug" })),
    responses((status = 200, description = "What is logged from now on", body = ShownLevel, example = json!({
        "level": "structured_prompt::kafka=debug,info",
    }))),
)]
pub async fn change(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    _: NoQuery,
    JsonBody(body): JsonBody,
) -> Result<Json<ShownLevel>, Problem> {
    let (level, wanted) = (level(&api)?, wanted_level(body)?);
    let before = level.get().map_err(problem)?;
    level.set(&wanted).map_err(problem)?;
    // The event says what was logged before and after: who turns logs off leaves a trace.
    api.audit.record(AuditEvent {
        actor: ADMIN.to_owned(),
        resource: "log_level".to_owned(),
        detail: Some(format!("changed from {before} to {wanted}")),
        ..audit::event(&api, id.as_str(), AuditEventType::AdminAction, AuditResult::Success)
    });
    tracing::info!(before, now = wanted, "the log level was changed");
    shown(level)
}

fn wanted_level(body: Value) -> Result<String, Problem> {
    let errors = PlaceErrors::default();
    let read = |mut fields: Fields<'_>| {
        let level = fields.text("level");
        if level.is_none() {
            fields.error("level", "it is missing; send a level, for example \"debug\"");
        }
        fields.finish();
        level
    };
    let wanted = Fields::of(body, Place::default(), &errors).and_then(read);
    errors.check(wanted)
}

fn level(api: &ApiState) -> Result<&LogLevel, Problem> {
    api.log_level.as_ref().ok_or_else(|| problem(LogLevelError::NoLogger))
}

fn shown(level: &LogLevel) -> Result<Json<ShownLevel>, Problem> {
    Ok(Json(ShownLevel { level: level.get().map_err(problem)? }))
}

fn problem(error: LogLevelError) -> Problem {
    match error {
        LogLevelError::Directives => {
            let wrong = Place::default().at("level").error("", error.to_string());
            Problem::at_places(RequestCode::InvalidRequest, vec![wrong])
        }
        LogLevelError::NoLogger => Problem::new(RequestCode::NotFound, error.to_string()),
    }
}

#[cfg(test)]
mod tests;
