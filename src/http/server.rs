//! Listening and serving: connections within limits of number, time and size.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
#[cfg(target_os = "linux")]
use rustix::net::sockopt::set_tcp_user_timeout;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client_address::RoutesFor;
use crate::tasks::Tasks;
use crate::telemetry::log_throttle::LogThrottle;

/// Time for a request's headers to arrive, and for a connection to be idle between two requests.
const HEADERS_ARRIVE: Duration = Duration::from_secs(10);
/// Time for the handshake of an encrypted connection.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Largest request line and headers together.
const MAX_HEADER_BYTES: usize = 16 << 10;
/// How long a client may leave an answer unread once the network's buffers are full. Then its connection is closed.
#[cfg(target_os = "linux")]
const MAX_UNREAD: Duration = Duration::from_secs(60);
/// Pause after a connection could not be accepted, mostly because no file is left to open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where connections come in.
pub struct Listener {
    /// The socket. An argument, so that a bad address stops the start and tests take a free port.
    pub socket: TcpListener,
    /// Encrypts connections, where they are.
    pub tls: Option<TlsAcceptor>,
    /// Connections that are served at once; others wait to be accepted.
    pub max_connections: usize,
}

/// Serves connections until `stop` is cancelled, and then finishes what it has begun to answer.
pub async fn serve(listener: Listener, router: Router, tasks: Tasks, stop: CancellationToken) {
    let Listener { socket, tls, max_connections } = listener;
    let places = Arc::new(Semaphore::new(max_connections));
    let (open, mut log) = (TaskTracker::new(), LogThrottle::default());
    let next = async || {
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await;
        (socket.accept().await, place)
    };
    while let Some((accepted, place)) = stop.run_until_cancelled(next()).await {
        match accepted {
            Ok((stream, client)) => {
                let routes = RoutesFor::new(client.ip(), router.clone());
                let connection = connection(stream, tls.clone(), routes, stop.clone());
                tasks.connection(open.track_future(async move {
                    connection.await;
                    drop(place);
                }));
            }
            Err(error) => {
                if let Some(held_back) = log.due("accept") {
                    tracing::warn!(%error, held_back, "a connection could not be accepted");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(socket);
    open.close();
    open.wait().await;
}

/// Serves one connection. Errors are its client's: it went away, was too slow, or did not speak HTTP.
async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, routes: RoutesFor, stop: CancellationToken) {
    if let Err(error) = set_options(&stream) {
        tracing::debug!(%error, "a connection is served without all of its options");
    }
    let Some(tls) = tls else { return requests(stream, routes, stop).await };
    match stop.run_until_cancelled(timeout(HANDSHAKE, tls.accept(stream))).await {
        Some(Ok(Ok(encrypted))) => requests(encrypted, routes, stop).await,
        Some(Ok(Err(error))) => tracing::debug!(%error, "a connection could not be encrypted"),
        Some(Err(_elapsed)) => tracing::debug!("a client did not finish its handshake in time"),
        None => {}
    }
}

/// Answers the requests of one connection.
async fn requests<S>(stream: S, routes: RoutesFor, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_ARRIVE).max_header_size(MAX_HEADER_BYTES);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), routes));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What a connection needs beyond the defaults of TCP.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    // Without it a small answer may wait for the acknowledgement of what was sent before.
    stream.set_nodelay(true)?;
    // Without it a client that never reads its answer keeps its place among the connections for ever.
    #[cfg(target_os = "linux")]
    set_tcp_user_timeout(stream, u32::try_from(MAX_UNREAD.as_millis()).unwrap_or(u32::MAX))?;
    Ok(())
}

/// Binds the address.
///
/// # Errors
/// When it is taken or not ours.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

#[cfg(test)]
mod tests;
