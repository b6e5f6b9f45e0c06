//! Schemas and prompt templates that users keep, each in its versions. Both are kept in the same way; what a document
//! says is no matter of the catalogue.

mod memory;

use std::time::Duration;

pub use self::memory::MemoryCatalog;
use super::repository::{RepositoryError, RepositoryFuture};
use crate::domain::page::{Page, PageRequest};
use crate::domain::tenant::Tenant;
use crate::domain::version::{Selector, Version};

/// Longest name of an entry. Providers take no longer one of a schema.
pub const MAX_NAME_CHARS: usize = 64;

/// Who may read an entry. Only its team may change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// The team that made it.
    Private,
    /// Every team of the organisation.
    Public,
}

impl Visibility {
    /// The name that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
        }
    }

    /// Reads that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Private, Self::Public].into_iter().find(|visibility| visibility.as_str() == text)
    }
}

/// A new entry, with its first version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// Its name, without a version. Another team may have an entry of the same name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who may read it.
    pub visibility: Visibility,
    /// The number of its first version.
    pub version: Version,
    /// The document, as JSON.
    pub document: String,
}

/// A new version of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// The version that was the latest when its maker looked.
    pub after: Version,
    /// Its number.
    pub version: Version,
    /// What the entry is for from now on; `None` leaves it.
    pub description: Option<String>,
    /// Who may read the entry from now on; `None` leaves it.
    pub visibility: Option<Visibility>,
    /// The document, as JSON.
    pub document: String,
}

/// An entry in one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<Document = String> {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who may read it.
    pub visibility: Visibility,
    /// Whose it is.
    pub owner: Tenant,
    /// When it was made, since the Unix epoch.
    pub created_at: Duration,
    /// The number of this version.
    pub version: Version,
    /// When this version was made.
    pub updated_at: Duration,
    /// The document of this version, as JSON; nothing in lists.
    pub document: Document,
}

/// An entry as lists have it.
pub type ListedEntry = Entry<()>;

/// Which entries are meant; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Those that have this text in their name or description, whatever its case.
    pub search: Option<String>,
    /// Those of this visibility.
    pub visibility: Option<Visibility>,
}

impl EntryFilter {
    /// Whether this entry is meant.
    pub fn includes<Document>(&self, entry: &Entry<Document>) -> bool {
        let has =
            |text: &str| [&entry.name, &entry.description].iter().any(|field| field.to_lowercase().contains(text));
        self.search.as_ref().is_none_or(|text| has(&text.to_lowercase()))
            && self.visibility.is_none_or(|visibility| entry.visibility == visibility)
    }
}

/// Which versions of an entry are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionFilter {
    /// Those that this includes.
    pub version: Selector,
    /// Those before this one; `None` for the latest as well.
    pub before: Option<Version>,
    /// As many as this at most.
    pub limit: u32,
}

impl VersionFilter {
    /// Whether this version is meant, if there is room for it.
    pub fn includes(&self, version: Version) -> bool {
        self.version.includes(version) && self.before.is_none_or(|before| version < before)
    }
}

/// Where schemas are kept, or templates. A tenant sees its own entries and those that are public in its organisation;
/// where two have the same name its own is found, and then the older one. What a name means where something is built in
/// as well says [`find_entry`].
pub trait Catalog: Send + Sync {
    /// Makes an entry.
    fn create<'a>(&'a self, tenant: &'a Tenant, entry: NewEntry) -> RepositoryFuture<'a, Entry>;
    /// Lists entries in their latest versions.
    fn list<'a>(
        &'a self,
        tenant: &'a Tenant,
        filter: EntryFilter,
        page: PageRequest,
    ) -> RepositoryFuture<'a, Page<ListedEntry>>;
    /// The latest version of those that are meant.
    fn find<'a>(&'a self, tenant: &'a Tenant, name: &'a str, version: Selector) -> RepositoryFuture<'a, Entry>;
    /// Versions of an entry, the latest first. Not found if there are none.
    fn versions<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        filter: VersionFilter,
    ) -> RepositoryFuture<'a, Vec<ListedEntry>>;
    /// Adds a version to an entry of this tenant. A conflict if [`NewVersion::after`] is not the latest any more.
    fn add_version<'a>(&'a self, tenant: &'a Tenant, name: &'a str, version: NewVersion)
    -> RepositoryFuture<'a, Entry>;
    /// Removes an entry of this tenant with all its versions. A conflict if `latest` is not its latest version any
    /// more.
    fn delete<'a>(&'a self, tenant: &'a Tenant, name: &'a str, latest: Version) -> RepositoryFuture<'a, ()>;
    /// A number that grows with each change, by any process. It is cheap to ask for: whoever remembers entries asks
    /// now and then, and forgets them when it has grown.
    fn revision(&self) -> RepositoryFuture<'_, u64>;
}

impl Entry {
    /// The same without its document.
    pub fn listed(self) -> ListedEntry {
        let Self { name, description, visibility, owner, created_at, version, updated_at, document: _ } = self;
        Entry { name, description, visibility, owner, created_at, version, updated_at, document: () }
    }
}

impl<Document> Entry<Document> {
    /// Whether a tenant that sees this entry means it by its name. A built-in name never means another team's entry:
    /// that team could change what the requests of others ask.
    pub fn is_meant_by(&self, tenant: &Tenant, is_built_in: bool) -> bool {
        self.owner == *tenant || !is_built_in
    }
}

/// The stored entry that a tenant means by a reference ("invoice", "invoice@1"): its own, or else one that is public in
/// its organisation and has no built-in name. `None` if there is none, so that a built-in one may be meant.
///
/// # Errors
/// [`RepositoryError::NotFound`] if there is such an entry without such a version, or why the store cannot tell.
pub async fn find_entry(
    catalog: Option<&dyn Catalog>,
    tenant: &Tenant,
    reference: &str,
    is_built_in: impl Fn(&str) -> bool,
) -> Result<Option<Entry>, RepositoryError> {
    let (name, version) = Selector::of_reference(reference).map_err(|_no_version| RepositoryError::NotFound)?;
    let Some(catalog) = catalog else { return Ok(None) };
    let mut found = catalog.find(tenant, name, version).await;
    let is_version_missing = found == Err(RepositoryError::NotFound) && version != Selector::Latest;
    if is_version_missing {
        found = catalog.find(tenant, name, Selector::Latest).await;
    }
    match found {
        Ok(entry) if !entry.is_meant_by(tenant, is_built_in(name)) => Ok(None),
        Ok(_another_version) if is_version_missing => Err(RepositoryError::NotFound),
        Ok(entry) => Ok(Some(entry)),
        Err(RepositoryError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
