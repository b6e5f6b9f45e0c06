//! The HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::errors::AppError;
use super::shared::Shared;
use crate::http::{router, server};
use crate::ports::health::Health;

/// An address that is ours, and not served yet.
pub(super) struct BoundApi {
    listener: TcpListener,
    address: SocketAddr,
}

/// The running HTTP server.
pub(super) struct Api {
    /// Where it listens.
    pub(super) address: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
    stop: watch::Sender<bool>,
}

impl BoundApi {
    /// Takes the address.
    pub(super) async fn bind(address: SocketAddr) -> Result<Self, AppError> {
        let refused = |source| AppError::Listen { address, source };
        let listener = server::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// Begins to answer.
    pub(super) fn serve(self, shared: &Shared, health: Arc<dyn Health>) -> Api {
        let context = router::Context { health, metrics: Arc::clone(&shared.metrics), started_at: Instant::now() };
        let (stop, stopped) = watch::channel(false);
        let server = shared.tasks.server(server::serve(self.listener, router::router(context), stopped));
        Api { address: self.address, server, stop }
    }
}

impl Api {
    /// Returns when the server has ended, with why.
    pub(super) async fn failed(&mut self) -> String {
        match (&mut self.server).await {
            Ok(Ok(())) => "the HTTP server ended".to_owned(),
            Ok(Err(error)) => format!("the HTTP server failed: {error}"),
            Err(panic) => format!("the HTTP server failed: {panic}"),
        }
    }

    /// Lets it answer what it has begun, and end.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }
}
