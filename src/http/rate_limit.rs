//! What a key may still ask, in headers of every answer (draft-ietf-httpapi-ratelimit-headers-11).

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::auth::KeyLimit;
use super::error_status::RequestCode;
use super::problem::{Problem, whole_seconds};
use crate::ports::rate_limits::{Quota, RateLimits, WINDOW};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Takes so many requests out of a key's limit.
///
/// # Errors
/// `rate_limited`, with the time after which there will be as many.
pub async fn charge(limits: &dyn RateLimits, key: &KeyLimit, requests: u32) -> Result<(), Problem> {
    let quota = limits.take(&key.id, key.per_hour, requests).await;
    let Some(pause) = quota.refused_for else { return Ok(()) };
    let Quota { limit, remaining, .. } = quota;
    let detail = format!(
        "the key may make {limit} requests an hour; {remaining} are left, and this needs {requests}; a prompt of a batch \
         counts as one"
    );
    Err(Problem::new(RequestCode::RateLimited, detail).retry_after(Some(pause)))
}

/// Takes a batch of so many prompts out of a key's limit, as a whole or not at all. The one that was taken when the
/// request came in is put back first: else a client that waits as long as it is told would still have one too few.
///
/// # Errors
/// `rate_limited`, with the time after which there will be as many.
pub async fn charge_batch(limits: &dyn RateLimits, key: &KeyLimit, prompts: usize) -> Result<(), Problem> {
    limits.give_back(&key.id, 1).await;
    charge(limits, key, u32::try_from(prompts).unwrap_or(u32::MAX)).await
}

/// Says what is left of a key's limit.
pub fn add_headers(headers: &mut HeaderMap, quota: &Quota) {
    let Quota { limit, remaining, full_in, .. } = quota;
    let seconds = if full_in.is_zero() { 0 } else { whole_seconds(*full_in) };
    let texts = [
        (POLICY, format!("\"default\";q={limit};w={}", WINDOW.as_secs())),
        (LIMIT, format!("\"default\";r={remaining};t={seconds}")),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}
