//! What is remembered: answers in the cache, and the journal of paid outcomes.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::audit::Audit;
use super::cache::Cache;
use super::errors::AppError;
use super::lifecycle::Service;
use super::shared::Shared;
use crate::config::runtime::RuntimeConfig;
use crate::pipeline::definitions::Definitions;
use crate::ports::audit::AuditLog;
use crate::ports::health::Health;
use crate::ports::journal::{Journal, MemoryJournal};
use crate::store::catalog::StoredCatalog;
use crate::store::database::Database;
use crate::store::database::migrations::Readiness;
use crate::store::database_health::DatabaseHealth;
use crate::store::journal::{self, SharedJournal};
use crate::store::repositories::{self, Repositories, RepositoryTasks, Retention};
use crate::store::selected::SelectedStore;
use crate::store::settings::StoreUrl;

/// What all connectors share of memory.
pub(super) struct Storage {
    /// Answers to questions that were asked before.
    pub(super) cache: Cache,
    /// Outcomes that outlive the process, if there is a store.
    pub(super) journal: Option<Arc<dyn Journal>>,
    /// What the API keeps, if the store is a database.
    pub(super) repositories: Option<Repositories>,
    /// Takes security events down.
    pub(super) audit: Arc<dyn AuditLog>,
    /// Records how many came at once, when their minute is over or the process stops.
    pub(super) audit_counts: Service,
    /// Schemas and templates by name.
    pub(super) definitions: Arc<Definitions>,
    /// How the cache and the store are doing.
    pub(super) health: Vec<Arc<dyn Health>>,
    /// The tasks that look after them.
    pub(super) services: Vec<Service>,
}

impl Storage {
    /// Opens it. A database that is away is waited for afterwards.
    ///
    /// # Errors
    /// [`AppError::Store`] for a database with tables of another version, [`AppError::Audit`].
    pub(super) async fn open(shared: &Shared) -> Result<Self, AppError> {
        let mut cache = Cache::open(shared);
        let (mut health, mut services) = (cache.health(), std::mem::take(&mut cache.services));
        let store = &shared.runtime.store;
        let mut repositories = None;
        let journal: Option<Arc<dyn Journal>> = match &store.url {
            StoreUrl::Off => None,
            StoreUrl::Memory => Some(Arc::new(MemoryJournal::default())),
            StoreUrl::Durable(location) => {
                let selected = SelectedStore::at(location);
                check(&selected).await?;
                if let SelectedStore::Database(database) = &selected {
                    let (stored, tasks) = open_repositories(database, shared);
                    repositories = Some(stored);
                    services.extend(tasks);
                    let (answers, watch) = watch(database, shared);
                    health.push(answers);
                    services.push(watch);
                }
                let stop = CancellationToken::new();
                let deps = journal::Dependencies {
                    clock: Arc::clone(&shared.clock),
                    tasks: shared.tasks.clone(),
                    metrics: shared.metrics.journal(),
                    stop: stop.clone(),
                };
                let (journal, task) = SharedJournal::open(&selected, store.retention, deps);
                services.push(Service::new("store worker", task, stop, Ok));
                let journal = Arc::new(journal);
                health.push(Arc::clone(&journal) as Arc<dyn Health>);
                Some(journal)
            }
        };
        let audit_table = repositories.as_ref().map(|stored| Arc::clone(&stored.audit_log));
        let Audit { log: audit, counts: audit_counts, streams } = Audit::open(shared, audit_table)?;
        services.extend(streams);
        let definitions = definitions(repositories.as_ref());
        if repositories.is_some() {
            let stop = CancellationToken::new();
            let watch = Arc::clone(&definitions).watch(stop.clone());
            services.push(Service::new("watch of schemas and templates", shared.tasks.service(watch), stop, Ok));
        }
        Ok(Self { cache, journal, repositories, audit, audit_counts, definitions, health, services })
    }
}

/// Schemas and templates by name, of a process that needs nothing else of its database.
///
/// # Errors
/// [`AppError::Store`] for a database with tables of another version.
pub(super) async fn definitions_alone(shared: &Shared) -> Result<Arc<Definitions>, AppError> {
    let StoreUrl::Durable(location) = &shared.runtime.store.url else { return Ok(definitions(None)) };
    let selected = SelectedStore::at(location);
    check(&selected).await?;
    let SelectedStore::Database(database) = selected else { return Ok(definitions(None)) };
    let clock = || Arc::clone(&shared.clock);
    let (schemas, templates) =
        (StoredCatalog::schemas(database.clone(), clock()), StoredCatalog::templates(database, clock()));
    Ok(Arc::new(Definitions::new(Some(Arc::new(schemas)), Some(Arc::new(templates)))))
}

/// Schemas and templates by name.
fn definitions(stored: Option<&Repositories>) -> Arc<Definitions> {
    let schemas = stored.map(|stored| Arc::clone(&stored.schemas));
    Arc::new(Definitions::new(schemas, stored.map(|stored| Arc::clone(&stored.templates))))
}

/// What the API keeps in a database, and the tasks behind it.
fn open_repositories(database: &Database, shared: &Shared) -> (Repositories, [Service; 3]) {
    let stop = CancellationToken::new();
    let deps = repositories::Dependencies {
        clock: Arc::clone(&shared.clock),
        tasks: &shared.tasks,
        metrics: &shared.metrics,
        stop: stop.clone(),
    };
    let RuntimeConfig { request_log, audit, .. } = &shared.runtime;
    let retention = Retention { request_log: request_log.retention, audit_log: audit.retention };
    let (stored, tasks) = Repositories::stored(database, retention, deps);
    let RepositoryTasks { request_log, audit_log, sweep } = tasks;
    let service = |name, task| Service::new(name, task, stop.clone(), Ok);
    (stored, [service("request log", request_log), service("audit log", audit_log), service("store sweep", sweep)])
}

/// Whether the database answers, and the task that asks it.
fn watch(database: &Database, shared: &Shared) -> (Arc<dyn Health>, Service) {
    let (health, stop) = (Arc::new(DatabaseHealth::new(database.clone())), CancellationToken::new());
    let task = shared.tasks.service(Arc::clone(&health).watch(stop.clone()));
    (health, Service::new("database watch", task, stop, Ok))
}

/// Refuses a database with tables of another version.
async fn check(store: &SelectedStore) -> Result<(), AppError> {
    let SelectedStore::Database(database) = store else { return Ok(()) };
    match database.readiness().await {
        Ok(Readiness::Refused(why)) => Err(AppError::Store(why)),
        Ok(Readiness::Ready) | Err(_) => Ok(()),
    }
}
