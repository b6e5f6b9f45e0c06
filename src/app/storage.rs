//! What is remembered: answers in the cache, and the journal of paid outcomes.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::cache::Cache;
use super::errors::AppError;
use super::lifecycle::Service;
use super::shared::Shared;
use crate::ports::health::Health;
use crate::ports::idempotency::Idempotency;
use crate::ports::journal::{Journal, MemoryJournal};
use crate::ports::keys::Keys;
use crate::store::api_keys::StoredKeys;
use crate::store::database::migrations::Readiness;
use crate::store::idempotency::StoredIdempotency;
use crate::store::journal::{self, SharedJournal};
use crate::store::selected::SelectedStore;
use crate::store::settings::StoreUrl;

/// What all connectors share of memory.
pub(super) struct Storage {
    /// Answers to questions that were asked before.
    pub(super) cache: Cache,
    /// Outcomes that outlive the process, if there is a store.
    pub(super) journal: Option<Arc<dyn Journal>>,
    /// Keys of the API, if the store keeps them.
    pub(super) keys: Option<Arc<dyn Keys>>,
    /// Requests of the API that are answered once, if the store keeps them.
    pub(super) idempotency: Option<Arc<dyn Idempotency>>,
    /// How the cache and the store are doing.
    pub(super) health: Vec<Arc<dyn Health>>,
    /// The tasks that look after them.
    pub(super) services: Vec<Service>,
}

impl Storage {
    /// Opens it. A database that is away is waited for afterwards.
    ///
    /// # Errors
    /// [`AppError::Store`] for a database with tables of another version.
    pub(super) async fn open(shared: &Shared) -> Result<Self, AppError> {
        let mut cache = Cache::open(shared);
        let (mut health, mut services) = (cache.health(), std::mem::take(&mut cache.services));
        let store = &shared.runtime.store;
        let (mut keys, mut idempotency) = (None, None);
        let journal: Option<Arc<dyn Journal>> = match &store.url {
            StoreUrl::Off => None,
            StoreUrl::Memory => Some(Arc::new(MemoryJournal::default())),
            StoreUrl::Durable(location) => {
                let selected = SelectedStore::at(location);
                check(&selected).await?;
                if let SelectedStore::Database(database) = &selected {
                    let clock = &shared.clock;
                    keys = Some(Arc::new(StoredKeys::new(database.clone(), Arc::clone(clock))) as Arc<dyn Keys>);
                    let requests = Arc::new(StoredIdempotency::new(database.clone(), Arc::clone(clock)));
                    idempotency = Some(Arc::clone(&requests) as Arc<dyn Idempotency>);
                    let stop = CancellationToken::new();
                    let sweep = shared.tasks.service(requests.sweep(stop.clone()));
                    services.push(Service::new("idempotency sweep", sweep, stop, Ok));
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
        Ok(Self { cache, journal, keys, idempotency, health, services })
    }
}

/// Refuses a database with tables of another version.
async fn check(store: &SelectedStore) -> Result<(), AppError> {
    let SelectedStore::Database(database) = store else { return Ok(()) };
    match database.readiness().await {
        Ok(Readiness::Refused(why)) => Err(AppError::Store(why)),
        Ok(Readiness::Ready) | Err(_) => Ok(()),
    }
}
