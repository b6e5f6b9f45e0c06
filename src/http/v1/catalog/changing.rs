//! Entries made, changed and removed.

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::Entries;
use super::entry_body::EntryBody;
use super::new_version::{Change, new_version};
use super::shown_entry::{Found, ShownEntry, WrittenEntry};
use crate::domain::version::Version;
use crate::http::error_status::RequestCode;
use crate::http::precondition::{self, WantedState};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::ports::catalog::{Entry, NewEntry, NewVersion, Visibility};
use crate::ports::repository::RepositoryError;

/// How often a change for which any state will do is tried. Each time somebody else has changed the entry first.
const MOST_ATTEMPTS: usize = 5;

/// What a request makes of an entry's latest version.
pub trait NextVersion: Sync {
    /// How the next version differs from the latest one, and its document.
    fn after(&self, latest: &Entry) -> impl Future<Output = Result<(Change, String), Problem>> + Send;
}

impl Entries<'_> {
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
        let created = self.store()?.create(self.tenant, new).await;
        self.forget_if_changed(&created);
        let entry = created.map_err(|error| {
            if error != RepositoryError::AlreadyExists {
                return self.problem(&error);
            }
            let detail = format!("there is a {} {name}; PUT {}/{name} makes its next version", self.noun, self.path);
            Problem::new(RequestCode::AlreadyExists, detail)
        })?;
        let location = format!("{}/{}", self.path, entry.name);
        let (etag, body) = ShownEntry::whole(&Found::stored(entry)).written();
        Ok((StatusCode::CREATED, [(header::ETAG, etag), (header::LOCATION, location)], body).into_response())
    }

    /// Keeps the next version of an entry whose latest one the client has read, or of any for which it asks.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, what is wrong with the version, a precondition, or `store_unavailable`.
    pub async fn change(
        &self,
        id: &str,
        headers: &HeaderMap,
        (about, is_forced): (EntryBody, bool),
        next: &impl NextVersion,
    ) -> Result<Response, Problem> {
        for _ in 0..MOST_ATTEMPTS {
            let found = self.to_change(id).await?;
            let wanted = precondition::check(headers, &found.etag())?;
            let latest = found.entry;
            let (change, document) = next.after(&latest).await?;
            let version = NewVersion {
                after: latest.version,
                version: new_version(latest.version, about.version, change, is_forced)?,
                description: about.description.clone(),
                visibility: about.visibility,
                document,
            };
            let added = self.store()?.add_version(self.tenant, &latest.name, version).await;
            self.forget_if_changed(&added);
            if is_to_be_repeated(&added, wanted) {
                continue;
            }
            let found = Found::stored(added.map_err(|error| self.problem(&error))?);
            let (etag, body) = ShownEntry::whole(&found).written();
            return Ok((StatusCode::OK, [(header::ETAG, etag)], body).into_response());
        }
        Err(precondition::failed())
    }

    /// Removes an entry with all of its versions, if it is as the client knows it, where that says so.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `precondition_failed`, or `store_unavailable`.
    pub async fn delete(&self, id: &str, headers: &HeaderMap, uri: &Uri) -> Result<WrittenEntry, Problem> {
        Query::of(uri).finish()?;
        for _ in 0..MOST_ATTEMPTS {
            let found = self.to_change(id).await?;
            let wanted = precondition::check_if_sent(headers, &found.etag())?;
            let removed = self.store()?.delete(self.tenant, &found.entry.name, found.entry.version).await;
            self.forget_if_changed(&removed);
            if is_to_be_repeated(&removed, wanted) {
                continue;
            }
            removed.map_err(|error| self.problem(&error))?;
            return Ok(ShownEntry::whole(&found).written().1);
        }
        Err(precondition::failed())
    }

    /// The latest version of an entry that the tenant may change.
    async fn to_change(&self, id: &str) -> Result<Found, Problem> {
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

    /// Has definitions looked up anew after a change, and after one that may have been made and whose answer was lost.
    fn forget_if_changed<T>(&self, outcome: &Result<T, RepositoryError>) {
        if matches!(outcome, Ok(_) | Err(RepositoryError::Unavailable(_))) {
            (self.forget)(self.definitions);
        }
    }
}

/// Whether somebody else has changed the entry since it was read, and its client does not mind.
fn is_to_be_repeated<T>(outcome: &Result<T, RepositoryError>, wanted: WantedState) -> bool {
    wanted == WantedState::Any && matches!(outcome, Err(RepositoryError::Conflict))
}
