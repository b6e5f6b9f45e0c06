//! The HTTP client of one provider: each request is bounded in time and size, and each transport error is classified.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Request, Response, StatusCode, Url};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::cassette::Cassette;
use super::fields;
use super::settings::Cassettes;
use crate::domain::failure::{Code, Failure};
use crate::open_files;
use crate::ports::model::CallError;

/// The largest body that is read. A long structured answer is some 100 KB; this bounds what a broken or hostile server
/// can make each call hold in memory.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The longest wait for TCP and TLS. Shorter than the whole exchange, so that a host which drops packets is found to be
/// unreachable (everyone waits) rather than slow with this one record.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle connections kept per provider: as many as a connector's default `max_in_flight`.
const IDLE_CONNECTIONS: usize = 256;

/// How long one is kept where open files are few.
const SHORT_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Pause before a connection is tried again for which there was no file, and how long it is tried.
const NO_FILE_PAUSE: Duration = Duration::from_millis(250);
const NO_FILE_LIMIT: Duration = Duration::from_secs(5);

/// How long an idle connection is kept: less than the 60 s after which common load balancers close theirs, so that we
/// seldom write into a connection that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// The first TCP keep-alive probe: NAT gateways forget quiet connections after some minutes, and a call can be quiet long.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// What is reserved for a body on the word of `Content-Length` alone.
const FIRST_BUFFER: usize = 64 * 1024;

/// The most that is quoted of a server's or the operating system's words in an error.
const MAX_QUOTE: usize = 200;

/// The longest id of a response that is kept.
const MAX_ID_BYTES: usize = 128;

/// The header that carries an API key.
pub(super) type Key = (HeaderName, HeaderValue);

/// A connection pool to one provider.
#[derive(Debug)]
pub(super) struct HttpClient {
    client: Client,
    url: Url,
    headers: HeaderMap,
    deadline: Duration,
    cassette: Option<Cassette>,
}

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

impl HttpClient {
    /// A pool that posts to `url` with these headers, each exchange within `deadline` from connecting to the last byte. It keeps at
    /// most `idle_connections`, if there is such a limit.
    ///
    /// # Errors
    /// A sentence that says why the client cannot be made.
    pub(super) fn new(
        provider: &str,
        url: Url,
        headers: HeaderMap,
        deadline: Duration,
        cassettes: &Cassettes,
        idle_connections: Option<usize>,
    ) -> Result<Self, String> {
        let plain = url.scheme() == "http";
        let few = idle_connections.filter(|few| *few < IDLE_CONNECTIONS);
        let mut builder = Client::builder()
            .user_agent(concat!("structured-prompt/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT.min(deadline / 2))
            .pool_max_idle_per_host(few.unwrap_or(IDLE_CONNECTIONS))
            .pool_idle_timeout(if few.is_some() { SHORT_IDLE_TIMEOUT } else { IDLE_TIMEOUT })
            .tcp_keepalive(KEEP_ALIVE)
            // A redirect would carry prompt and key to a host that nobody configured.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Proxies come from nowhere but settings, and there is none for them.
            .no_proxy()
            // Retries are counted and spaced by `retry`; none may happen out of its sight.
            .retry(reqwest::retry::never());
        if plain {
            // Loading the machine's certificates fails in images that have none; plain HTTP needs none.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|e| format!("the HTTP client cannot be made: {}", root_cause(e)))?;
        let cassette = Cassette::of(provider, cassettes)?;
        Ok(Self { client, url, headers, deadline, cassette })
    }

    /// Posts a JSON body with this key and reads the response.
    pub(super) async fn post(&self, key: Option<&Key>, body: Bytes) -> Result<HttpResponse, TransportError> {
        let path = self.url.path();
        if let Some(cassette) = self.cassette.as_ref().filter(|cassette| cassette.is_replay()) {
            return cassette.replay(path, &body).await;
        }
        let received = self.send_when_possible(key, &body).await?;
        if let Some(cassette) = &self.cassette {
            cassette.record(path, &body, key, &received).await;
        }
        Ok(received)
    }

    /// Waits a while for a file to make the connection with: calls that end, and idle connections, give theirs back.
    async fn send_when_possible(&self, key: Option<&Key>, body: &Bytes) -> Result<HttpResponse, TransportError> {
        let give_up_at = Instant::now() + NO_FILE_LIMIT;
        loop {
            match self.send(key, body.clone()).await {
                Err(TransportError::NoFile) if Instant::now() < give_up_at => tokio::time::sleep(NO_FILE_PAUSE).await,
                outcome => return outcome,
            }
        }
    }

    async fn send(&self, key: Option<&Key>, body: Bytes) -> Result<HttpResponse, TransportError> {
        let mut request = Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = self.headers.clone();
        if let Some((name, value)) = key {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        *request.body_mut() = Some(body.into());
        // One time for everything: reqwest's read timeout starts again with each byte of a slow drip.
        let (ends_at, late) = (Instant::now() + self.deadline, || TransportError::Timeout(self.deadline));
        let mut response =
            timeout_at(ends_at, self.client.execute(request)).await.map_err(|_| late())?.map_err(transport_error)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = match timeout_at(ends_at, read(response)).await.unwrap_or_else(|_| Err(late())) {
            // An error has said the most with its status and headers: a pause that it asks for holds without its body.
            Err(_) if !status.is_success() => Bytes::new(),
            body => body?,
        };
        Ok(HttpResponse { status, headers, body })
    }
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
}

impl HttpResponse {
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
                format!("no connection to {provider} ({cause}); check base_url and the network"),
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

async fn read(mut response: Response) -> Result<Bytes, TransportError> {
    let announced = response.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    if announced > MAX_BODY_BYTES {
        return Err(TransportError::TooLarge);
    }
    let first = response.chunk().await.map_err(transport_error)?.unwrap_or_default();
    // Most answers come in one piece, which is taken as it is.
    if first.len() == announced {
        return Ok(first);
    }
    let mut body = Vec::with_capacity(announced.clamp(first.len(), FIRST_BUFFER.max(first.len())));
    let mut next = Some(first);
    while let Some(chunk) = next {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(TransportError::TooLarge);
        }
        body.extend_from_slice(&chunk);
        next = response.chunk().await.map_err(transport_error)?;
    }
    Ok(body.into())
}

fn transport_error(error: reqwest::Error) -> TransportError {
    let mut causes =
        std::iter::successors(error.source(), |cause: &&(dyn std::error::Error + 'static)| (*cause).source());
    if causes.any(|cause| cause.downcast_ref().is_some_and(open_files::is_exhausted)) {
        return TransportError::NoFile;
    }
    if error.is_connect() { TransportError::Connect(root_cause(error)) } else { TransportError::Cut(root_cause(error)) }
}

/// The innermost cause: the outer ones only repeat where it happened. The URL may carry a secret in its query.
fn root_cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    quote(&text)
}

/// Printable ASCII of `text`, cut to [`MAX_QUOTE`] characters.
fn quote(text: &str) -> String {
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
