//! What comes of one request to a provider: a response, or why there is none.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::fields;
use crate::domain::failure::{Code, Failure};
use crate::open_files;
use crate::ports::model::CallError;

/// The largest body that is read. A long structured answer is some 100 KB; this bounds what a broken or hostile server
/// can make each call hold in memory.
pub(super) const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The most that is quoted of a server's or the operating system's words in an error.
const MAX_QUOTE: usize = 200;

/// The longest id of a response that is kept.
const MAX_ID_BYTES: usize = 128;

/// The header that carries an API key.
pub(super) type Key = (HeaderName, HeaderValue);

/// A response, read to its end.
#[derive(Debug)]
pub(super) struct HttpResponse {
    /// HTTP status.
    pub(super) status: StatusCode,
    /// HTTP headers.
    pub(super) headers: HeaderMap,
    /// The whole body.
    pub(super) body: Bytes,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TransportError {
    /// Not finished within this time.
    Timeout(Duration),
    /// Refused, unreachable, unknown host, or TLS failed. The text is the innermost cause.
    Connect(String),
    /// The process cannot open another file, so nothing was sent.
    NoFile,
    /// The connection broke after it was made. The text is the innermost cause.
    Cut(String),
    /// The body is larger than [`MAX_BODY_BYTES`].
    TooLarge,
    /// Exchanges are replayed, and this one was not recorded. The text names the file.
    NotRecorded(String),
}

impl HttpResponse {
    /// The id in the body, or else in this header. Providers' ids are short; what is not goes into no header of ours.
    pub(super) fn response_id(&self, in_body: &Value, header: &'static str) -> Option<String> {
        let id = fields::text(in_body).or_else(|| self.header(HeaderName::from_static(header)));
        id.filter(|id| id.len() <= MAX_ID_BYTES).map(str::to_owned)
    }

    /// A header as text.
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The content type when it is there and says that the body is not JSON.
    pub(super) fn foreign_content_type(&self) -> Option<String> {
        let essence = self.header(CONTENT_TYPE)?.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let json = essence == "application/json" || essence.ends_with("+json");
        (!json).then(|| quote(&essence))
    }

    /// The content encoding when there is one: none was asked for, and unpacking is how small bodies become huge.
    pub(super) fn foreign_encoding(&self) -> Option<String> {
        self.header(CONTENT_ENCODING).filter(|encoding| !encoding.eq_ignore_ascii_case("identity")).map(quote)
    }
}

impl TransportError {
    /// As an error of the provider named `provider`.
    pub(super) fn into_error(self, provider: &str) -> CallError {
        let failure = match self {
            Self::NotRecorded(file) => {
                let detail = format!("{provider}: {file}; record again, with the prompt, schema and settings of now");
                return CallError::lasting(Failure::new(Code::NotRecorded, detail));
            }
            Self::Timeout(limit) => Failure::new(
                Code::ProviderTimeout,
                format!(
                    "{provider} did not answer within {limit:?}; raise the provider's timeout if it is merely slow"
                ),
            ),
            Self::Connect(cause) => Failure::new(
                Code::ProviderUnavailable,
                format!("no connection to {provider} ({cause}); check base_url, HTTPS_PROXY and the network"),
            ),
            Self::NoFile => Failure::new(
                Code::TooManyOpenFiles,
                format!("no connection to {provider} could be opened: {}", open_files::ADVICE),
            ),
            Self::Cut(cause) => Failure::new(
                Code::ProviderUnavailable,
                format!("the connection to {provider} broke before the answer was complete ({cause})"),
            ),
            Self::TooLarge => Failure::new(
                Code::ProviderMalformed,
                format!("the answer of {provider} is larger than {MAX_BODY_BYTES} bytes; check that base_url is right"),
            ),
        };
        CallError::transient(failure)
    }
}

/// Printable ASCII of `text`, cut to [`MAX_QUOTE`] characters.
pub(super) fn quote(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~')).take(MAX_QUOTE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(content_type: Option<&'static str>) -> HttpResponse {
        let mut headers = HeaderMap::new();
        if let Some(value) = content_type {
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
        }
        HttpResponse { status: StatusCode::OK, headers, body: Bytes::new() }
    }

    #[test]
    fn json_is_known_by_its_content_type_and_a_missing_one_is_not_held_against_it() {
        for json in
            [None, Some("application/json"), Some("Application/JSON; charset=utf-8"), Some("application/problem+json")]
        {
            assert_eq!(received(json).foreign_content_type(), None, "{json:?}");
        }
        assert_eq!(received(Some("text/html; charset=utf-8")).foreign_content_type().as_deref(), Some("text/html"));
        assert_eq!(received(Some("")).foreign_content_type().as_deref(), Some(""));
    }

    #[test]
    fn quotes_are_short_and_printable() {
        assert_eq!(quote("a\r\n\u{1b}[31mb\u{e9}"), "a[31mb");
        assert_eq!(quote(&"x".repeat(5000)).len(), MAX_QUOTE);
    }
}
