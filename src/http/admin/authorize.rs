//! Who is an administrator: whoever has the one admin key. Without one there is no `/admin`.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::http::auth::bearer;
use crate::http::error_status::RequestCode;
use crate::http::problem::Problem;
use crate::http::state::ApiState;

/// Lets an administrator through.
pub async fn administrator(State(api): State<ApiState>, request: Request, next: Next) -> Response {
    let Some(admin_key) = &api.settings.admin_key else {
        return Problem::new(RequestCode::NotFound, "there is no admin key (http.admin_key), so there is no /admin")
            .into_response();
    };
    let presented = bearer(request.headers()).unwrap_or_default();
    if is_same(presented, admin_key.expose()) {
        return next.run(request).await;
    }
    let detail = "send the admin key as `Authorization: Bearer …`; keys of clients do not open /admin";
    Problem::new(RequestCode::Unauthorized, detail).into_response()
}

/// In a time that tells nothing of either, their lengths included.
fn is_same(presented: &str, wanted: &str) -> bool {
    Sha256::digest(presented).ct_eq(&Sha256::digest(wanted)).into()
}
