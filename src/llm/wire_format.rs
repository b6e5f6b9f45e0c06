//! What a wire format has to say for itself; everything else is [`super::remote_model`]'s.

use std::fmt::Debug;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::http_exchange::HttpResponse;
use super::request_parameters::RequestParameters;
use super::token_logprobs::Token;
use crate::ports::model::{Call, Reply};

/// What is asked for after an answer that did not satisfy the schema; the errors follow.
const CORRECTION: &str = "Your answer does not satisfy the schema. Answer again with the whole corrected JSON and nothing else. The errors:\n";

/// What some servers begin a text with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One request, as every format needs it.
#[derive(Debug)]
pub(super) struct ChatRequest<'a> {
    pub(super) model: &'a str,
    /// Our instructions and the provider's own.
    pub(super) system: &'a str,
    pub(super) call: &'a Call<'a>,
    /// The schema in the provider's dialect; `None` when the instructions alone have to ask for it.
    pub(super) schema: Option<&'a Value>,
    /// Whether the dialect could hold the whole schema.
    pub(super) is_strict: bool,
    pub(super) max_tokens: u32,
    pub(super) temperature: Option<f64>,
    pub(super) logprobs: bool,
    pub(super) parameters: RequestParameters,
}

/// One wire format.
pub(super) trait WireFormat: Send + Sync + Debug {
    /// What its success body is called, for errors.
    fn answer(&self) -> &'static str;
    /// Path segments below the base URL.
    fn path(&self, model: &str) -> Vec<String>;
    /// Headers that every request has beside the key.
    fn headers(&self) -> Vec<(&'static str, String)>;
    /// The header that carries the key.
    fn key(&self, key: &str) -> (HeaderName, String);
    /// The request body.
    fn body(&self, request: &ChatRequest<'_>) -> Value;
    /// The reply within a successful response, whose body is given as JSON.
    ///
    /// # Errors
    /// Why the body is none. Names and types only, nothing of its text.
    fn reply(&self, body: &Value, response: &HttpResponse) -> Result<Reply, String>;
    /// The tokens of the answer with their log probabilities, in their order; none where the body does not tell them.
    fn tokens<'a>(&self, _body: &'a Value) -> Vec<Token<'a>> {
        Vec::new()
    }
    /// What its requests have at first.
    fn parameters(&self, url: &Url) -> RequestParameters;
}

/// The message that shows a model what was wrong with its answer.
pub(super) fn correction(errors: &str) -> String {
    format!("{CORRECTION}{errors}")
}

/// The JSON of a body, whatever its headers say of it: compatible servers also call it `text/plain`, or nothing at all.
///
/// # Errors
/// What it is instead.
pub(super) fn json(response: &HttpResponse) -> Result<Value, String> {
    let body = response.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&response.body);
    if body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| {
        if let Some(encoding) = response.foreign_encoding() {
            return format!(
                "it is compressed ({encoding}), though the request accepts nothing but `identity`; switch compression off in \
                 the server, or in the proxy before it"
            );
        }
        if let Some(found) = response.foreign_content_type() {
            return format!("the content type is {found:?}, and the body is not JSON");
        }
        let (column, line, length) = (error.column(), error.line(), body.len());
        format!("it is not JSON (at byte {column} of line {line}, {length} bytes in all)")
    })
}

/// A header value that is not written to logs.
pub(super) fn sensitive(value: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| "the API key contains characters that no key has; check for a line break".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The base URL with these segments below it; a query (Azure's `api-version`) stays where it is.
pub(super) fn endpoint(base_url: &str, segments: &[String]) -> Result<Url, String> {
    let mut url = Url::parse(base_url).map_err(|e| format!("base_url is not a URL ({e}); write http(s)://host/…"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("base_url has the scheme {:?}; write http(s)://host/…", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("base_url contains a user name or password; give the key as the API key".to_owned());
    }
    match url.path_segments_mut() {
        Ok(mut path) => path.pop_if_empty().extend(segments),
        Err(()) => return Err("base_url has no path; write http(s)://host/…".to_owned()),
    };
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_below_the_base_url() {
        for (base, whole) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1/chat/completions"),
            ("http://localhost:1", "http://localhost:1/chat/completions"),
            ("https://x.example/openai/v1?api-version=1", "https://x.example/openai/v1/chat/completions?api-version=1"),
        ] {
            assert_eq!(endpoint(base, &["chat".to_owned(), "completions".to_owned()]).unwrap().as_str(), whole);
        }
        for refused in ["", "api.openai.com/v1", "ftp://x/v1", "https://user:pw@x/v1", "data:x"] {
            let reason = endpoint(refused, &[]).unwrap_err();
            assert!(!reason.contains("pw"), "{reason}");
        }
    }
}
