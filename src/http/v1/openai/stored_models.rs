//! Schemas and templates that teams keep, as far as they are models.

use std::collections::HashSet;

use crate::domain::page::PageRequest;
use crate::domain::tenant::Tenant;
use crate::domain::version::Selector;
use crate::http::problem::Problem;
use crate::ports::catalog::{Catalog, Entry, EntryFilter, find_entry};
use crate::ports::repository::RepositoryError;

/// Most entries of a catalogue that are listed: a list of models has no pages.
const MOST: usize = 1000;
/// How many of them are read at once.
const AT_ONCE: u32 = 100;

/// The entries that a tenant may name, each in its latest version.
///
/// # Errors
/// `store_unavailable`.
pub(super) async fn list(catalog: Option<&dyn Catalog>, tenant: &Tenant) -> Result<Vec<Entry>, Problem> {
    let Some(catalog) = catalog else { return Ok(Vec::new()) };
    let (mut entries, mut page) = (Vec::new(), PageRequest::first(AT_ONCE));
    loop {
        let found = catalog.list(tenant, EntryFilter::default(), page).await;
        let found = found.map_err(|_away| Problem::store_unavailable())?;
        entries.extend(found.items);
        let Some(after) = found.next.filter(|_| entries.len() < MOST) else { break };
        page = PageRequest { limit: AT_ONCE, after: Some(after) };
    }
    // Of several with one name the tenant's own is meant, and then the oldest.
    entries.sort_by_key(|entry| (entry.owner != *tenant, entry.created_at));
    let mut names = HashSet::new();
    entries.retain(|entry| names.insert(entry.name.clone()));
    Ok(entries)
}

/// The entry that a tenant means; `None` if none has this name, so that a built-in one may be meant.
///
/// # Errors
/// [`RepositoryError::NotFound`] for a version that there is not, or why the store cannot tell.
pub(super) async fn find(
    catalog: Option<&dyn Catalog>,
    tenant: &Tenant,
    reference: &str,
) -> Result<Option<Entry>, RepositoryError> {
    let Some(catalog) = catalog else { return Ok(None) };
    let (name, version) = Selector::of_reference(reference).map_err(|_no_version| RepositoryError::NotFound)?;
    find_entry(catalog, tenant, name, version).await
}
