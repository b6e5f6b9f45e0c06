//! What `/v1/schemas` and `/v1/templates` have in common: entries in versions, seen by name, changed by their team.
//!
//! - `listing`: entries and their versions in parts; [`changing`]: how they are made, changed and removed;
//! - [`entry_body`]: what a request says of an entry; [`mod@new_version`]: which version a change makes;
//! - [`shown_entry`]: an entry as clients see it;
//! - [`parameters`]: what stands in their paths, queries and headers, for the OpenAPI document.

pub mod changing;
pub mod entry_body;
mod listing;
pub mod new_version;
pub mod parameters;
pub mod shown_entry;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use self::shown_entry::{Found, ShownEntry};
use crate::domain::tenant::Tenant;
use crate::domain::version::Selector;
use crate::http::error_status::RequestCode;
use crate::http::precondition;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::pipeline::definitions::Definitions;
use crate::ports::catalog::{Catalog, Entry, ListedEntry, find_entry};
use crate::ports::repository::RepositoryError;

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

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
