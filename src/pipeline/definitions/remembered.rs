//! What was found by name, until the catalogue changes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::DefinitionError;
use crate::domain::tenant::Tenant;
use crate::ports::catalog::{Catalog, Entry, find_entry};
use crate::ports::repository::RepositoryError;

/// Memory for what is remembered: some hundreds of ordinary schemas.
const CAPACITY_BYTES: u64 = 32 << 20;
/// What an entry takes beside its document.
const FIXED_BYTES: u64 = 8 << 10;
/// What is made of each byte of a document, by measure of compiled schemas.
const BYTES_PER_DOCUMENT_BYTE: u64 = 32;
/// Entries of a usual process. It sizes the table, not its bound.
const USUAL_COUNT: usize = 256;

/// Things of one kind, by tenant and reference.
pub(super) struct Remembered<T> {
    catalog: Option<Arc<dyn Catalog>>,
    compile: fn(&Entry) -> Result<T, String>,
    built_in: fn(&str) -> Option<Arc<T>>,
    found: Cache<(Arc<str>, String), Found<T>, FoundBytes>,
    /// Grows with each change. What was found before is looked up anew, and kept where that is not possible.
    generation: AtomicU64,
    revision: Mutex<Option<u64>>,
}

/// What a reference meant at a generation; `Err` if nothing that can be used.
struct Found<T> {
    meant: Result<Arc<T>, DefinitionError>,
    document_len: u64,
    generation: u64,
}

impl<T> Clone for Found<T> {
    fn clone(&self) -> Self {
        Self { meant: self.meant.clone(), document_len: self.document_len, generation: self.generation }
    }
}

#[derive(Debug, Clone)]
struct FoundBytes;

impl<T> Weighter<(Arc<str>, String), Found<T>> for FoundBytes {
    fn weight(&self, _reference: &(Arc<str>, String), found: &Found<T>) -> u64 {
        FIXED_BYTES + BYTES_PER_DOCUMENT_BYTE * found.document_len
    }
}

impl<T> Remembered<T> {
    pub(super) fn new(
        catalog: Option<Arc<dyn Catalog>>,
        compile: fn(&Entry) -> Result<T, String>,
        built_in: fn(&str) -> Option<Arc<T>>,
    ) -> Self {
        let found = Cache::with_weighter(USUAL_COUNT, CAPACITY_BYTES, FoundBytes);
        Self { catalog, compile, built_in, found, generation: AtomicU64::new(0), revision: Mutex::new(None) }
    }

    pub(super) fn catalog(&self) -> Option<&dyn Catalog> {
        self.catalog.as_deref()
    }

    pub(super) async fn find(&self, tenant: &Tenant, reference: &str) -> Result<Arc<T>, DefinitionError> {
        let built_in = || (self.built_in)(reference).ok_or(DefinitionError::NotFound);
        if self.catalog.is_none() {
            return built_in();
        }
        let generation = self.generation.load(Ordering::Acquire);
        let key = (Arc::<str>::from(tenant.path()), reference.to_owned());
        let known = self.found.get(&key);
        if let Some(known) = known.as_ref().filter(|known| known.generation == generation) {
            return known.meant.clone();
        }
        let (meant, document_len) =
            match find_entry(self.catalog(), tenant, reference, |name| (self.built_in)(name).is_some()).await {
                Ok(Some(entry)) => {
                    let compiled = (self.compile)(&entry).map(Arc::new);
                    if let Err(reason) = &compiled {
                        let (name, version) = (&*entry.name, entry.version.to_string());
                        tracing::warn!(name, version, reason, "what is stored under a name cannot be used");
                    }
                    (compiled.map_err(DefinitionError::Unusable), entry.document.len() as u64)
                }
                Ok(None) => (built_in(), 0),
                Err(RepositoryError::NotFound) => (Err(DefinitionError::NotFound), 0),
                Err(error) => {
                    return known
                        .map_or_else(|| Err(DefinitionError::Unavailable(error.to_string())), |known| known.meant);
                }
            };
        self.found.insert(key, Found { meant: meant.clone(), document_len, generation });
        meant
    }

    pub(super) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) async fn look_for_changes(&self) {
        let Some(catalog) = &self.catalog else { return };
        // What cannot be found out now is asked again; meanwhile what is remembered holds.
        let Ok(now) = catalog.revision().await else { return };
        let before = self.revision.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        if before != Some(now) {
            self.forget();
        }
    }
}
