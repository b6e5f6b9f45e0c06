//! The schemas and templates that teams keep, as models in a list.

use std::collections::HashSet;

use crate::domain::page::PageRequest;
use crate::domain::tenant::Tenant;
use crate::http::problem::Problem;
use crate::ports::catalog::{Catalog, EntryFilter, ListedEntry};

/// Most entries of a catalogue that are listed: a list of models has no pages.
const MOST: usize = 1000;
/// How many of them are read at once.
const AT_ONCE: u32 = 100;

/// The entries that a tenant may name, each in its latest version.
///
/// # Errors
/// `store_unavailable`.
pub(super) async fn list(
    catalog: Option<&dyn Catalog>,
    tenant: &Tenant,
    is_built_in: fn(&str) -> bool,
) -> Result<Vec<ListedEntry>, Problem> {
    let Some(catalog) = catalog else { return Ok(Vec::new()) };
    let (mut entries, mut page) = (Vec::new(), PageRequest::first(AT_ONCE));
    loop {
        let found = catalog.list(tenant, EntryFilter::default(), page).await;
        let found = found.map_err(|_away| Problem::store_unavailable())?;
        entries.extend(found.items.into_iter().filter(|entry| entry.is_meant_by(tenant, is_built_in(&entry.name))));
        let Some(after) = found.next.filter(|_| entries.len() < MOST) else { break };
        page = PageRequest { limit: AT_ONCE, after: Some(after) };
    }
    // Of several with one name the tenant's own is meant, and then the oldest.
    entries.sort_by_key(|entry| (entry.owner != *tenant, entry.created_at));
    let mut names = HashSet::new();
    entries.retain(|entry| names.insert(entry.name.clone()));
    Ok(entries)
}
