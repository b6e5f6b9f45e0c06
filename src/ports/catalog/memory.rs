//! A catalogue in memory, which ends with the process.

use std::cmp::Reverse;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::ready;
use tokio::sync::watch;

use super::{Catalog, Entry, EntryFilter, ListedEntry, NewEntry, NewVersion, VersionFilter, Visibility};
use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::tenant::Tenant;
use crate::domain::version::{Selector, Version};
use crate::ports::clock::Clock;
use crate::ports::repository::{Memory, RepositoryError, RepositoryFuture};

/// Entries in memory.
pub struct MemoryCatalog {
    clock: Arc<dyn Clock>,
    memory: Memory<State>,
    /// Whether those who look for an entry wait.
    is_hanging: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    /// The versions of each entry, the latest first. Older entries come first.
    entries: Vec<Vec<Entry>>,
    revision: u64,
}

impl State {
    /// The versions of the entry that a tenant means by this name.
    fn readable(&self, tenant: &Tenant, name: &str) -> Result<&[Entry], RepositoryError> {
        let named = || self.entries.iter().filter(|versions| versions[0].name == name);
        let own = named().find(|versions| versions[0].owner == *tenant);
        let meant = own.or_else(|| named().find(|versions| versions[0].is_readable_by(tenant)));
        meant.map(Vec::as_slice).ok_or(RepositoryError::NotFound)
    }

    /// The place of an entry that a tenant may change, if its latest version is this one.
    fn own(&self, tenant: &Tenant, name: &str, latest: Version) -> Result<usize, RepositoryError> {
        let is_own = |versions: &Vec<Entry>| versions[0].name == name && versions[0].owner == *tenant;
        let index = self.entries.iter().position(is_own).ok_or(RepositoryError::NotFound)?;
        if self.entries[index][0].version == latest { Ok(index) } else { Err(RepositoryError::Conflict) }
    }
}

impl MemoryCatalog {
    /// No entries.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, memory: Memory::default(), is_hanging: watch::Sender::new(false) }
    }

    /// From now on every call fails for this reason, or none does.
    pub fn set_away(&self, why: Option<&str>) {
        self.memory.set_away(why);
    }

    /// From now on [`Catalog::find`] has no answer, or those who wait for one get it.
    pub fn set_hanging(&self, is_hanging: bool) {
        self.is_hanging.send_replace(is_hanging);
    }

    fn created(&self, tenant: &Tenant, new: NewEntry) -> Result<Entry, RepositoryError> {
        let NewEntry { name, description, visibility, version, document } = new;
        let mut state = self.memory.state()?;
        if state.entries.iter().any(|versions| versions[0].name == name && versions[0].owner == *tenant) {
            return Err(RepositoryError::AlreadyExists);
        }
        let (owner, now) = (tenant.clone(), self.clock.now());
        let entry = Entry { name, description, visibility, owner, created_at: now, version, updated_at: now, document };
        state.entries.push(vec![entry.clone()]);
        state.revision += 1;
        Ok(entry)
    }

    fn listed(
        &self,
        tenant: &Tenant,
        filter: &EntryFilter,
        page: &PageRequest,
    ) -> Result<Page<ListedEntry>, RepositoryError> {
        let place = |index: usize, entry: &Entry| Cursor { created_at: entry.created_at, id: format!("{index:020}") };
        let state = self.memory.state()?;
        let latest = state.entries.iter().map(|versions| &versions[0]).enumerate();
        let meant = latest.filter(|(_, entry)| entry.is_readable_by(tenant) && filter.includes(entry));
        let mut found: Vec<_> = meant.map(|(index, entry)| (place(index, entry), entry.clone().listed())).collect();
        found.retain(|(place, _)| page.after.as_ref().is_none_or(|after| place < after));
        found.sort_by_key(|(place, _)| Reverse(place.clone()));
        let Page { items, next } = Page::cut(found, page.limit, |(place, _)| place.clone());
        Ok(Page { items: items.into_iter().map(|(_, entry)| entry).collect(), next })
    }

    fn found(&self, tenant: &Tenant, name: &str, version: Selector) -> Result<Entry, RepositoryError> {
        let state = self.memory.state()?;
        let mut versions = state.readable(tenant, name)?.iter();
        versions.find(|entry| version.includes(entry.version)).cloned().ok_or(RepositoryError::NotFound)
    }

    fn versions_of(
        &self,
        tenant: &Tenant,
        name: &str,
        filter: VersionFilter,
    ) -> Result<Vec<ListedEntry>, RepositoryError> {
        let state = self.memory.state()?;
        let meant = state.readable(tenant, name)?.iter().filter(|entry| filter.includes(entry.version));
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let versions: Vec<_> = meant.take(limit).cloned().map(Entry::listed).collect();
        if versions.is_empty() { Err(RepositoryError::NotFound) } else { Ok(versions) }
    }

    fn added(&self, tenant: &Tenant, name: &str, new: NewVersion) -> Result<Entry, RepositoryError> {
        let NewVersion { after, version, description, visibility, document } = new;
        let mut state = self.memory.state()?;
        let index = state.own(tenant, name, after)?;
        let versions = &mut state.entries[index];
        if versions.iter().any(|entry| entry.version == version) {
            return Err(RepositoryError::AlreadyExists);
        }
        for entry in &mut *versions {
            entry.description = description.clone().unwrap_or_else(|| entry.description.clone());
            entry.visibility = visibility.unwrap_or(entry.visibility);
        }
        let entry = Entry { version, updated_at: self.clock.now(), document, ..versions[0].clone() };
        versions.push(entry.clone());
        versions.sort_by_key(|entry| Reverse(entry.version));
        state.revision += 1;
        Ok(entry)
    }

    fn deleted(&self, tenant: &Tenant, name: &str, latest: Version) -> Result<(), RepositoryError> {
        let mut state = self.memory.state()?;
        let index = state.own(tenant, name, latest)?;
        state.entries.remove(index);
        state.revision += 1;
        Ok(())
    }
}

impl Catalog for MemoryCatalog {
    fn create<'a>(&'a self, tenant: &'a Tenant, entry: NewEntry) -> RepositoryFuture<'a, Entry> {
        ready(self.created(tenant, entry)).boxed()
    }

    fn list<'a>(
        &'a self,
        tenant: &'a Tenant,
        filter: EntryFilter,
        page: PageRequest,
    ) -> RepositoryFuture<'a, Page<ListedEntry>> {
        ready(self.listed(tenant, &filter, &page)).boxed()
    }

    fn find<'a>(&'a self, tenant: &'a Tenant, name: &'a str, version: Selector) -> RepositoryFuture<'a, Entry> {
        let mut is_hanging = self.is_hanging.subscribe();
        async move {
            // It cannot be closed: its sender is here.
            drop(is_hanging.wait_for(|is_hanging| !is_hanging).await);
            self.found(tenant, name, version)
        }
        .boxed()
    }

    fn versions<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        filter: VersionFilter,
    ) -> RepositoryFuture<'a, Vec<ListedEntry>> {
        ready(self.versions_of(tenant, name, filter)).boxed()
    }

    fn add_version<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        version: NewVersion,
    ) -> RepositoryFuture<'a, Entry> {
        ready(self.added(tenant, name, version)).boxed()
    }

    fn delete<'a>(&'a self, tenant: &'a Tenant, name: &'a str, latest: Version) -> RepositoryFuture<'a, ()> {
        ready(self.deleted(tenant, name, latest)).boxed()
    }

    fn revision(&self) -> RepositoryFuture<'_, u64> {
        ready(self.memory.state().map(|state| state.revision)).boxed()
    }
}

impl Entry {
    fn is_readable_by(&self, tenant: &Tenant) -> bool {
        let is_of_organization = self.owner.organization() == tenant.organization();
        self.owner == *tenant || self.visibility == Visibility::Public && is_of_organization
    }
}
