//! What was found by name, until the catalogue changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::DefinitionError;
use crate::domain::tenant::Tenant;
use crate::domain::version::Selector;
use crate::ports::catalog::{Catalog, Entry, MAX_NAME_CHARS, find_entry};
use crate::ports::repository::RepositoryError;

/// Memory for what is remembered: some hundreds of ordinary schemas.
const CAPACITY_BYTES: u64 = 32 << 20;
/// What an entry takes beside its document.
const FIXED_BYTES: u64 = 8 << 10;
/// What is made of each byte of a document, by measure of compiled schemas.
const BYTES_PER_DOCUMENT_BYTE: u64 = 32;
/// Entries of a usual process. It sizes the table, not its bound.
const USUAL_COUNT: usize = 256;

/// How long the store is waited for where an earlier answer is remembered: many times what a look-up takes.
const WAIT_IF_KNOWN: Duration = Duration::from_millis(250);

/// A tenant's path and a reference.
type Key = (Arc<str>, String);
/// What a reference means.
type Meant<T> = Result<Arc<T>, DefinitionError>;
/// What a look-up comes to, for all who wait for it.
type LookUp<T> = OnceCell<Meant<T>>;
/// Look-ups by what they look up and the generation that they began in.
type LookUps<T> = HashMap<(Key, u64), Weak<LookUp<T>>>;

/// Things of one kind, by tenant and reference.
pub(super) struct Remembered<T> {
    catalog: Option<Arc<dyn Catalog>>,
    compile: fn(&Entry) -> Result<T, String>,
    built_in: fn(&str) -> Option<Arc<T>>,
    found: Cache<Key, Found<T>, FoundBytes>,
    /// Those that are under way.
    look_ups: Mutex<LookUps<T>>,
    /// Grows with each change. What was found before is looked up anew, and kept where that is not possible.
    generation: AtomicU64,
    revision: Mutex<Option<u64>>,
}

/// What a reference meant at a generation; `Err` if nothing that can be used.
struct Found<T> {
    meant: Meant<T>,
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

impl<T> Weighter<Key, Found<T>> for FoundBytes {
    fn weight(&self, (tenant, reference): &Key, found: &Found<T>) -> u64 {
        FIXED_BYTES + (tenant.len() + reference.len()) as u64 + BYTES_PER_DOCUMENT_BYTE * found.document_len
    }
}

impl<T> Remembered<T> {
    pub(super) fn new(
        catalog: Option<Arc<dyn Catalog>>,
        compile: fn(&Entry) -> Result<T, String>,
        built_in: fn(&str) -> Option<Arc<T>>,
    ) -> Self {
        let found = Cache::with_weighter(USUAL_COUNT, CAPACITY_BYTES, FoundBytes);
        let (look_ups, generation, revision) = (Mutex::default(), AtomicU64::new(0), Mutex::new(None));
        Self { catalog, compile, built_in, found, look_ups, generation, revision }
    }

    pub(super) fn catalog(&self) -> Option<&dyn Catalog> {
        self.catalog.as_deref()
    }

    pub(super) async fn find(&self, tenant: &Tenant, reference: &str) -> Meant<T> {
        if self.catalog.is_none() {
            return self.built_in(reference);
        }
        // Nothing has such a name, so that it need not be looked up, nor take memory.
        if !is_legal(reference) {
            return Err(DefinitionError::NotFound);
        }
        let generation = self.generation.load(Ordering::Acquire);
        let key = (Arc::<str>::from(tenant.path()), reference.to_owned());
        let known = self.found.get(&key);
        if let Some(known) = known.as_ref().filter(|known| known.generation == generation) {
            return known.meant.clone();
        }
        let look_up = self.look_up_once(tenant, &key, generation);
        let Some(known) = known else { return look_up.await };
        match timeout(WAIT_IF_KNOWN, look_up).await {
            Ok(Err(DefinitionError::Unavailable(_))) | Err(_) => known.meant,
            Ok(meant) => meant,
        }
    }

    /// Looks a reference up. Those who ask for the same one at the same time wait for one of them.
    async fn look_up_once(&self, tenant: &Tenant, key: &Key, generation: u64) -> Meant<T> {
        let look_up = self.look_up_under_way(key, generation);
        look_up.get_or_init(|| self.look_up(tenant, key, generation)).await.clone()
    }

    /// The look-up of a reference that is under way, or a new one.
    fn look_up_under_way(&self, key: &Key, generation: u64) -> Arc<LookUp<T>> {
        let mut look_ups = self.look_ups.lock().unwrap_or_else(PoisonError::into_inner);
        // One that began before a change may have found what was there before.
        let key = (key.clone(), generation);
        if let Some(under_way) = look_ups.get(&key).and_then(Weak::upgrade) {
            return under_way;
        }
        let begun = Arc::new(LookUp::new());
        look_ups.retain(|_, look_up| look_up.strong_count() > 0);
        look_ups.insert(key, Arc::downgrade(&begun));
        begun
    }

    async fn look_up(&self, tenant: &Tenant, key: &Key, generation: u64) -> Meant<T> {
        let (_, reference) = key;
        let is_built_in = |name: &str| self.built_in(name).is_ok();
        let (meant, document_len) = match find_entry(self.catalog(), tenant, reference, is_built_in).await {
            Ok(Some(entry)) => (self.compiled(&entry), entry.document.len() as u64),
            Ok(None) => (self.built_in(reference), 0),
            Err(RepositoryError::NotFound) => (Err(DefinitionError::NotFound), 0),
            Err(error) => return Err(DefinitionError::Unavailable(error.to_string())),
        };
        self.found.insert(key.clone(), Found { meant: meant.clone(), document_len, generation });
        meant
    }

    fn compiled(&self, entry: &Entry) -> Meant<T> {
        (self.compile)(entry).map(Arc::new).map_err(|reason| {
            let (name, version) = (&*entry.name, entry.version.to_string());
            tracing::warn!(name, version, reason, "what is stored under a name cannot be used");
            DefinitionError::Unusable(reason)
        })
    }

    fn built_in(&self, reference: &str) -> Meant<T> {
        (self.built_in)(reference).ok_or(DefinitionError::NotFound)
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

/// Whether something can be stored under this name and version.
fn is_legal(reference: &str) -> bool {
    Selector::of_reference(reference).is_ok_and(|(name, _)| name.chars().count() <= MAX_NAME_CHARS)
}

#[cfg(test)]
mod tests;
