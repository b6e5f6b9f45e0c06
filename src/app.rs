//! The composition root: settings → parts → a running [`App`]. The one place that names every part.
//!
//! - `providers`, `storage`, `connectors`, `api`: the builders of the parts;
//! - `shared`: what all of them need;
//! - `health`: how they are doing together;
//! - `lifecycle`: how the process ends;
//! - [`errors`]: why it cannot start.

mod api;
mod connectors;
pub mod errors;
mod health;
mod lifecycle;
mod providers;
mod shared;
mod storage;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use self::api::{Api, BoundApi};
use self::connectors::{Connectors, limit_in_flight};
use self::errors::AppError;
use self::health::AllHealth;
use self::providers::Providers;
use self::shared::Shared;
use self::storage::Storage;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::delivery::outcome::Observer;
use crate::domain::health::Component;
use crate::kafka::connector::Connector;
use crate::open_files::OpenFiles;
use crate::pipeline::route::router::Router;
use crate::ports::health::Health;

/// The running process.
pub struct App {
    connectors: Vec<Connector>,
    api: Api,
    routers: Vec<Arc<Router>>,
    health: Arc<dyn Health>,
    shared: Shared,
}

impl App {
    /// Builds every part and starts them. What is missing outside (brokers, topics, providers) is waited for afterwards.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work.
    pub async fn start(
        runtime: RuntimeConfig,
        mut configs: Vec<ConnectorConfig>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, AppError> {
        let shared = Shared::new(runtime);
        let storage = Storage::open(&shared);
        let files = OpenFiles::raise(configs.len());
        let files_health = limit_in_flight(&mut configs, &shared.runtime, files);
        let providers = Providers::build(&shared, files)?;
        let connectors = Connectors::build(configs, &shared, &providers, &storage, observer.as_ref())?;

        let mut health = storage.health.clone();
        health.push(Arc::new(files_health));
        health.extend(connectors.health());
        let health: Arc<dyn Health> = Arc::new(AllHealth(health));

        // Bound before anything consumes: a taken address must not cost a rebalance.
        let api = BoundApi::bind(shared.runtime.http.listen).await?;
        let routers = connectors.routers.clone();
        let connectors = connectors.start()?;
        let api = api.serve(&shared, Arc::clone(&health));
        let has_journal = storage.journal.is_some();
        tracing::info!(http = %api.address, connectors = connectors.len(), journal = has_journal, "started");
        Ok(Self { connectors, api, routers, health, shared })
    }

    /// Where HTTP listens.
    pub fn http_address(&self) -> SocketAddr {
        self.api.address
    }

    /// Who is asked by each connector, in the order in which the connectors were given.
    pub fn routers(&self) -> &[Arc<Router>] {
        &self.routers
    }

    /// How every part is doing, as `GET /v1/health` shows it.
    pub fn components(&self) -> Vec<Component> {
        self.health.components()
    }

    /// All metrics, as `GET /v1/metrics` shows them.
    ///
    /// # Errors
    /// Never in practice: the text is written to memory.
    pub fn metrics(&self) -> Result<String, std::fmt::Error> {
        self.shared.metrics.encode()
    }

    /// Returns when a part that should run for ever has ended, with what it was.
    pub async fn failed(&mut self) -> String {
        let mut connectors: FuturesUnordered<_> = self.connectors.iter_mut().map(Connector::failed).collect();
        tokio::select! {
            Some(why) = connectors.next() => why,
            why = self.api.failed() => why,
        }
    }

    /// Stops: takes nothing in, lets what is under way finish for at most `grace`, commits, leaves the groups. HTTP answers
    /// until the end. True if everything stopped by itself in time.
    pub async fn drain(self, grace: Duration) -> bool {
        let is_drained = lifecycle::drain(&self.connectors, &self.shared.tasks, grace).await;
        self.api.stop();
        is_drained
    }
}
