//! Who is an administrator: whoever has the one admin key. Without one there is no `/admin`.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::http::audit;
use crate::http::auth::bearer;
use crate::http::endpoint::endpoint;
use crate::http::error_status::RequestCode;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::http::state::{ApiParts, ApiState};
use crate::ports::audit::{AuditEvent, AuditEventType, AuditResult};

/// Who has the admin key, in events.
pub const ADMIN: &str = "admin";

/// Lets an administrator through.
pub async fn administrator(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    request: Request,
    next: Next,
) -> Response {
    let Some(admin_key) = &api.settings.admin_key else {
        return Problem::new(RequestCode::NotFound, "there is no admin key (http.admin_key), so there is no /admin")
            .into_response();
    };
    let presented = bearer(request.headers()).unwrap_or_default();
    if is_same(presented, admin_key.get().expose()) {
        if api.admin_seen.is_news(api.clock.now()) {
            let event = audit::event(&api, id.as_str(), AuditEventType::Authentication, AuditResult::Success);
            let resource = endpoint(&request).to_owned();
            api.audit.record(AuditEvent { actor: ADMIN.to_owned(), resource, ..event });
        }
        return next.run(request).await;
    }
    let (endpoint, stranger) = (endpoint(&request), audit::stranger(&request));
    refused(&api, &id, endpoint, stranger, request.headers()).await;
    let detail = "send the admin key as `Authorization: Bearer …`; keys of clients do not open /admin";
    Problem::new(RequestCode::Unauthorized, detail).into_response()
}

/// Records a stranger, or a client who is no administrator.
async fn refused(api: &ApiParts, id: &RequestId, endpoint: &str, stranger: String, headers: &HeaderMap) {
    let client = api.authenticator.identify(headers).await.ok();
    let client = client.map(|client| client.identity).filter(|identity| identity.key.is_some());
    let (event, detail) = match client {
        Some(client) => {
            let what = (AuditEventType::Authorization, AuditResult::Denied);
            (audit::event_of(api, id.as_str(), &client, what), "client_key")
        }
        None => {
            let event = audit::event(api, id.as_str(), AuditEventType::Authentication, AuditResult::Denied);
            let detail = if bearer(headers).is_some() { "wrong_admin_key" } else { "no_key" };
            (AuditEvent { actor: stranger, ..event }, detail)
        }
    };
    let (resource, detail) = (endpoint.to_owned(), Some(detail.to_owned()));
    api.audit.record(AuditEvent { resource, detail, ..event });
}

/// In a time that tells nothing of either, their lengths included.
fn is_same(presented: &str, wanted: &str) -> bool {
    Sha256::digest(presented).ct_eq(&Sha256::digest(wanted)).into()
}
