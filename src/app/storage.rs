//! What is remembered: answers in memory, and the journal of paid outcomes.

use std::sync::Arc;

use super::shared::Shared;
use crate::cache::memory::MemoryAnswers;
use crate::pipeline::recall::Recall;
use crate::ports::answers::Answers;
use crate::ports::health::Health;
use crate::ports::journal::{Journal, MemoryJournal};
use crate::store::journal::{self, SharedJournal};
use crate::store::settings::StoreUrl;

/// What all connectors share of memory.
pub(super) struct Storage {
    /// Answers to questions that were asked before.
    pub(super) recall: Arc<Recall>,
    /// Outcomes that outlive the process, if there is a store.
    pub(super) journal: Option<Arc<dyn Journal>>,
    /// How the cache and the store are doing.
    pub(super) health: Vec<Arc<dyn Health>>,
}

impl Storage {
    /// Opens it. A database that is away is waited for afterwards.
    pub(super) fn open(shared: &Shared) -> Self {
        let answers = Arc::new(MemoryAnswers::new(shared.runtime.cache.memory_bytes, Arc::clone(&shared.clock)));
        let recall = Arc::new(Recall::new(Arc::clone(&answers) as Arc<dyn Answers>));
        let mut health = vec![answers as Arc<dyn Health>];
        let store = &shared.runtime.store;
        let journal: Option<Arc<dyn Journal>> = match &store.url {
            StoreUrl::Off => None,
            StoreUrl::Memory => Some(Arc::new(MemoryJournal::default())),
            StoreUrl::Durable(location) => {
                let parts = journal::Parts {
                    clock: Arc::clone(&shared.clock),
                    tasks: shared.tasks.clone(),
                    metrics: shared.metrics.journal(),
                };
                let journal = Arc::new(SharedJournal::open(location, store.retention, parts));
                health.push(Arc::clone(&journal) as Arc<dyn Health>);
                Some(journal)
            }
        };
        Self { recall, journal, health }
    }
}
