//! The composition root: settings → parts → a running [`App`]. The one place that names every part.
//!
//! - `providers`, `storage`, `cache`, [`audit`], `connectors`, `api`, `listeners`, `traces`: the builders of the parts;
//!   `connector_spec`: what a connector asks by name; [`connector_schema`]: its schema alone;
//! - `shared`: what all of them need; [`roles`]: which of them this process has; `watched_files`: what is read again when it
//!   changes;
//! - `health`: how they are doing together; `lifecycle`: what a running part is, and how the process ends;
//! - [`warm`]: requests that are answered for the shared cache alone; [`evaluation`]: events that are answered for an
//!   evaluation; [`asking_again`]: dead letters whose records are asked otherwise; [`connector_test`]: records of a
//!   connector's tests; [`plan`]: what records would come to; `one_connector`, `event_record`: what evaluations, tests
//!   and plans work with;
//! - [`errors`]: why it cannot start.

mod api;
pub mod asking_again;
pub mod audit;
mod cache;
pub mod connector_schema;
mod connector_spec;
pub mod connector_test;
mod connectors;
pub mod errors;
pub mod evaluation;
mod event_record;
mod health;
mod lifecycle;
mod listeners;
mod one_connector;
pub mod plan;
mod providers;
pub mod roles;
mod shared;
mod storage;
mod traces;
pub mod warm;
mod watched_files;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use self::connectors::{Builder, limit_in_flight};
use self::errors::AppError;
use self::health::AllHealth;
pub use self::lifecycle::LONGEST_AFTER_GRACE;
use self::lifecycle::Running;
use self::listeners::Listeners;
use self::providers::Providers;
use self::roles::Role;
use self::shared::Shared;
use self::storage::Storage;
use self::watched_files::WatchedFiles;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::delivery::outcome::Observer;
use crate::domain::health::Component;
use crate::open_files::OpenFiles;
use crate::pipeline::caller::Caller;
use crate::pipeline::engine::Engine;
use crate::pipeline::gate::Gate;
use crate::pipeline::spec::Spec;
use crate::ports::health::Health;
use crate::telemetry::metrics::{Metrics, TextFormat};

/// The running process.
pub struct App {
    running: Running,
    http_address: SocketAddr,
    asked: Vec<(Arc<Spec>, Arc<Caller>)>,
    health: Arc<dyn Health>,
    metrics: Arc<Metrics>,
}

impl App {
    /// Builds every part that these roles need, and starts them. What is missing outside (brokers, topics, providers) is
    /// waited for later.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work.
    pub async fn start(
        roles: &[Role],
        runtime: RuntimeConfig,
        mut configs: Vec<ConnectorConfig>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self, AppError> {
        if !roles.contains(&Role::Connectors) {
            configs.clear();
        }
        let serves_api = roles.contains(&Role::Api);
        let mut shared = Shared::new(runtime);
        let trace_export = traces::open(&mut shared)?;
        let storage = Storage::open(&shared).await?;
        let consumers = configs.iter().map(|config| config.topics.consumers).sum();
        let files = OpenFiles::raise(consumers, shared.runtime.http.max_connections);
        let files_health: Arc<dyn Health> = Arc::new(limit_in_flight(&mut configs, &shared.runtime, files));
        let providers = Providers::build(&shared, &configs, files)?;
        let engine = Arc::new(Engine::new(storage.cache.recall(), shared.tasks.clone()));
        let builder = Builder { shared: &shared, engine: &engine, providers: &providers, storage: &storage };
        let mut connectors = builder.connectors(configs, observer.as_ref()).await?;

        // Bound before anything consumes: a taken address must not cost a rebalance.
        let listeners = Listeners::bind(&shared.runtime.http, files, serves_api).await?;
        let watched = WatchedFiles::of(&shared.runtime, listeners.watched());
        let parts = storage.health.iter().cloned().chain(connectors.health()).chain(listeners.health());
        let parts = parts.chain(watched.health());
        let health: Arc<dyn Health> = Arc::new(AllHealth(parts.chain([files_health]).collect()));
        let api =
            api::Builder { shared: &shared, engine: &engine, providers: &providers, storage: &storage, serves_api };
        let api = api.build(Arc::clone(&health))?;
        let http_address = listeners.address;
        let [admin, redirect] =
            [listeners.admin_address, listeners.redirect_address].map(|address| address.map(tracing::field::display));
        let tls = listeners.are_encrypted();
        let asked = connectors.asked.clone();
        let following = connectors.follow(&shared, &storage.definitions);
        let members = connectors.start()?;
        let journal = storage.journal.is_some();
        let connectors = asked.len();
        tracing::info!(http = %http_address, tls, admin, redirect, api = serves_api, connectors, journal, "started");
        let open_requests = api.open_requests(&shared.tasks);
        let following =
            following.into_iter().chain(providers.follow_keys(&shared)).chain([watched.watch(&shared.tasks)]);
        let services = api.serve(listeners, &shared.tasks).into_iter().chain(storage.services).chain(following);
        let services = services.chain(trace_export);
        let running = Running::new(members, services, shared.tasks);
        let running = running.with_intake(open_requests).with_intake(storage.audit_counts);
        Ok(Self { running, http_address, asked, health, metrics: shared.metrics })
    }

    /// Where HTTP listens.
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// Whether anybody may be asked for each connector, in the order in which the connectors were given.
    pub fn gates(&self) -> impl Iterator<Item = Gate<'_>> {
        self.asked.iter().map(|(spec, caller)| Gate::new(spec, caller))
    }

    /// How every part is doing, as `GET /v1/health` shows it.
    pub fn components(&self) -> Vec<Component> {
        self.health.components()
    }

    /// All metrics, as `GET /v1/metrics` shows them to Prometheus.
    ///
    /// # Errors
    /// Never in practice: the text is written to memory.
    pub fn metrics(&self) -> Result<String, std::fmt::Error> {
        self.metrics.encode(TextFormat::OpenMetrics)
    }

    /// Returns when a part that should run for ever has ended, with its name and why.
    pub async fn failed(&mut self) -> String {
        self.running.failed().await
    }

    /// Stops: takes nothing in, lets what is under way finish for at most `grace`, commits, leaves the groups. HTTP
    /// answers until the end. True if all connectors stopped by themselves in time.
    pub async fn drain(self, grace: Duration) -> bool {
        self.running.drain(grace).await
    }
}
