//! A request's body as JSON: its type, size, time and form, before anybody looks at what it says.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::time::timeout;

use super::error_status::RequestCode;
use super::problem::Problem;
use super::state::ApiState;
use crate::domain::json;

/// Time for a body to arrive, however slowly it is sent.
const ARRIVAL: Duration = Duration::from_secs(30);

/// The JSON value of a body. Numbers keep their digits, and no member is there twice.
#[derive(Debug)]
pub struct JsonBody(pub Value);

impl FromRequest<ApiState> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        check_type(request.headers())?;
        let limit = state.settings.max_body_bytes;
        let declared =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: u64| length > limit as u64) {
            return Err(too_large(limit));
        }
        parse(&collect(request.into_body(), limit).await?).map(Self)
    }
}

/// The bytes of a body, which has at most so many and arrives in time.
///
/// # Errors
/// `payload_too_large`, `request_timeout`, or `invalid_request` for one that ends early.
pub async fn collect(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let late = |_| Problem::new(RequestCode::RequestTimeout, format!("the body did not arrive within {ARRIVAL:?}"));
    timeout(ARRIVAL, read(body, limit)).await.map_err(late)?.map(BytesMut::freeze)
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail: &str| Err(Problem::new(RequestCode::UnsupportedMediaType, detail));
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !essence.trim().eq_ignore_ascii_case("application/json") {
        return refused("the body must be JSON; send it with `content-type: application/json`");
    }
    let charset = parameters.split(';').find_map(|parameter| parameter.trim().split_once('='));
    if charset.is_some_and(|(name, value)| name.eq_ignore_ascii_case("charset") && !is_utf8(value)) {
        return refused("JSON is UTF-8 (RFC 8259); send it without another charset");
    }
    let is_encoded = |value: &header::HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get(header::CONTENT_ENCODING).is_some_and(is_encoded) {
        return refused("compressed bodies are not taken; send it without content-encoding");
    }
    Ok(())
}

fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

async fn read(body: Body, limit: usize) -> Result<BytesMut, Problem> {
    let (mut stream, mut bytes) = (body.into_data_stream(), BytesMut::new());
    while let Some(chunk) = stream.next().await {
        let chunk =
            chunk.map_err(|_| Problem::new(RequestCode::InvalidRequest, "the body ended before it was complete"))?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let refused = |detail: String| Problem::new(RequestCode::InvalidRequest, detail);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(refused("the body is empty; send a JSON object".to_owned()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused("the body is not UTF-8".to_owned()))?;
    json::parse(text).map_err(|fault| refused(format!("the body cannot be read: {fault}")))
}

fn too_large(limit: usize) -> Problem {
    let detail = format!("the body has more than {limit} bytes; send less at once");
    Problem::new(RequestCode::PayloadTooLarge, detail)
}
