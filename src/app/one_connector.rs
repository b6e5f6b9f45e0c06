//! What one connector asks, with no Kafka and no server beside it.

use std::sync::Arc;
use std::time::Duration;

use super::cache::Cache;
use super::connectors::named_spec;
use super::errors::AppError;
use super::lifecycle::Running;
use super::providers::Providers;
use super::shared::Shared;
use super::storage;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::domain::tenant::Tenant;
use crate::kafka::member::Member;
use crate::open_files::OpenFiles;
use crate::pipeline::caller::Caller;
use crate::pipeline::engine::Engine;
use crate::pipeline::spec::{CachePolicy, Spec};
use crate::tasks::Tasks;

/// The engine with the question of one connector.
pub(super) struct OneConnector {
    /// The engine.
    pub(super) engine: Arc<Engine>,
    /// What is asked, and of whom.
    pub(super) spec: Arc<Spec>,
    /// Who asks.
    pub(super) caller: Arc<Caller>,
    cache: Cache,
    tasks: Tasks,
}

impl OneConnector {
    /// That of this connector without memory: answers are neither remembered nor taken from there.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work.
    pub(super) async fn forgetful(
        mut runtime: RuntimeConfig,
        mut connector: ConnectorConfig,
        caller: &str,
    ) -> Result<Self, AppError> {
        runtime.cache.redis_url = None;
        connector.spec.cache = CachePolicy::OFF;
        Self::start(runtime, connector, caller).await
    }

    /// That of this connector, whose budget does not count. `caller` is its name in metrics, which nobody reads here.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work.
    pub(super) async fn start(
        runtime: RuntimeConfig,
        mut connector: ConnectorConfig,
        caller: &str,
    ) -> Result<Self, AppError> {
        connector.budget = None;
        let shared = Shared::new(runtime);
        let cache = Cache::open(&shared);
        let connectors = [connector];
        let providers = Providers::build(&shared, &connectors, OpenFiles::raise(0, 0))?;
        let [connector] = connectors;
        let engine = Arc::new(Engine::new(cache.recall(), shared.tasks.clone()));
        let definitions = storage::definitions_alone(&shared).await?;
        let named = named_spec(&connector, &shared.runtime, &providers)?;
        let spec = named.spec(&named.first(&connector, &definitions).await?);
        let caller = Arc::new(Caller::new(Tenant::default(), None, shared.metrics.caller(caller)));
        Ok(Self { engine, spec, caller, cache, tasks: shared.tasks })
    }

    /// Waits for the shared cache, if there is one.
    ///
    /// # Errors
    /// [`AppError::SharedCacheAway`].
    pub(super) async fn connected(&self) -> Result<(), AppError> {
        self.cache.connected().await
    }

    /// Ends what runs beside it.
    pub(super) async fn finish(self) {
        Running::new(Vec::<Member>::new(), self.cache.services, self.tasks).drain(Duration::ZERO).await;
    }
}
