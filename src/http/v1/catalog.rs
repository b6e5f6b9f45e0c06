//! What `/v1/schemas` and `/v1/templates` have in common: entries in versions, seen by name, changed by their team.
//!
//! - [`entry_body`]: what a request says of an entry; [`new_version`]: which version a change makes;
//! - [`shown_entry`]: an entry as clients see it;
//! - [`parameters`]: what stands in their paths, queries and headers, for the OpenAPI document.

pub mod entry_body;
pub mod new_version;
pub mod parameters;
pub mod shown_entry;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use self::entry_body::EntryBody;
use self::new_version::{Change, new_version};
use self::shown_entry::{Found, ShownEntry, WrittenEntry};
use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::tenant::Tenant;
use crate::domain::version::{Selector, Version};
use crate::http::error_status::RequestCode;
use crate::http::list::{ListPage, page_request};
use crate::http::precondition;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::pipeline::definitions::Definitions;
use crate::ports::catalog::{
    Catalog, Entry, EntryFilter, ListedEntry, NewEntry, NewVersion, VersionFilter, Visibility, find_entry,
};
use crate::ports::repository::RepositoryError;

/// Longest text that is searched for, in characters.
const MAX_SEARCH_CHARS: usize = 200;
/// How the place of a built-in entry in a list begins. They come after all others.
const BUILT_IN: &str = "built-in ";

/// The schemas, or the templates, that a tenant sees.
pub struct Entries<'a> {
    /// What one of them is called.
    pub noun: &'static str,
    /// Where they are.
    pub path: &'static str,
    /// Where the tenant's own and public ones are kept, if the store keeps them.
    pub stored: Option<&'a dyn Catalog>,
    /// What is remembered of them.
    pub definitions: &'a Definitions,
    /// Has them looked up anew, after a change.
    pub forget: fn(&Definitions),
    /// Those of the program, sorted by name, then by version.
    pub built_in: &'static [Entry],
    /// Who looks at them.
    pub tenant: &'a Tenant,
}

/// The id in a path. One that is no text is that of nothing.
pub fn id_of(id: Result<Path<String>, PathRejection>) -> String {
    id.map(|Path(id)| id).unwrap_or_default()
}

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
        let first_built_in = part.after.as_ref().and_then(built_in_index);
        let room = usize::try_from(part.limit).unwrap_or(usize::MAX);
        let (mut found, mut next) = (Vec::new(), None);
        if let (Some(stored), None) = (self.stored, first_built_in) {
            let mut part = part;
            loop {
                let page =
                    stored.list(self.tenant, filter.clone(), part).await.map_err(|error| self.problem(&error))?;
                found.extend(page.items.into_iter().filter(|entry| self.is_meant(entry)).map(Found::stored));
                next = page.next;
                // What its name does not mean is left out, and the page filled from what follows.
                let missing = u32::try_from(room.saturating_sub(found.len())).unwrap_or(u32::MAX);
                if next.is_none() || missing == 0 {
                    break;
                }
                part = PageRequest { limit: missing, after: next };
            }
        }
        if next.is_none() {
            let rest = self.built_in.iter().enumerate().filter(|(_, entry)| filter.includes(entry));
            let mut rest = rest.skip_while(|(index, _)| first_built_in.is_some_and(|first| *index < first));
            let taken = rest.by_ref().take(room.saturating_sub(found.len()));
            found.extend(taken.map(|(_, entry)| Found::built_in(entry).listed()));
            next = rest.next().map(|(index, _)| built_in_place(index));
        }
        Ok(ListPage::new(Page { items: found, next }, |found| ShownEntry::listed(&found)))
    }

    /// The latest version that an id means.
    ///
    /// # Errors
    /// `not_found`, or `store_unavailable`.
    pub async fn find(&self, id: &str) -> Result<Found, Problem> {
        let (name, version) = Selector::of_reference(id).map_err(|_no_version| self.none(id))?;
        let entry = find_entry(self.stored, self.tenant, id, |name| self.is_built_in(name)).await;
        if let Some(entry) = entry.map_err(|error| self.problem(&error))? {
            return Ok(Found::stored(entry));
        }
        let is_meant = |entry: &&Entry| entry.name == name && version.includes(entry.version);
        self.built_in.iter().rev().find(is_meant).map(Found::built_in).ok_or_else(|| self.none(id))
    }

    /// Shows what an id means, unless the client knows it.
    ///
    /// # Errors
    /// `not_found`, or `store_unavailable`.
    pub async fn show(&self, id: &str, headers: &HeaderMap, uri: &Uri) -> Result<Response, Problem> {
        Query::of(uri).finish()?;
        let found = self.find(id).await?;
        let (etag, body) = ShownEntry::whole(&found).written();
        if precondition::is_known(headers, &etag) {
            return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
        }
        Ok((StatusCode::OK, [(header::ETAG, etag)], body).into_response())
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
        let mut found: Vec<Found<()>> = match self.stored {
            Some(stored) => match stored.versions(self.tenant, name, filter).await {
                Ok(versions) => versions.into_iter().filter(|entry| self.is_meant(entry)).map(Found::stored).collect(),
                Err(RepositoryError::NotFound) => Vec::new(),
                Err(error) => return Err(self.problem(&error)),
            },
            None => Vec::new(),
        };
        if found.is_empty() {
            let meant = |entry: &&Entry| entry.name == name && filter.includes(entry.version);
            found.extend(self.built_in.iter().rev().filter(meant).map(|entry| Found::built_in(entry).listed()));
        }
        if found.is_empty() && before.is_none() {
            return Err(self.none(id));
        }
        let place =
            |found: &Found<()>| Cursor { created_at: found.entry.updated_at, id: found.entry.version.to_string() };
        Ok(ListPage::new(Page::cut(found, part.limit, place), |found| ShownEntry::listed(&found)))
    }

    /// The latest version of an entry that the tenant may change.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, or `store_unavailable`.
    pub async fn to_change(&self, id: &str) -> Result<Found, Problem> {
        let found = self.find(id).await?;
        let noun = self.noun;
        if id.contains('@') {
            let detail = format!("a version does not change; name the {noun} without one: {}", found.entry.name);
            return Err(Problem::new(RequestCode::InvalidRequest, detail));
        }
        if found.is_built_in {
            let detail = format!("this {noun} is built in; keep one of your own under its name, and that one is meant");
            return Err(Problem::new(RequestCode::Forbidden, detail));
        }
        if found.entry.owner != *self.tenant {
            let detail = format!("this {noun} belongs to another team, and only that may change it");
            return Err(Problem::new(RequestCode::Forbidden, detail));
        }
        Ok(found)
    }

    /// Keeps a new entry.
    ///
    /// # Errors
    /// `already_exists`, or `store_unavailable`.
    pub async fn create(&self, name: String, about: EntryBody, document: String) -> Result<Response, Problem> {
        let new = NewEntry {
            name: name.clone(),
            description: about.description.unwrap_or_default(),
            visibility: about.visibility.unwrap_or(Visibility::Private),
            version: about.version.unwrap_or(Version::FIRST),
            document,
        };
        let entry = self.store()?.create(self.tenant, new).await.map_err(|error| {
            if error != RepositoryError::AlreadyExists {
                return self.problem(&error);
            }
            let detail = format!("there is a {} {name}; PUT {}/{name} makes its next version", self.noun, self.path);
            Problem::new(RequestCode::AlreadyExists, detail)
        })?;
        (self.forget)(self.definitions);
        let location = format!("{}/{}", self.path, entry.name);
        let (etag, body) = ShownEntry::whole(&Found::stored(entry)).written();
        Ok((StatusCode::CREATED, [(header::ETAG, etag), (header::LOCATION, location)], body).into_response())
    }

    /// Keeps the next version of an entry whose latest one the client has read.
    ///
    /// # Errors
    /// `invalid_request` or `incompatible_schema` for a version that does not fit, `precondition_failed`, or
    /// `store_unavailable`.
    pub async fn change(
        &self,
        latest: &Entry,
        about: EntryBody,
        (change, is_forced): (Change, bool),
        document: String,
    ) -> Result<Response, Problem> {
        let version = NewVersion {
            after: latest.version,
            version: new_version(latest.version, about.version, change, is_forced)?,
            description: about.description,
            visibility: about.visibility,
            document,
        };
        let entry = self.store()?.add_version(self.tenant, &latest.name, version).await;
        let found = Found::stored(entry.map_err(|error| self.problem(&error))?);
        (self.forget)(self.definitions);
        let (etag, body) = ShownEntry::whole(&found).written();
        Ok((StatusCode::OK, [(header::ETAG, etag)], body).into_response())
    }

    /// Removes an entry with all of its versions, if it is as the client knows it.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `precondition_failed`, or `store_unavailable`.
    pub async fn delete(&self, id: &str, headers: &HeaderMap, uri: &Uri) -> Result<WrittenEntry, Problem> {
        Query::of(uri).finish()?;
        let found = self.to_change(id).await?;
        precondition::check_if_sent(headers, &found.etag())?;
        let removed = self.store()?.delete(self.tenant, &found.entry.name, found.entry.version).await;
        removed.map_err(|error| self.problem(&error))?;
        (self.forget)(self.definitions);
        Ok(ShownEntry::whole(&found).written().1)
    }

    fn is_built_in(&self, name: &str) -> bool {
        self.built_in.iter().any(|entry| entry.name == name)
    }

    /// Whether the name of a stored entry means it.
    fn is_meant(&self, entry: &ListedEntry) -> bool {
        entry.is_meant_by(self.tenant, self.is_built_in(&entry.name))
    }

    fn store(&self) -> Result<&dyn Catalog, Problem> {
        let none = || {
            let detail = format!("the store keeps no {}s; set store.url to a database", self.noun);
            Problem::new(RequestCode::StoreUnavailable, detail)
        };
        self.stored.ok_or_else(none)
    }

    fn none(&self, id: &str) -> Problem {
        let id: String = id.chars().take(100).collect();
        Problem::new(RequestCode::NotFound, format!("there is no {} {id}, or you may not see it", self.noun))
    }

    fn problem(&self, error: &RepositoryError) -> Problem {
        match error {
            RepositoryError::NotFound => {
                Problem::new(RequestCode::NotFound, format!("there is no such {}, or no such version", self.noun))
            }
            RepositoryError::AlreadyExists => {
                Problem::new(RequestCode::AlreadyExists, format!("the {} has this version already", self.noun))
            }
            RepositoryError::Conflict => precondition::failed(),
            RepositoryError::Unavailable(_) => Problem::store_unavailable(),
        }
    }
}

fn built_in_place(index: usize) -> Cursor {
    Cursor { created_at: std::time::Duration::ZERO, id: format!("{BUILT_IN}{index}") }
}

fn built_in_index(cursor: &Cursor) -> Option<usize> {
    cursor.id.strip_prefix(BUILT_IN)?.parse().ok()
}

#[cfg(test)]
pub(crate) mod testing;
