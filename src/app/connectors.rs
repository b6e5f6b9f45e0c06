//! The Kafka connectors: for each a router, a pipeline and a record handler.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::errors::AppError;
use super::health::ProviderHealth;
use super::providers::{Providers, asks_a_model};
use super::shared::Shared;
use super::storage::Storage;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::delivery::outcome::Observer;
use crate::delivery::remembered::RememberedOutcomes;
use crate::kafka::connector::{Connector, StartError};
use crate::kafka::dependencies::Dependencies;
use crate::kafka::handler::RecordHandler;
use crate::kafka::status::ConnectorStatus;
use crate::open_files::{OpenFiles, OpenFilesHealth};
use crate::pipeline::route::provider::Provider;
use crate::pipeline::route::router::Router;
use crate::pipeline::route::settings::RouterSettings;
use crate::pipeline::run::Pipeline;
use crate::ports::health::Health;

/// Connectors that are ready to start.
#[derive(Default)]
pub(super) struct Connectors {
    parts: Vec<Dependencies>,
    /// Who is asked by each connector, in the order of the connectors.
    pub(super) routers: Vec<Arc<Router>>,
    /// The providers that any of them asks, by name.
    asked: BTreeMap<Arc<str>, Arc<Provider>>,
}

/// Lets no connector ask more at once than the limit of open files leaves: more records would only wait for a connection, and a
/// process that stops would wait for them.
pub(super) fn limit_in_flight(
    connectors: &mut [ConnectorConfig],
    runtime: &RuntimeConfig,
    files: OpenFiles,
) -> OpenFilesHealth {
    let mut largest = 0;
    for connector in connectors.iter_mut().filter(|connector| asks_a_model(connector, runtime)) {
        let max_in_flight = &mut connector.topics.max_in_flight;
        largest = largest.max(*max_in_flight);
        *max_in_flight = files.calls().map_or(*max_in_flight, |calls| calls.min(*max_in_flight));
    }
    OpenFilesHealth::new(files, largest)
}

impl Connectors {
    /// Builds what each connector is made of.
    pub(super) fn build(
        configs: Vec<ConnectorConfig>,
        shared: &Shared,
        providers: &Providers,
        storage: &Storage,
        observer: Option<&Arc<dyn Observer>>,
    ) -> Result<Self, AppError> {
        let mut connectors = Self::default();
        for config in configs {
            let asked = providers.asked_by(&config, &shared.runtime)?;
            connectors.asked.extend(asked.iter().map(|provider| (Arc::clone(provider.name()), Arc::clone(provider))));
            let router = Arc::new(router(&config, asked, shared, providers));
            connectors.parts.push(parts(config, Arc::clone(&router), shared, storage, observer.cloned()));
            connectors.routers.push(router);
        }
        Ok(connectors)
    }

    /// How the connectors and the providers that they ask are doing.
    pub(super) fn health(&self) -> Vec<Arc<dyn Health>> {
        let providers: Arc<dyn Health> = Arc::new(ProviderHealth(self.asked.values().cloned().collect()));
        let connectors = self.parts.iter().map(|parts| Arc::clone(&parts.status) as Arc<dyn Health>);
        std::iter::once(providers).chain(connectors).collect()
    }

    /// Starts all of them.
    pub(super) fn start(self) -> Result<Vec<Connector>, StartError> {
        self.parts.into_iter().map(Connector::start).collect()
    }
}

/// Who is asked for the records of a connector.
fn router(config: &ConnectorConfig, asked: Vec<Arc<Provider>>, shared: &Shared, providers: &Providers) -> Router {
    let Shared { runtime, clock, metrics, .. } = shared;
    let settings = RouterSettings {
        strategy: config.pipeline.strategy.unwrap_or(runtime.routing.strategy),
        budget: config.pipeline.budget,
        reference: runtime.routing.reference,
    };
    Router::new(asked, settings, Arc::clone(clock), providers.signal.clone(), metrics.router(&config.name))
}

/// What one connector is made of.
fn parts(
    config: ConnectorConfig,
    router: Arc<Router>,
    shared: &Shared,
    storage: &Storage,
    observer: Option<Arc<dyn Observer>>,
) -> Dependencies {
    let is_paid = asks_a_model(&config, &shared.runtime);
    let ConnectorConfig { name, pipeline, topics, .. } = config;
    let remembered = storage.journal.as_ref().map(|journal| {
        let config_hash = Arc::clone(&pipeline.config_hash);
        RememberedOutcomes::new(Arc::clone(journal), Arc::clone(&name), config_hash, is_paid, topics.deduplicate)
    });
    let pipeline = Pipeline::new(pipeline, router, Arc::clone(&storage.recall));
    let handler = RecordHandler::new(pipeline, topics.format, Arc::clone(&shared.clock), remembered);
    Dependencies {
        kafka: shared.runtime.kafka.clone(),
        topics,
        handler: Arc::new(handler),
        tasks: shared.tasks.clone(),
        metrics: shared.metrics.connector(&name),
        status: Arc::new(ConnectorStatus::new(Arc::clone(&name))),
        observer,
        name,
    }
}
