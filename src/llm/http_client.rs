//! The HTTP client of one provider: each request is bounded in time and size.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, NoProxy, Proxy, Request, Response, Url};
use tokio::time::{Instant, timeout_at};

use super::cassette::Cassette;
use super::http_exchange::{HttpResponse, Key, MAX_BODY_BYTES, TransportError, quote};
use super::settings::{Cassettes, ProxySettings};
use crate::open_files;

/// The longest wait for TCP and TLS. Shorter than the whole exchange, so that a host which drops packets is found to be
/// unreachable (everyone waits) rather than slow with this one record.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where fewer idle connections than these may be kept, open files are few: as many as a connector's default
/// `max_in_flight`.
const FEW_CONNECTIONS: usize = 256;

/// How long an idle connection is kept there.
const SHORT_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Pause before a connection is tried again for which there was no file, and how long it is tried.
const NO_FILE_PAUSE: Duration = Duration::from_millis(250);
const NO_FILE_LIMIT: Duration = Duration::from_secs(5);

/// How long an idle connection is kept: less than the 60 s after which common load balancers close theirs, so that we
/// seldom write into a connection that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// The first TCP keep-alive probe: NAT gateways forget quiet connections after some minutes, and a call can be quiet
/// long.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// What is reserved for a body on the word of `Content-Length` alone.
const FIRST_BUFFER: usize = 64 * 1024;

/// How the requests of a provider are sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientOptions<'a> {
    /// Recorded exchanges.
    pub(super) cassettes: &'a Cassettes,
    /// What makes the connections, if it is not this process.
    pub(super) proxy: Option<&'a ProxySettings>,
    /// The most connections that are kept for later, if there is such a limit.
    pub(super) idle_connections: Option<usize>,
}

/// A connection pool to one provider.
#[derive(Debug)]
pub(super) struct HttpClient {
    client: Client,
    url: Url,
    headers: HeaderMap,
    deadline: Duration,
    cassette: Option<Cassette>,
}

impl HttpClient {
    /// A pool that posts to `url` with these headers, each exchange within `deadline` from connecting to the last byte.
    ///
    /// # Errors
    /// A sentence that says why the client cannot be made.
    pub(super) fn new(
        provider: &str,
        url: Url,
        headers: HeaderMap,
        deadline: Duration,
        options: &ClientOptions<'_>,
    ) -> Result<Self, String> {
        let ClientOptions { cassettes, proxy, idle_connections } = *options;
        let (proxy, is_encrypted_to_proxy) = (proxy.map(through).transpose()?, proxy.is_some_and(is_encrypted));
        let plain = url.scheme() == "http" && !is_encrypted_to_proxy;
        let are_few = idle_connections.is_some_and(|connections| connections < FEW_CONNECTIONS);
        let mut builder = Client::builder()
            .user_agent(concat!("structured-prompt/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT.min(deadline / 2))
            // Answers come in bursts: a connection that is closed between two of them has to be made again at once.
            .pool_max_idle_per_host(idle_connections.unwrap_or(usize::MAX))
            .pool_idle_timeout(if are_few { SHORT_IDLE_TIMEOUT } else { IDLE_TIMEOUT })
            .tcp_keepalive(KEEP_ALIVE)
            // A redirect would carry prompt and key to a host that nobody configured.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // The proxy is that of the settings. The library would read the environment by rules of its own.
            .no_proxy()
            // Retries are counted and spaced by `retry`; none may happen out of its sight.
            .retry(reqwest::retry::never());
        if let Some(proxy) = proxy {
            builder = builder.proxy(proxy);
        }
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
        if let Some(cassette) = &self.cassette
            && let Some(recorded) = cassette.replay(path, &body).await
        {
            return recorded;
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

/// A proxy as the library takes it. No error quotes its URL, in which a password may stand.
fn through(settings: &ProxySettings) -> Result<Proxy, String> {
    let proxy = Proxy::all(settings.url.expose()).map_err(|_| "the URL of its proxy cannot be used".to_owned())?;
    Ok(proxy.no_proxy(NoProxy::from_string(&settings.not_for)))
}

/// Whether the connection to the proxy itself is encrypted.
fn is_encrypted(settings: &ProxySettings) -> bool {
    settings.url.expose().starts_with("https://")
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
