//! `/admin/api-keys`: keys of all teams, made, shown, changed and revoked.

pub mod schemas;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use self::schemas::{KeyChangeSchema, KeyIfMatch, KeyPath, NewKeySchema};
use super::authorize::ADMIN;
use crate::domain::api_key::{DEFAULT_RATE_LIMIT, KeyEntry, KeyId, MAX_RATE_LIMIT};
use crate::domain::tenant::{DEFAULT, Scope, Tenant};
use crate::domain::time::{parse_rfc3339, rfc3339};
use crate::http::audit;
use crate::http::error_status::RequestCode;
use crate::http::fields::{Fields, Place, PlaceErrors};
use crate::http::idempotent;
use crate::http::json_body::JsonBody;
use crate::http::list::{ListPage, PageParameters, page_request};
use crate::http::precondition::{self, WantedState};
use crate::http::problem::Problem;
use crate::http::query::{NoQuery, Query};
use crate::http::request_id::RequestId;
use crate::http::state::ApiState;
use crate::ports::audit::{AuditEvent, AuditEventType, AuditResult};
use crate::ports::keys::{KeyChange, Keys, NewKey, Revoked};
use crate::ports::repository::RepositoryError;

/// Longest name of a key, in characters.
const MAX_NAME_CHARS: usize = 100;

/// A key as administrators see it. Times that are null have not come, or never will.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ShownKey {
    id: String,
    /// How the key begins.
    prefix: String,
    name: String,
    team: String,
    /// Requests that may be made with it in an hour.
    rate_limit: u32,
    #[schema(format = DateTime, required)]
    created_at: Option<String>,
    #[schema(format = DateTime, required)]
    updated_at: Option<String>,
    #[schema(format = DateTime, required)]
    expires_at: Option<String>,
    #[schema(format = DateTime, required)]
    revoked_at: Option<String>,
    /// The whole key: in the answer to the request that made it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// A key, with the `ETag` of its present state.
type TaggedKey = ([(HeaderName, String); 1], Json<ShownKey>);

/// Makes a key
///
/// # Errors
/// What is wrong with the request, or `store_unavailable`.
#[utoipa::path(
    post, path = "/admin/api-keys", tag = "API keys", operation_id = "create_api_key",
    request_body(content = NewKeySchema, example = json!({
        "name": "ci", "team": "sales", "rate_limit": 1000, "expires_at": "2100-01-31T00:00:00Z",
    })),
    responses((status = 201, description = "The key, shown this once, with its `ETag`", body = ShownKey, example = json!({
        "id": "4f9KqT2mZxB", "prefix": "sk_4f9KqT2mZxB", "name": "ci", "team": "sales", "rate_limit": 1000,
        "created_at": "2026-11-01T08:00:00.000Z", "updated_at": "2026-11-01T08:00:00.000Z",
        "expires_at": "2027-01-31T00:00:00.000Z", "revoked_at": null,
        "key": "sk_4f9KqT2mZxB_…",
    }))),
)]
pub async fn create(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    _: NoQuery,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, TaggedKey), Problem> {
    idempotent::refuse(&headers)?;
    let (new, asking) = (new_key(body)?, Arc::clone(&api));
    let work = async move {
        let created = keys(&api)?.create(new).await.map_err(problem);
        record(&api, &id, None, "created", created.as_ref().map(|(_, entry)| entry));
        created
    };
    let (key, entry) = asking.to_its_end(work).await??;
    let (tag, Json(shown)) = tagged(&entry);
    Ok((StatusCode::CREATED, (tag, Json(ShownKey { key: Some(key.expose().to_owned()), ..shown }))))
}

/// Lists keys, newest first, also those that are revoked or have expired
///
/// # Errors
/// What is wrong with the request, or `store_unavailable`.
#[utoipa::path(
    get, path = "/admin/api-keys", tag = "API keys", operation_id = "list_api_keys",
    params(PageParameters),
    responses((status = 200, description = "A part of the list", body = ListPage<ShownKey>, example = json!({
        "data": [], "has_more": false, "next": null,
    }))),
)]
pub async fn list(State(api): State<ApiState>, uri: Uri) -> Result<Json<ListPage<ShownKey>>, Problem> {
    let mut query = Query::of(&uri);
    let part = page_request(&mut query);
    query.finish()?;
    let page = keys(&api)?.list(&everybody(), part).await.map_err(problem)?;
    Ok(Json(ListPage::new(page, |entry| shown(&entry))))
}

/// Shows a key
///
/// # Errors
/// `not_found`, or `store_unavailable`.
#[utoipa::path(
    get, path = "/admin/api-keys/{id}", tag = "API keys", operation_id = "get_api_key",
    params(KeyPath),
    responses((status = 200, description = "The key without its secret, and its `ETag`", body = ShownKey, example = json!({
        "id": "4f9KqT2mZxB", "prefix": "sk_4f9KqT2mZxB", "name": "ci", "team": "sales", "rate_limit": 1000,
        "created_at": "2026-11-01T08:00:00.000Z", "updated_at": "2026-11-01T08:00:00.000Z",
        "expires_at": "2027-01-31T00:00:00.000Z", "revoked_at": null,
    }))),
)]
pub async fn get(
    State(api): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    _: NoQuery,
) -> Result<TaggedKey, Problem> {
    let entry = keys(&api)?.get(&everybody(), &key_id(id)?).await.map_err(problem)?;
    Ok(tagged(&entry))
}

/// Changes a key: its name, its limit, its end
///
/// # Errors
/// What is wrong with the request, `not_found`, `precondition_failed`, or `store_unavailable`.
#[utoipa::path(
    patch, path = "/admin/api-keys/{id}", tag = "API keys", operation_id = "change_api_key",
    params(KeyPath, KeyIfMatch),
    request_body(content = KeyChangeSchema, example = json!({ "rate_limit": 5000, "expires_at": null })),
    responses(
        (status = 200, description = "The key as it is now, with its `ETag`", body = ShownKey, example = json!({
            "id": "4f9KqT2mZxB", "prefix": "sk_4f9KqT2mZxB", "name": "ci", "team": "sales", "rate_limit": 1000,
            "created_at": "2026-11-01T08:00:00.000Z", "updated_at": "2026-11-01T08:00:00.000Z",
            "expires_at": "2027-01-31T00:00:00.000Z", "revoked_at": null,
        })),
        (status = 412, description = "`precondition_failed`: it was changed since"),
    ),
)]
pub async fn change(
    State(api): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    _: NoQuery,
    JsonBody(body): JsonBody,
) -> Result<TaggedKey, Problem> {
    let (id, change, asking) = (key_id(id)?, key_change(body)?, Arc::clone(&api));
    let work = async move {
        let changed = change_if_known(keys(&api)?, &id, change, &headers).await;
        record(&api, &request_id, Some(&id), "changed", changed.as_ref());
        api.authenticator.forget();
        changed
    };
    Ok(tagged(&asking.to_its_end(work).await??))
}

/// Changes a key, if it is as the client knows it, where that says so.
async fn change_if_known(
    keys: &dyn Keys,
    id: &KeyId,
    mut change: KeyChange,
    headers: &HeaderMap,
) -> Result<KeyEntry, Problem> {
    if headers.contains_key(header::IF_MATCH) {
        let known = keys.get(&everybody(), id).await.map_err(problem)?;
        let wanted = precondition::check_if_sent(headers, &etag(&known))?;
        change.after = (wanted == WantedState::Tagged).then_some(known.updated_at);
    }
    keys.change(&everybody(), id, change).await.map_err(problem)
}

/// Revokes a key, for good
///
/// One that is revoked stays as it is.
///
/// # Errors
/// `not_found`, or `store_unavailable`.
#[utoipa::path(
    delete, path = "/admin/api-keys/{id}", tag = "API keys", operation_id = "revoke_api_key",
    params(KeyPath),
    responses((status = 200, description = "The key, which opens nothing any more", body = ShownKey, example = json!({
        "id": "4f9KqT2mZxB", "prefix": "sk_4f9KqT2mZxB", "name": "ci", "team": "sales", "rate_limit": 1000,
        "created_at": "2026-11-01T08:00:00.000Z", "updated_at": "2026-11-01T08:00:00.000Z",
        "expires_at": "2027-01-31T00:00:00.000Z", "revoked_at": "2026-11-02T08:00:00.000Z",
    }))),
)]
pub async fn revoke(
    State(api): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    id: Result<Path<String>, PathRejection>,
    _: NoQuery,
) -> Result<TaggedKey, Problem> {
    let (id, asking) = (key_id(id)?, Arc::clone(&api));
    let work = async move {
        let revoked = keys(&api)?.revoke(&everybody(), &id).await.map_err(problem);
        if !matches!(&revoked, Ok(Revoked { is_new: false, .. })) {
            record(&api, &request_id, Some(&id), "revoked", revoked.as_ref().map(|revoked| &revoked.entry));
        }
        api.authenticator.forget();
        revoked
    };
    Ok(tagged(&asking.to_its_end(work).await??.entry))
}

/// Records what was done to a key, or to none yet.
fn record(
    api: &ApiState,
    request_id: &RequestId,
    id: Option<&KeyId>,
    what: &str,
    outcome: Result<&KeyEntry, &Problem>,
) {
    let (result, detail) = match outcome {
        Ok(_) => (AuditResult::Success, what.to_owned()),
        Err(problem) => (AuditResult::Failed, format!("{what}: {}", problem.code())),
    };
    let id = outcome.map_or(id, |entry| Some(&entry.id));
    api.audit.record(AuditEvent {
        tenant: outcome.map_or_else(|_| Tenant::default(), |entry| entry.tenant.clone()),
        actor: ADMIN.to_owned(),
        resource: id.map_or_else(|| "api_keys".to_owned(), |id| format!("api_keys/{id}")),
        detail: Some(detail),
        ..audit::event(api, request_id.as_str(), AuditEventType::AdminAction, result)
    });
}

fn keys(api: &ApiState) -> Result<&dyn Keys, Problem> {
    let none = || Problem::new(RequestCode::StoreUnavailable, "the store keeps no keys; set store.url to a database");
    api.keys.as_deref().ok_or_else(none)
}

/// Keys belong to teams; the administrator is the installation's.
fn everybody() -> Scope {
    Scope::organization_of(&Tenant::default())
}

fn shown(entry: &KeyEntry) -> ShownKey {
    let KeyEntry { id, tenant, name, rate_limit, created_at, updated_at, expires_at, revoked_at, hash: _ } = entry;
    ShownKey {
        id: id.to_string(),
        prefix: id.prefix(),
        name: name.clone(),
        team: tenant.team().to_owned(),
        rate_limit: *rate_limit,
        created_at: rfc3339(*created_at),
        updated_at: rfc3339(*updated_at),
        expires_at: expires_at.and_then(rfc3339),
        revoked_at: revoked_at.and_then(rfc3339),
        key: None,
    }
}

fn tagged(entry: &KeyEntry) -> TaggedKey {
    ([(header::ETAG, etag(entry))], Json(shown(entry)))
}

/// The tag of a key's present state.
fn etag(entry: &KeyEntry) -> String {
    precondition::etag_of(&serde_json::to_vec(&shown(entry)).unwrap_or_default())
}

fn new_key(body: Value) -> Result<NewKey, Problem> {
    let errors = PlaceErrors::default();
    let read = |mut fields: Fields<'_>| {
        let (name, team) = (key_name(&mut fields), fields.text("team"));
        if name.is_none() {
            fields.error("name", "every key has a name; send one");
        }
        let tenant = match Tenant::of_team(team.as_deref().unwrap_or(DEFAULT)) {
            Ok(tenant) => Some(tenant),
            Err(bad) => {
                fields.error("team", bad.to_string());
                None
            }
        };
        let rate_limit = fields.integer("rate_limit", 1..=MAX_RATE_LIMIT).unwrap_or(DEFAULT_RATE_LIMIT);
        let expires_at = end(&mut fields);
        fields.finish();
        Some(NewKey { tenant: tenant?, name: name?, rate_limit, expires_at })
    };
    let new = Fields::of(body, Place::default(), &errors).and_then(read);
    errors.check(new)
}

fn key_change(body: Value) -> Result<KeyChange, Problem> {
    let errors = PlaceErrors::default();
    let never = body.get("expires_at").is_some_and(Value::is_null).then_some(None);
    let read = |mut fields: Fields<'_>| {
        let (name, rate_limit) = (key_name(&mut fields), fields.integer("rate_limit", 1..=MAX_RATE_LIMIT));
        let expires_at = end(&mut fields).map(Some).or(never);
        fields.finish();
        KeyChange { name, rate_limit, expires_at, after: None }
    };
    let change = Fields::of(body, Place::default(), &errors).map(read);
    errors.check(change)
}

fn key_name(fields: &mut Fields<'_>) -> Option<String> {
    let name = fields.text("name")?;
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        fields.error("name", format!("a name has at most {MAX_NAME_CHARS} characters, on one line"));
    }
    Some(name)
}

/// When a key ends.
fn end(fields: &mut Fields<'_>) -> Option<Duration> {
    let text = fields.text("expires_at")?;
    let time = parse_rfc3339(&text);
    if time.is_none() {
        fields.error("expires_at", "expected a time with its zone: \"2027-01-31T00:00:00Z\"");
    }
    time
}

/// No key has an id that cannot be one.
fn key_id(id: Result<Path<String>, PathRejection>) -> Result<KeyId, Problem> {
    id.ok().and_then(|Path(id)| KeyId::parse(&id)).ok_or_else(no_such_key)
}

fn no_such_key() -> Problem {
    Problem::new(RequestCode::NotFound, "there is no key with this id")
}

fn problem(error: RepositoryError) -> Problem {
    match error {
        RepositoryError::NotFound => no_such_key(),
        RepositoryError::Unavailable(_) => Problem::store_unavailable(),
        RepositoryError::Conflict => precondition::failed(),
        RepositoryError::AlreadyExists => Problem::defect(),
    }
}

#[cfg(test)]
mod tests;
