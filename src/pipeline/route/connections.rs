//! How many calls may be under way at all providers of the process together: each holds a connection, and files are
//! limited.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for calls, shared by providers.
#[derive(Debug, Clone)]
pub struct Connections {
    places: Arc<Semaphore>,
    door: Arc<Mutex<()>>,
}

impl Connections {
    /// So many at once.
    pub fn at_most(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))), door: Arc::default() }
    }

    /// Held by who enters until it is certain that it stays.
    pub(super) fn door(&self) -> MutexGuard<'_, ()> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, if there is one now.
    pub(super) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}
