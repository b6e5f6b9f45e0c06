//! Entries and their versions, listed in parts.

use axum::http::Uri;

use super::Entries;
use super::shown_entry::{Found, ShownEntry};
use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::version::Selector;
use crate::http::list::{ListPage, page_request};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::ports::catalog::{Catalog, Entry, EntryFilter, VersionFilter, Visibility, find_entry};
use crate::ports::repository::RepositoryError;

/// Longest text that is searched for, in characters.
const MAX_SEARCH_CHARS: usize = 200;
/// How the place of a built-in entry in a list begins. They come after all others.
const BUILT_IN: &str = "built-in ";

impl Entries<'_> {
    /// Lists entries in their latest versions: the newest first, built-in ones at the end.
    ///
    /// # Errors
    /// What is wrong with the query, or `store_unavailable`.
    pub async fn list(&self, uri: &Uri) -> Result<ListPage<ShownEntry>, Problem> {
        let mut query = Query::of(uri);
        let search = query.parse("search", |text| {
            let is_short = text.chars().count() <= MAX_SEARCH_CHARS;
            is_short.then(|| text.to_owned()).ok_or_else(|| format!("write at most {MAX_SEARCH_CHARS} characters"))
        });
        let words = [Visibility::Private, Visibility::Public].map(|visibility| (visibility.as_str(), visibility));
        let filter = EntryFilter { search, visibility: query.choice("visibility", &words) };
        let part = page_request(&mut query);
        query.finish()?;
        let page = self.page(&filter, part).await?;
        Ok(ListPage::new(page, |found| ShownEntry::listed(&found)))
    }

    /// A part of the entries in their latest versions: the newest first, built-in ones at the end.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn page(&self, filter: &EntryFilter, part: PageRequest) -> Result<Page<Found<()>>, Problem> {
        let room = usize::try_from(part.limit).unwrap_or(usize::MAX);
        let first_built_in = part.after.as_ref().and_then(built_in_index);
        let Page { items: mut found, mut next } = match (self.stored, first_built_in) {
            (Some(stored), None) => self.stored_page(stored, filter, part).await?,
            _ => Page { items: Vec::new(), next: None },
        };
        if next.is_none() {
            let rest = self.built_in.iter().enumerate().filter(|(_, entry)| filter.includes(entry));
            let mut rest = rest.skip_while(|(index, _)| first_built_in.is_some_and(|first| *index < first));
            let taken = rest.by_ref().take(room.saturating_sub(found.len()));
            found.extend(taken.map(|(_, entry)| Found::built_in(entry).listed()));
            next = rest.next().map(|(index, _)| built_in_place(index));
        }
        Ok(Page { items: found, next })
    }

    /// A part of the stored entries. What its name does not mean is left out, and the page filled from what follows.
    async fn stored_page(
        &self,
        stored: &dyn Catalog,
        filter: &EntryFilter,
        mut part: PageRequest,
    ) -> Result<Page<Found<()>>, Problem> {
        let (room, mut found) = (part.limit, Vec::new());
        loop {
            let page = stored.list(self.tenant, filter.clone(), part).await.map_err(|error| self.problem(&error))?;
            found.extend(page.items.into_iter().filter(|entry| self.is_meant(entry)).map(Found::stored));
            let missing = room.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            if page.next.is_none() || missing == 0 {
                return Ok(Page { items: found, next: page.next });
            }
            part = PageRequest { limit: missing, after: page.next };
        }
    }

    /// Lists the versions that an id means, the latest first.
    ///
    /// # Errors
    /// `not_found`, what is wrong with the query, or `store_unavailable`.
    pub async fn versions(&self, id: &str, uri: &Uri) -> Result<ListPage<ShownEntry>, Problem> {
        let mut query = Query::of(uri);
        let part = page_request(&mut query);
        query.finish()?;
        let (name, version) = Selector::of_reference(id).map_err(|_no_version| self.none(id))?;
        let before = part.after.and_then(|after| after.id.parse().ok());
        // One more than there is room for says whether there is another page.
        let filter = VersionFilter { version, before, limit: part.limit.saturating_add(1) };
        let meant = find_entry(self.stored, self.tenant, id, |name| self.is_built_in(name)).await;
        let is_stored = meant.map_err(|error| self.problem(&error))?.is_some();
        let found: Vec<Found<()>> = match self.stored.filter(|_| is_stored) {
            Some(stored) => match stored.versions(self.tenant, name, filter).await {
                Ok(versions) => versions.into_iter().map(Found::stored).collect(),
                Err(RepositoryError::NotFound) => Vec::new(),
                Err(error) => return Err(self.problem(&error)),
            },
            None => {
                let is_meant = |entry: &&Entry| entry.name == name && filter.includes(entry.version);
                self.built_in.iter().rev().filter(is_meant).map(|entry| Found::built_in(entry).listed()).collect()
            }
        };
        if found.is_empty() && before.is_none() {
            return Err(self.none(id));
        }
        let place =
            |found: &Found<()>| Cursor { created_at: found.entry.updated_at, id: found.entry.version.to_string() };
        Ok(ListPage::new(Page::cut(found, part.limit, place), |found| ShownEntry::listed(&found)))
    }
}

fn built_in_place(index: usize) -> Cursor {
    Cursor { created_at: std::time::Duration::ZERO, id: format!("{BUILT_IN}{index}") }
}

fn built_in_index(cursor: &Cursor) -> Option<usize> {
    cursor.id.strip_prefix(BUILT_IN)?.parse().ok()
}
