//! `x-request-id`: one name for a request in its answer, in every log line and in every problem.

use std::fmt;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

/// The header, of requests and answers.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a client.
const MAX_CHARS: usize = 128;

/// The id of a request: 1 to 128 characters of `[A-Za-z0-9._-]`.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, example = "01a22919-4bf0-7689-acaa-b36c615be3cd")]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// A new one: a UUIDv7.
    pub fn generate() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }

    /// The client's id if it is one, else a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(&HEADER).and_then(|value| value.to_str().ok()).filter(|text| is_valid(text));
        given.map_or_else(Self::generate, |id| Self(id.into()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a header's value.
    pub fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn is_valid(text: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MAX_CHARS).contains(&text.len()) && text.bytes().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(value: &[u8]) -> RequestId {
        RequestId::of(&HeaderMap::from_iter([(HEADER, HeaderValue::from_bytes(value).unwrap())]))
    }

    #[test]
    fn a_clients_id_is_taken_if_it_is_one() {
        for id in ["a", "order-4711.A_b", &"x".repeat(128)] {
            assert_eq!(id_of(id.as_bytes()).as_str(), id);
        }
    }

    #[test]
    fn anything_else_becomes_a_new_uuid_of_version_7() {
        for value in [&b""[..], b"a b", b"a/b", b"a\"b", "ä".as_bytes(), &[0xff], "x".repeat(129).as_bytes()] {
            let id = id_of(value);
            assert_eq!(Uuid::parse_str(id.as_str()).unwrap().get_version_num(), 7, "{value:?}");
        }
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
