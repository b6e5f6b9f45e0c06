//! The HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::errors::AppError;
use super::lifecycle::Service;
use super::shared::Shared;
use crate::http::state::ApiState;
use crate::http::{router, server};
use crate::ports::health::Health;

/// An address that is ours, and not served yet.
pub(super) struct BoundApi {
    listener: TcpListener,
    /// Where it listens, with the port that the system chose if the configuration has none.
    pub(super) address: SocketAddr,
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
    pub(super) fn serve(self, shared: &Shared, health: Arc<dyn Health>) -> Service {
        let state = ApiState { health, metrics: Arc::clone(&shared.metrics), started_at: Instant::now() };
        let stop = CancellationToken::new();
        let server = server::serve(self.listener, router::router(state), stop.clone());
        Service::new("HTTP server", shared.tasks.service(server), stop, |end| end.map_err(|error| error.to_string()))
    }
}
