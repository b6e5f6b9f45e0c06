//! Answers of more than a kilobyte are compressed for clients that say that they can read it. They are whole in memory,
//! so they are compressed at once, and have a length. What is sent piece by piece is left alone.

use std::io::{self, Write as _};

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::write::GzEncoder;
use tokio::sync::OnceCell;
use tokio::task::JoinError;

use super::problem::Problem;
use crate::tasks::Tasks;

/// Less than this fits into one packet, compressed or not.
const LEAST_BYTES: u64 = 1024;

/// From so many bytes on, a millisecond of work, others do not wait for it.
const MANY_BYTES: usize = 100 * 1024;

/// Levels that take some 10 ms a megabyte. The next better ones save a few percent more, and take several times as long.
const ZSTD_LEVEL: i32 = 3;
const BROTLI_LEVEL: u32 = 4;
const GZIP_LEVEL: u32 = 4;
/// Brotli's window and buffer, as logarithm and in bytes.
const BROTLI_WINDOW: u32 = 22;
const BROTLI_BUFFER: usize = 4096;

const VARY: HeaderValue = HeaderValue::from_static("accept-encoding");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Zstd,
    Brotli,
    Gzip,
}

/// The fastest first.
const ENCODINGS: [Encoding; 3] = [Encoding::Zstd, Encoding::Brotli, Encoding::Gzip];

/// Compresses an answer if that is worth it and its client can read it.
pub async fn compress(State(tasks): State<Tasks>, request: Request, next: Next) -> Response {
    let chosen = choose(request.headers());
    let mut response = next.run(request).await;
    if !is_worth_it(&response) {
        return response;
    }
    response.headers_mut().append(header::VARY, VARY);
    let Some(encoding) = chosen else { return response };
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = to_bytes(body, usize::MAX).await else { return Problem::defect().into_response() };
    match pack(&tasks, encoding, &whole).await {
        Ok(packed) if packed.len() < whole.len() => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(packed))
        }
        _not_smaller => Response::from_parts(parts, Body::from(whole)),
    }
}

async fn pack(tasks: &Tasks, encoding: Encoding, whole: &Bytes) -> io::Result<Vec<u8>> {
    if whole.len() < MANY_BYTES {
        return encoding.pack(whole);
    }
    let whole = whole.clone();
    tasks.computation(move || encoding.pack(&whole)).await.map_err(io::Error::other)?
}

/// A text that is always the same: made when somebody first asks for it, and compressed once for each encoding. Neither
/// is done by the thread that serves the request.
pub struct Precompressed {
    make: fn() -> String,
    whole: OnceCell<Bytes>,
    packed: [OnceCell<Bytes>; ENCODINGS.len()],
}

impl Precompressed {
    /// What this makes.
    pub const fn new(make: fn() -> String) -> Self {
        Self { make, whole: OnceCell::const_new(), packed: [const { OnceCell::const_new() }; ENCODINGS.len()] }
    }

    /// The text as the client with these headers likes it best.
    pub async fn response(&self, tasks: &Tasks, headers: &HeaderMap) -> Response {
        let Ok(whole) = self.whole.get_or_try_init(|| self.whole(tasks)).await else {
            return Problem::defect().into_response();
        };
        if let Some(encoding) = choose(headers)
            && let Some(packed) = self.packed(tasks, encoding, whole).await
        {
            let said = [(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name())), (header::VARY, VARY)];
            return (said, Body::from(packed.clone())).into_response();
        }
        Body::from(whole.clone()).into_response()
    }

    async fn whole(&self, tasks: &Tasks) -> Result<Bytes, JoinError> {
        tasks.computation(self.make).await.map(Bytes::from)
    }

    async fn packed(&self, tasks: &Tasks, encoding: Encoding, whole: &Bytes) -> Option<&Bytes> {
        let (_, packed) = ENCODINGS.iter().zip(&self.packed).find(|(other, _)| **other == encoding)?;
        packed.get_or_try_init(|| async { pack(tasks, encoding, whole).await.map(Bytes::from) }).await.ok()
    }
}

/// A whole body of some length that is text and not compressed already.
fn is_worth_it(response: &Response) -> bool {
    let headers = response.headers();
    let is_large = response.body().size_hint().exact().is_some_and(|bytes| bytes > LEAST_BYTES);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    is_large && is_text(kind) && !headers.contains_key(header::CONTENT_ENCODING)
}

fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let of_application = ["json", "xml", "javascript", "yaml", "openmetrics-text"];
    kind.starts_with("text/")
        || kind.strip_prefix("application/").is_some_and(|rest| of_application.contains(&rest))
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

/// What the client likes best (RFC 9110, section 12.5.3), and of several that it likes as much the fastest.
fn choose(headers: &HeaderMap) -> Option<Encoding> {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let accepted: Vec<(&str, f32)> = lines.flat_map(|line| line.split(',')).map(weighed).collect();
    let weight_of = |name: &str| accepted.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, q)| *q);
    let as_it_is = weight_of("identity").unwrap_or(0.0);
    let mut best = None;
    for encoding in ENCODINGS {
        let weight = weight_of(encoding.name()).or_else(|| weight_of("*")).unwrap_or(0.0);
        if weight >= as_it_is && weight > best.map_or(0.0, |(_, weight)| weight) {
            best = Some((encoding, weight));
        }
    }
    best.map(|(encoding, _)| encoding)
}

/// A name and its weight: `br;q=0.8`. A weight that cannot be read is none.
fn weighed(item: &str) -> (&str, f32) {
    let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
    let weight = match parameters.trim().split_once('=') {
        Some((q, weight)) if q.trim().eq_ignore_ascii_case("q") => weight.trim().parse().unwrap_or(0.0),
        _ => 1.0,
    };
    (name.trim(), weight)
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn pack(self, whole: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd => {
                let mut packed = vec![0; zstd_safe::compress_bound(whole.len())];
                let done = zstd_safe::compress(packed.as_mut_slice(), whole, ZSTD_LEVEL);
                packed.truncate(done.map_err(|code| io::Error::other(zstd_safe::get_error_name(code)))?);
                Ok(packed)
            }
            Self::Brotli => {
                let mut packed = brotli::CompressorWriter::new(Vec::new(), BROTLI_BUFFER, BROTLI_LEVEL, BROTLI_WINDOW);
                packed.write_all(whole)?;
                Ok(packed.into_inner())
            }
            Self::Gzip => {
                let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
                packed.write_all(whole)?;
                packed.finish()
            }
        }
    }
}

#[cfg(test)]
mod tests;
