//! Security events of the API: who wanted what, and how it ended.

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use super::auth::{Identity, Refused};
use super::client_address::ClientAddress;
use super::endpoint::endpoint;
use super::problem::Problem;
use super::request_id::RequestId;
use super::state::{ApiParts, ApiState};
use crate::domain::tenant::Tenant;
use crate::ports::audit::{AuditEvent, AuditEventType, AuditResult};

/// Who needs no key, or comes from nowhere.
const ANONYMOUS: &str = "anonymous";

/// What happened, and how it ended, in this request: done by nobody in particular to nothing in particular, until the
/// caller says more.
pub fn event(api: &ApiParts, request_id: &str, event_type: AuditEventType, result: AuditResult) -> AuditEvent {
    AuditEvent {
        timestamp: api.clock.now(),
        tenant: Tenant::default(),
        event_type,
        actor: ANONYMOUS.to_owned(),
        resource: String::new(),
        result,
        request_id: Some(request_id.to_owned()),
        detail: None,
        times: 1,
    }
}

/// The same, done by a client.
pub fn event_of(
    api: &ApiParts,
    request_id: &str,
    identity: &Identity,
    what: (AuditEventType, AuditResult),
) -> AuditEvent {
    let actor = identity.key.as_ref().map_or_else(|| ANONYMOUS.to_owned(), |key| key.id.to_string());
    AuditEvent { tenant: identity.caller.tenant().clone(), actor, ..event(api, request_id, what.0, what.1) }
}

/// A key was looked up and is good.
pub fn key_accepted(api: &ApiParts, id: &RequestId, request: &Request, identity: &Identity) {
    let event = event_of(api, id.as_str(), identity, (AuditEventType::Authentication, AuditResult::Success));
    api.audit.record(AuditEvent { resource: endpoint(request).to_owned(), ..event });
}

/// A request has no key, or one that is not accepted. What could not be found out is no event.
pub fn key_refused(api: &ApiParts, id: &RequestId, request: &Request, refused: &Refused) {
    let Some(reason) = refused.reason else { return };
    let event = event(api, id.as_str(), AuditEventType::Authentication, AuditResult::Denied);
    let detail = match &refused.key {
        Some(key) => format!("{reason}: key {key}"),
        None => reason.to_owned(),
    };
    let resource = endpoint(request).to_owned();
    api.audit.record(AuditEvent { actor: stranger(request), resource, detail: Some(detail), ..event });
}

/// Whoever makes a request without a good key: the address that it comes from. A key that was only named proves nothing.
pub fn stranger(request: &Request) -> String {
    let address = request.extensions().get().map(|ClientAddress(address)| address.to_string());
    address.unwrap_or_else(|| ANONYMOUS.to_owned())
}

/// Records that a client asked too often, or for what is not theirs.
pub async fn denials(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    request: Request,
    next: Next,
) -> Response {
    let endpoint = endpoint(&request);
    let response = next.run(request).await;
    let problem = response.extensions().get::<Problem>();
    if let Some((event_type, problem)) = problem.and_then(|problem| Some((denial(response.status())?, problem))) {
        api.audit.record(AuditEvent {
            resource: endpoint.to_owned(),
            detail: Some(problem.code().to_owned()),
            ..event_of(&api, id.as_str(), &identity, (event_type, AuditResult::Denied))
        });
    }
    response
}

fn denial(status: StatusCode) -> Option<AuditEventType> {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(AuditEventType::RateLimit),
        StatusCode::FORBIDDEN => Some(AuditEventType::Authorization),
        _ => None,
    }
}

/// Records that a prompt looks like an attack, for this reason: refused, or let through all the same.
pub fn suspicious(
    api: &ApiParts,
    request_id: &str,
    identity: &Identity,
    endpoint: &str,
    (reason, result): (&str, AuditResult),
) {
    api.audit.record(AuditEvent {
        resource: endpoint.to_owned(),
        detail: Some(reason.to_owned()),
        ..event_of(api, request_id, identity, (AuditEventType::SuspiciousInput, result))
    });
}

#[cfg(test)]
mod tests;
