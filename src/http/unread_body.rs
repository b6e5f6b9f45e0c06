//! The rest of a body that nobody reads, because the answer is known before: too large, no key, not found.
//!
//! Many clients send all of a request before they look at the answer. A connection that is closed meanwhile is reset,
//! and they see a broken pipe instead of the problem that tells them what to do (RFC 9112 section 9.6). So the rest is
//! read and thrown away beside the answer, within limits.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::time::timeout;

use crate::tasks::Tasks;

/// How long a client may go on sending what nobody reads.
const LONGEST: Duration = Duration::from_secs(10);
/// How much, in bytes.
const MOST: usize = 64 << 20;

/// Has the request's body read to its end, by whoever answers the request or, what is left, by nobody.
pub(super) async fn discard(State(tasks): State<Tasks>, request: Request, next: Next) -> Response {
    // A client that waits for leave to send its body (RFC 9110 section 10.1.1) has the answer instead. Reading would give
    // it leave.
    if request.headers().contains_key(header::EXPECT) || request.body().is_end_stream() {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::new(Whole { body: Some(body), tasks }))).await
}

/// A body whose rest is thrown away when it is dropped.
struct Whole {
    /// `None` once it has ended.
    body: Option<Body>,
    tasks: Tasks,
}

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if let Some(rest) = self.body.take().filter(|body| !body.is_end_stream()) {
            self.tasks.connection(async { drop(timeout(LONGEST, read_away(rest)).await) });
        }
    }
}

async fn read_away(rest: Body) {
    let (mut chunks, mut bytes) = (rest.into_data_stream(), 0);
    while let Some(Ok(chunk)) = chunks.next().await {
        bytes += chunk.len();
        if bytes > MOST {
            return;
        }
    }
}
