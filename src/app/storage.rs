//! What is remembered: answers in memory, and the journal of paid outcomes.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::lifecycle::Service;
use super::shared::Shared;
use crate::cache::memory::MemoryAnswers;
use crate::pipeline::recall::Recall;
use crate::ports::answers::Answers;
use crate::ports::health::Health;
use crate::ports::journal::{Journal, MemoryJournal};
use crate::store::journal::{self, SharedJournal};
use crate::store::selected::SelectedStore;
use crate::store::settings::StoreUrl;

/// What all connectors share of memory.
pub(super) struct Storage {
    /// Answers to questions that were asked before.
    answers: Arc<dyn Answers>,
    folds_case: bool,
    /// Outcomes that outlive the process, if there is a store.
    pub(super) journal: Option<Arc<dyn Journal>>,
    /// How the cache and the store are doing.
    pub(super) health: Vec<Arc<dyn Health>>,
    /// The tasks that look after them.
    pub(super) services: Vec<Service>,
}

impl Storage {
    /// Opens it. A database that is away is waited for afterwards.
    pub(super) fn open(shared: &Shared) -> Self {
        let metrics = shared.metrics.cache();
        let answers = MemoryAnswers::new(shared.runtime.cache.memory_bytes, Arc::clone(&shared.clock), metrics);
        let answers = Arc::new(answers);
        let mut health = vec![Arc::clone(&answers) as Arc<dyn Health>];
        let stop = CancellationToken::new();
        let sweep = shared.tasks.service(Arc::clone(&answers).sweep(stop.clone()));
        let mut services = vec![Service::new("cache sweep", sweep, stop, Ok)];
        let store = &shared.runtime.store;
        let journal: Option<Arc<dyn Journal>> = match &store.url {
            StoreUrl::Off => None,
            StoreUrl::Memory => Some(Arc::new(MemoryJournal::default())),
            StoreUrl::Durable(location) => {
                let stop = CancellationToken::new();
                let deps = journal::Dependencies {
                    clock: Arc::clone(&shared.clock),
                    tasks: shared.tasks.clone(),
                    metrics: shared.metrics.journal(),
                    stop: stop.clone(),
                };
                let (journal, task) = SharedJournal::open(&SelectedStore::at(location), store.retention, deps);
                services.push(Service::new("store worker", task, stop, Ok));
                let journal = Arc::new(journal);
                health.push(Arc::clone(&journal) as Arc<dyn Health>);
                Some(journal)
            }
        };
        Self { answers, folds_case: shared.runtime.cache.fold_case, journal, health, services }
    }

    /// What requests look remembered answers up in.
    pub(super) fn recall(&self) -> Recall {
        Recall::new(Arc::clone(&self.answers)).with_folded_case(self.folds_case)
    }
}
