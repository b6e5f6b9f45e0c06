//! The layer around routes that ask.

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::record::RequestRecord;
use crate::http::auth::Identity;
use crate::http::endpoint::endpoint;
use crate::http::request_id::RequestId;
use crate::http::state::ApiState;

/// Takes a request down, also one whose client goes away: then nobody comes back from `next`.
pub async fn take_down(
    State(api): State<ApiState>,
    Extension(id): Extension<RequestId>,
    Extension(identity): Extension<Identity>,
    mut request: Request,
    next: Next,
) -> Response {
    let record = RequestRecord::new(&api, &id, &identity, endpoint(&request));
    request.extensions_mut().insert(record.clone());
    let response = next.run(request).await;
    record.answered(&response);
    response
}
