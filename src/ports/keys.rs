//! API keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::ready;

use super::clock::Clock;
use super::repository::{Memory, RepositoryError, RepositoryFuture};
use crate::domain::api_key::{ApiKey, KeyEntry, KeyId};
use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::tenant::{Scope, Tenant};

/// What a new key is to be.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose requests are made with it.
    pub tenant: Tenant,
    /// What its owner calls it.
    pub name: String,
    /// Requests that may be made with it in an hour.
    pub rate_limit: u32,
    /// When it ends by itself, since the Unix epoch.
    pub expires_at: Option<Duration>,
}

/// What is to be changed of a key. What is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct KeyChange {
    /// What its owner calls it.
    pub name: Option<String>,
    /// Requests that may be made with it in an hour.
    pub rate_limit: Option<u32>,
    /// When it ends by itself; `Some(None)` is never.
    pub expires_at: Option<Option<Duration>>,
    /// When it was changed last when its changer looked; `None` if that does not matter.
    pub after: Option<Duration>,
}

/// A key that opens nothing any more.
#[derive(Debug, Clone)]
pub struct Revoked {
    /// The key.
    pub entry: KeyEntry,
    /// Whether it was not revoked before. Otherwise nothing was changed.
    pub is_new: bool,
}

/// Where keys are kept. Administrators see those of a [`Scope`].
pub trait Keys: Send + Sync {
    /// Makes a key. This is the only time that anybody sees it.
    fn create(&self, key: NewKey) -> RepositoryFuture<'_, (ApiKey, KeyEntry)>;
    /// Lists keys, also those that are revoked or have expired.
    fn list<'a>(&'a self, scope: &'a Scope, page: PageRequest) -> RepositoryFuture<'a, Page<KeyEntry>>;
    /// The key of this id.
    fn get<'a>(&'a self, scope: &'a Scope, id: &'a KeyId) -> RepositoryFuture<'a, KeyEntry>;
    /// Changes a key. A conflict if it was changed since [`KeyChange::after`].
    fn change<'a>(&'a self, scope: &'a Scope, id: &'a KeyId, change: KeyChange) -> RepositoryFuture<'a, KeyEntry>;
    /// Revokes a key, for good. One that is revoked stays as it is.
    fn revoke<'a>(&'a self, scope: &'a Scope, id: &'a KeyId) -> RepositoryFuture<'a, Revoked>;
    /// The entry of a key that somebody presents. Whose it is, is what the entry tells: there is no tenant to ask for.
    fn find<'a>(&'a self, id: &'a KeyId) -> RepositoryFuture<'a, Option<KeyEntry>>;
    /// A number that grows with each change or revocation of any key, by any process. It is cheap to ask for: whoever
    /// remembers entries asks often, and forgets them when it has grown.
    fn revision(&self) -> RepositoryFuture<'_, u64>;
}

/// Keys in memory, which end with the process.
pub struct MemoryKeys {
    clock: Arc<dyn Clock>,
    memory: Memory<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: BTreeMap<KeyId, KeyEntry>,
    made: u64,
    revision: u64,
}

impl MemoryKeys {
    /// No keys.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, memory: Memory::default() }
    }

    /// From now on every call fails for this reason, or none does.
    pub fn set_away(&self, why: Option<&str>) {
        self.memory.set_away(why);
    }

    fn made(&self, new: NewKey) -> Result<(ApiKey, KeyEntry), RepositoryError> {
        let mut state = self.memory.state()?;
        state.made += 1;
        // Keys of a test need not be secret, but each is another one.
        let mut bytes = [0; ApiKey::RANDOM_BYTES];
        bytes[..8].copy_from_slice(&state.made.to_be_bytes());
        let key = ApiKey::new(bytes);
        let NewKey { tenant, name, rate_limit, expires_at } = new;
        let (id, hash, created_at) = (key.id().clone(), key.hash(), self.clock.now());
        let entry = KeyEntry {
            id: id.clone(),
            tenant,
            name,
            rate_limit,
            created_at,
            updated_at: created_at,
            expires_at,
            revoked_at: None,
            hash,
        };
        state.keys.insert(id, entry.clone());
        Ok((key, entry))
    }

    fn listed(&self, scope: &Scope, page: &PageRequest) -> Result<Page<KeyEntry>, RepositoryError> {
        let place = |entry: &KeyEntry| Cursor { created_at: entry.created_at, id: entry.id.to_string() };
        let state = self.memory.state()?;
        let mut found: Vec<_> = state.keys.values().filter(|entry| scope.includes(&entry.tenant)).cloned().collect();
        found.sort_by_key(|entry| std::cmp::Reverse(place(entry)));
        found.retain(|entry| page.after.as_ref().is_none_or(|after| place(entry) < *after));
        Ok(Page::cut(found, page.limit, place))
    }

    fn changed(&self, scope: &Scope, id: &KeyId, change: KeyChange) -> Result<KeyEntry, RepositoryError> {
        let KeyChange { name, rate_limit, expires_at, after } = change;
        let mut state = self.memory.state()?;
        let mut entry = state.found(scope, id)?;
        if after.is_some_and(|after| after != entry.updated_at) {
            return Err(RepositoryError::Conflict);
        }
        entry.name = name.unwrap_or(entry.name);
        entry.rate_limit = rate_limit.unwrap_or(entry.rate_limit);
        entry.expires_at = expires_at.unwrap_or(entry.expires_at);
        Ok(state.keep(entry, self.clock.now()))
    }

    fn revoked(&self, scope: &Scope, id: &KeyId) -> Result<Revoked, RepositoryError> {
        let mut state = self.memory.state()?;
        let mut entry = state.found(scope, id)?;
        if entry.revoked_at.is_some() {
            return Ok(Revoked { entry, is_new: false });
        }
        entry.revoked_at = Some(self.clock.now());
        Ok(Revoked { entry: state.keep(entry, self.clock.now()), is_new: true })
    }
}

impl State {
    fn found(&self, scope: &Scope, id: &KeyId) -> Result<KeyEntry, RepositoryError> {
        let entry = self.keys.get(id).filter(|entry| scope.includes(&entry.tenant));
        entry.cloned().ok_or(RepositoryError::NotFound)
    }

    fn keep(&mut self, mut entry: KeyEntry, now: Duration) -> KeyEntry {
        // Two changes within a millisecond have different times as well.
        entry.updated_at = now.max(entry.updated_at + Duration::from_millis(1));
        self.revision += 1;
        self.keys.insert(entry.id.clone(), entry.clone());
        entry
    }
}

impl Keys for MemoryKeys {
    fn create(&self, key: NewKey) -> RepositoryFuture<'_, (ApiKey, KeyEntry)> {
        ready(self.made(key)).boxed()
    }

    fn list<'a>(&'a self, scope: &'a Scope, page: PageRequest) -> RepositoryFuture<'a, Page<KeyEntry>> {
        ready(self.listed(scope, &page)).boxed()
    }

    fn get<'a>(&'a self, scope: &'a Scope, id: &'a KeyId) -> RepositoryFuture<'a, KeyEntry> {
        ready(self.memory.state().and_then(|state| state.found(scope, id))).boxed()
    }

    fn change<'a>(&'a self, scope: &'a Scope, id: &'a KeyId, change: KeyChange) -> RepositoryFuture<'a, KeyEntry> {
        ready(self.changed(scope, id, change)).boxed()
    }

    fn revoke<'a>(&'a self, scope: &'a Scope, id: &'a KeyId) -> RepositoryFuture<'a, Revoked> {
        ready(self.revoked(scope, id)).boxed()
    }

    fn find<'a>(&'a self, id: &'a KeyId) -> RepositoryFuture<'a, Option<KeyEntry>> {
        ready(self.memory.state().map(|state| state.keys.get(id).cloned())).boxed()
    }

    fn revision(&self) -> RepositoryFuture<'_, u64> {
        ready(self.memory.state().map(|state| state.revision)).boxed()
    }
}
