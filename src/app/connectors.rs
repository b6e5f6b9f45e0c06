//! The Kafka connectors: for each a specification, a caller and a record handler.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::connector_spec::{Followed, NamedSpec, follow};
use super::errors::AppError;
use super::health::ProviderHealth;
use super::lifecycle::Service;
use super::providers::{Providers, asks_a_model};
use super::shared::Shared;
use super::storage::Storage;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::delivery::outcome::Observer;
use crate::delivery::remembered::RememberedOutcomes;
use crate::domain::tenant::Tenant;
use crate::kafka::dependencies::Dependencies;
use crate::kafka::handler::{HandlerSettings, RecordHandler};
use crate::kafka::health::ConnectorHealth;
use crate::kafka::member::{Member, StartError};
use crate::kafka::status::MemberStatus;
use crate::open_files::{OpenFiles, OpenFilesHealth};
use crate::pipeline::budget::Budget;
use crate::pipeline::caller::Caller;
use crate::pipeline::definitions::Definitions;
use crate::pipeline::engine::Engine;
use crate::pipeline::route::provider::Provider;
use crate::pipeline::route::router::Router;
use crate::pipeline::route::settings::Strategy;
use crate::pipeline::spec::Spec;
use crate::ports::health::Health;

/// Connectors that are ready to start.
#[derive(Default)]
pub(super) struct Connectors {
    /// The members of all their groups.
    members: Vec<Dependencies>,
    health: Vec<Arc<dyn Health>>,
    /// What each connector asks, and on whose behalf, in the order of the connectors.
    pub(super) asked: Vec<(Arc<Spec>, Arc<Caller>)>,
    /// The providers that any of them asks, and those that requests over HTTP go to, by name.
    providers: BTreeMap<Arc<str>, Arc<Provider>>,
    /// Those that take new versions of what they name.
    followed: Vec<Followed>,
}

/// Lets no connector ask more at once than the limit of open files leaves: more records would only wait for a
/// connection, and a process that stops would wait for them.
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

/// What a connector asks, by name, and of whom.
///
/// # Errors
/// It names a provider that is not usable here.
pub(super) fn named_spec(
    config: &ConnectorConfig,
    runtime: &RuntimeConfig,
    providers: &Providers,
) -> Result<NamedSpec, AppError> {
    let (asked, second) = (providers.asked_by(config, runtime)?, providers.second_of(config)?);
    let strategy = config.strategy.unwrap_or(runtime.routing.strategy);
    let signal = providers.signal.clone();
    let of_second = signal.clone();
    let named = NamedSpec::of(config, move || Router::new(asked.clone(), strategy, signal.clone()));
    Ok(match (second, &config.agreement) {
        (Some(second), Some(agreement)) => {
            let router = move || Router::new(vec![Arc::clone(&second)], Strategy::Priority, of_second.clone());
            named.compared_with(router, agreement.settings)
        }
        _ => named,
    })
}

/// What connectors are built from.
pub(super) struct Builder<'a> {
    pub(super) shared: &'a Shared,
    pub(super) engine: &'a Arc<Engine>,
    pub(super) providers: &'a Providers,
    pub(super) storage: &'a Storage,
}

impl Builder<'_> {
    /// Builds what each connector is made of.
    pub(super) async fn connectors(
        &self,
        configs: Vec<ConnectorConfig>,
        observer: Option<&Arc<dyn Observer>>,
    ) -> Result<Connectors, AppError> {
        let mut connectors = Connectors::default();
        for config in configs {
            let providers = self.providers.asked_by(&config, &self.shared.runtime)?;
            connectors.providers.extend(providers.iter().map(|one| (Arc::clone(one.name()), Arc::clone(one))));
            let second = self.providers.second_of(&config)?;
            connectors.providers.extend(second.iter().map(|one| (Arc::clone(one.name()), Arc::clone(one))));
            let named = named_spec(&config, &self.shared.runtime, self.providers)?;
            let caller = self.caller(&config);
            let parts = named.first(&config, &self.storage.definitions).await?;
            let spec = named.spec(&parts);
            connectors.asked.push((Arc::clone(&spec), Arc::clone(&caller)));
            let dependencies = self.dependencies(config, spec, caller, observer.cloned());
            if named.has_names() && self.storage.repositories.is_some() {
                let handler = Arc::clone(&dependencies.handler);
                connectors.followed.push(Followed { spec: named, handler, parts });
            }
            let members = dependencies.for_consumers();
            let statuses = members.iter().map(|member| Arc::clone(&member.status));
            connectors.health.push(Arc::new(ConnectorHealth::new(statuses.collect())));
            connectors.members.extend(members);
        }
        // Without any, the API says so when it is built.
        let of_clients = self.providers.asked_by_clients(&self.shared.runtime.routing);
        let of_clients = of_clients.into_iter().flat_map(|asked| asked.fallback);
        connectors.providers.extend(of_clients.map(|one| (Arc::clone(one.name()), one)));
        Ok(connectors)
    }

    /// What takes the records of one connector through the engine, for a command that has records from elsewhere.
    pub(super) async fn handler(&self, config: ConnectorConfig) -> Result<Arc<RecordHandler>, AppError> {
        let named = named_spec(&config, &self.shared.runtime, self.providers)?;
        let parts = named.first(&config, &self.storage.definitions).await?;
        let (spec, caller) = (named.spec(&parts), self.caller(&config));
        Ok(self.dependencies(config, spec, caller, None).handler)
    }

    fn caller(&self, config: &ConnectorConfig) -> Arc<Caller> {
        let Shared { clock, metrics, .. } = self.shared;
        let of_caller = metrics.caller(&config.name);
        let budget = config.budget.map(|settings| Arc::new(Budget::new(settings, Arc::clone(clock))));
        if let Some(budget) = &budget {
            budget.show(metrics, of_caller.clone());
        }
        Arc::new(Caller::new(Tenant::default(), budget, of_caller))
    }

    /// What one connector works with.
    fn dependencies(
        &self,
        config: ConnectorConfig,
        spec: Arc<Spec>,
        caller: Arc<Caller>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Dependencies {
        let Shared { runtime, clock, metrics, tasks, tracer } = self.shared;
        let is_paid = asks_a_model(&config, runtime);
        let ConnectorConfig { name, topics, config_hash, .. } = config;
        let remembered = self.storage.journal.as_ref().map(|journal| {
            let (journal, name, config_hash) = (Arc::clone(journal), Arc::clone(&name), Arc::clone(&config_hash));
            RememberedOutcomes::new(journal, name, config_hash, is_paid, topics.deduplicate)
        });
        let (connector, format, reference) = (Arc::clone(&name), topics.format, runtime.routing.reference);
        let has_review = topics.review_topic.is_some();
        let settings = HandlerSettings { connector, config_hash, format, has_review, reference };
        let (engine, clock) = (Arc::clone(self.engine), Arc::clone(clock));
        let handler = RecordHandler::new(settings, engine, spec, caller, clock, remembered)
            .with_forms(topics.reading.clone(), topics.results.clone())
            .with_audit(Arc::clone(&self.storage.audit))
            .with_field_metrics(metrics.fields(&name))
            .with_tracer(tracer.clone());
        Dependencies {
            kafka: runtime.kafka.clone(),
            topics,
            consumer: 0,
            handler: Arc::new(handler),
            tasks: tasks.clone(),
            metrics: metrics.connector(&name),
            status: Arc::new(MemberStatus::new(Arc::clone(&name))),
            observer,
            name,
        }
    }
}

impl Connectors {
    /// How the connectors and the providers that they ask are doing.
    pub(super) fn health(&self) -> Vec<Arc<dyn Health>> {
        let providers: Arc<dyn Health> = Arc::new(ProviderHealth(self.providers.values().cloned().collect()));
        std::iter::once(providers).chain(self.health.iter().cloned()).collect()
    }

    /// Lets those that name something take new versions of it.
    pub(super) fn follow(&mut self, shared: &Shared, definitions: &Arc<Definitions>) -> Option<Service> {
        let followed = std::mem::take(&mut self.followed);
        if followed.is_empty() {
            return None;
        }
        let stop = CancellationToken::new();
        let work = follow(followed, Arc::clone(definitions), stop.clone());
        Some(Service::new("connectors' schemas and templates", shared.tasks.service(work), stop, Ok))
    }

    /// Starts the threads of all of them.
    pub(super) fn start(self) -> Result<Vec<Member>, StartError> {
        Member::start_all(self.members)
    }
}
