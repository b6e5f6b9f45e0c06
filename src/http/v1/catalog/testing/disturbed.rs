//! A catalogue to which something happens while one of its entries is changed.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use tokio::sync::Notify;

use crate::domain::page::{Page, PageRequest};
use crate::domain::tenant::Tenant;
use crate::domain::version::{Selector, Step, Version};
use crate::ports::catalog::{
    Catalog, Entry, EntryFilter, ListedEntry, MemoryCatalog, NewEntry, NewVersion, VersionFilter,
};
use crate::ports::repository::{RepositoryError, RepositoryFuture};

/// What happens to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// Somebody else adds a version first.
    Outrun,
    /// It is made, and the answer is lost.
    AnswerLost,
    /// It takes until [`DisturbedCatalog::goes_on`].
    Delay,
}

/// A catalogue that disturbs the next change as it was told.
pub(crate) struct DisturbedCatalog {
    catalog: Arc<MemoryCatalog>,
    next: Mutex<Option<Disturbance>>,
    /// A delayed change has begun.
    pub(crate) has_begun: Notify,
    /// Lets it go on.
    pub(crate) goes_on: Notify,
    /// It is made.
    pub(crate) is_done: Notify,
}

impl DisturbedCatalog {
    pub(crate) fn new(catalog: Arc<MemoryCatalog>) -> Self {
        let (has_begun, goes_on, is_done) = (Notify::new(), Notify::new(), Notify::new());
        Self { catalog, next: Mutex::default(), has_begun, goes_on, is_done }
    }

    /// Disturbs the next change.
    pub(crate) fn disturb(&self, disturbance: Disturbance) {
        *self.next.lock().unwrap() = Some(disturbance);
    }

    /// Makes a change, disturbed if this is the one.
    async fn disturbed<'a, T>(
        &self,
        tenant: &Tenant,
        name: &str,
        change: impl FnOnce() -> RepositoryFuture<'a, T>,
    ) -> Result<T, RepositoryError> {
        let disturbance = self.next.lock().unwrap().take();
        match disturbance {
            None => return change().await,
            Some(Disturbance::Outrun) => self.add_another(tenant, name).await?,
            Some(Disturbance::Delay) => {
                self.has_begun.notify_one();
                self.goes_on.notified().await;
            }
            Some(Disturbance::AnswerLost) => {}
        }
        let changed = change().await;
        self.is_done.notify_one();
        if disturbance == Some(Disturbance::AnswerLost) {
            return Err(RepositoryError::Unavailable("the answer is lost".to_owned()));
        }
        changed
    }

    /// Adds a version, as somebody else does.
    async fn add_another(&self, tenant: &Tenant, name: &str) -> Result<(), RepositoryError> {
        let latest = self.catalog.find(tenant, name, Selector::Latest).await?;
        let (description, visibility, document) = (None, None, latest.document);
        let version = latest.version.next(Step::Patch).unwrap();
        let another = NewVersion { after: latest.version, version, description, visibility, document };
        self.catalog.add_version(tenant, name, another).await.map(drop)
    }
}

impl Catalog for DisturbedCatalog {
    fn create<'a>(&'a self, tenant: &'a Tenant, entry: NewEntry) -> RepositoryFuture<'a, Entry> {
        async move {
            let name = entry.name.clone();
            self.disturbed(tenant, &name, || self.catalog.create(tenant, entry)).await
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        tenant: &'a Tenant,
        filter: EntryFilter,
        page: PageRequest,
    ) -> RepositoryFuture<'a, Page<ListedEntry>> {
        self.catalog.list(tenant, filter, page)
    }

    fn find<'a>(&'a self, tenant: &'a Tenant, name: &'a str, version: Selector) -> RepositoryFuture<'a, Entry> {
        self.catalog.find(tenant, name, version)
    }

    fn versions<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        filter: VersionFilter,
    ) -> RepositoryFuture<'a, Vec<ListedEntry>> {
        self.catalog.versions(tenant, name, filter)
    }

    fn add_version<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        version: NewVersion,
    ) -> RepositoryFuture<'a, Entry> {
        self.disturbed(tenant, name, move || self.catalog.add_version(tenant, name, version)).boxed()
    }

    fn delete<'a>(&'a self, tenant: &'a Tenant, name: &'a str, latest: Version) -> RepositoryFuture<'a, ()> {
        self.disturbed(tenant, name, move || self.catalog.delete(tenant, name, latest)).boxed()
    }

    fn revision(&self) -> RepositoryFuture<'_, u64> {
        self.catalog.revision()
    }
}
