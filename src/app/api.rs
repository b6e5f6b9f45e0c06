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
use crate::ports::answer_cache::AnswerCache;
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
    pub(super) fn serve(self, shared: &Shared, health: Arc<dyn Health>, cache: Arc<dyn AnswerCache>) -> Service {
        let (settings, metrics) = (shared.runtime.http, Arc::clone(&shared.metrics));
        let router = router::router(ApiState { settings, health, cache, metrics, started_at: Instant::now() });
        let (tasks, stop) = (shared.tasks.clone(), CancellationToken::new());
        let server = server::serve(self.listener, router, settings.max_connections, tasks, stop.clone());
        Service::new("HTTP server", shared.tasks.service(server), stop, Ok)
    }
}
