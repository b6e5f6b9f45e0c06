//! Listening and serving.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Serves until `stop` turns true. The listener is an argument, so that a bad address stops the start and tests take a free
/// port.
///
/// # Errors
/// When accepting connections fails for good.
pub async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) -> io::Result<()> {
    let stopped = async move {
        // A sender that is gone can tell nobody to stop any more: stop.
        drop(stop.wait_for(|stop| *stop).await);
    };
    axum::serve(listener, router).with_graceful_shutdown(stopped).await
}

/// Binds the address.
///
/// # Errors
/// When it is taken or not ours.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
