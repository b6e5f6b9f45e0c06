//! Schemas and prompt templates in a database: two pairs of tables that are alike.

mod statements;

use std::sync::Arc;

use self::statements::Statements;
use super::database::columns::{before, count, damaged, millis, place, row_limit, tenant, text, time};
use super::database::{Database, answered};
use super::revisions;
use crate::domain::page::{Page, PageRequest};
use crate::domain::tenant::Tenant;
use crate::domain::version::{Selector, Version};
use crate::ports::catalog::{
    Catalog, Entry, EntryFilter, ListedEntry, NewEntry, NewVersion, VersionFilter, Visibility,
};
use crate::ports::clock::Clock;
use crate::ports::repository::{RepositoryError, RepositoryFuture};

/// A table of entries and one of their versions.
pub struct StoredCatalog {
    database: Database,
    clock: Arc<dyn Clock>,
    statements: &'static Statements,
}

/// An entry in one of its versions, from both tables, without its document.
#[derive(sqlx::FromRow)]
struct ListedRow {
    id: i64,
    organization_id: String,
    team_id: String,
    name: String,
    description: String,
    visibility: String,
    created_at: i64,
    major: i64,
    minor: i64,
    patch: i64,
    updated_at: i64,
}

/// The same with its document.
#[derive(sqlx::FromRow)]
struct EntryRow {
    #[sqlx(flatten)]
    listed: ListedRow,
    document: String,
}

impl StoredCatalog {
    /// The schemas in this database.
    pub fn schemas(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, statements: &statements::SCHEMAS }
    }

    /// The prompt templates in this database.
    pub fn templates(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, statements: &statements::PROMPT_TEMPLATES }
    }

    async fn insert(&self, owner: &Tenant, new: NewEntry) -> Result<Entry, RepositoryError> {
        let NewEntry { name, description, visibility, version, document } = new;
        let (name, description, document) = (text(&name), text(&description), text(&document));
        let now = millis(self.clock.now());
        with_transaction!(self.database, |transaction| {
            revisions::grow(self.statements.subject).execute(&mut *transaction).await?;
            let id: i64 = sqlx::query_scalar(self.statements.insert_entry)
                .bind(owner.organization())
                .bind(owner.team())
                .bind(&*name)
                .bind(&*description)
                .bind(search_text(&name, &description))
                .bind(visibility.as_str())
                .bind(now)
                .fetch_one(&mut *transaction)
                .await?;
            sqlx::query(self.statements.insert_version)
                .bind(id)
                .bind(i64::from(version.major))
                .bind(i64::from(version.minor))
                .bind(i64::from(version.patch))
                .bind(&*document)
                .bind(now)
                .execute(transaction)
                .await
                .map(drop)?;
        });
        let (now, owner) = (time(now), owner.clone());
        let (name, description, document) = (name.into_owned(), description.into_owned(), document.into_owned());
        Ok(Entry { name, description, visibility, owner, created_at: now, version, updated_at: now, document })
    }

    async fn select(
        &self,
        tenant: &Tenant,
        filter: &EntryFilter,
        page: &PageRequest,
    ) -> Result<Page<ListedEntry>, RepositoryError> {
        let (_, before_id) = before(page);
        let rows: Vec<ListedRow> =
            with_connection!(self.database, |connection| sqlx::query_as(self.statements.select_page)
                .bind(tenant.organization())
                .bind(tenant.team())
                .bind(filter.visibility.map(Visibility::as_str))
                .bind(filter.search.as_deref().map(search_pattern))
                .bind(before_id)
                .bind(row_limit(page))
                .fetch_all(connection)
                .await?);
        let Page { items, next } = Page::cut(rows, page.limit, |row| place(row.created_at, row.id));
        Ok(Page { items: items.into_iter().map(|row| row.entry(())).collect::<Result<_, _>>()?, next })
    }

    async fn select_one(&self, tenant: &Tenant, name: &str, version: Selector) -> Result<Entry, RepositoryError> {
        let name = &*text(name);
        let [major, minor, patch] = numbers(version);
        let row: Option<EntryRow> =
            with_connection!(self.database, |connection| sqlx::query_as(self.statements.select_version)
                .bind(tenant.organization())
                .bind(tenant.team())
                .bind(name)
                .bind(major)
                .bind(minor)
                .bind(patch)
                .fetch_optional(connection)
                .await?);
        row.ok_or(RepositoryError::NotFound)?.entry()
    }

    async fn select_versions(
        &self,
        tenant: &Tenant,
        name: &str,
        filter: VersionFilter,
    ) -> Result<Vec<ListedEntry>, RepositoryError> {
        let name = &*text(name);
        let [major, minor, patch] = numbers(filter.version);
        let before = filter.before.map_or([i64::MAX; 3], |it| [it.major, it.minor, it.patch].map(i64::from));
        let rows: Vec<ListedRow> =
            with_connection!(self.database, |connection| sqlx::query_as(self.statements.select_versions)
                .bind(tenant.organization())
                .bind(tenant.team())
                .bind(name)
                .bind(major)
                .bind(minor)
                .bind(patch)
                .bind(before[0])
                .bind(before[1])
                .bind(before[2])
                .bind(i64::from(filter.limit))
                .fetch_all(connection)
                .await?);
        if rows.is_empty() {
            return Err(RepositoryError::NotFound);
        }
        rows.into_iter().map(|row| row.entry(())).collect()
    }

    async fn insert_version(&self, tenant: &Tenant, name: &str, new: NewVersion) -> Result<Entry, RepositoryError> {
        let name = &*text(name);
        let NewVersion { after, version, description, visibility, document } = new;
        let now = millis(self.clock.now());
        let description = description.as_deref().map(text);
        let row: EntryRow = with_transaction!(self.database, |transaction| {
            // It locks the row of the revision: of two who change the same, one comes after the other.
            revisions::grow(self.statements.subject).execute(&mut *transaction).await?;
            let own: Option<ListedRow> = sqlx::query_as(self.statements.select_own)
                .bind(tenant.organization())
                .bind(tenant.team())
                .bind(name)
                .fetch_optional(&mut *transaction)
                .await?;
            let own = own.ok_or(RepositoryError::NotFound)?.at(after)?;
            sqlx::query(self.statements.insert_version)
                .bind(own.id)
                .bind(i64::from(version.major))
                .bind(i64::from(version.minor))
                .bind(i64::from(version.patch))
                .bind(&*text(&document))
                .bind(now)
                .execute(&mut *transaction)
                .await?;
            let description = description.as_deref().unwrap_or(&own.description);
            sqlx::query(self.statements.update_entry)
                .bind(own.id)
                .bind(description)
                .bind(search_text(name, description))
                .bind(visibility.map_or(own.visibility, |visibility| visibility.as_str().to_owned()))
                .execute(&mut *transaction)
                .await?;
            sqlx::query_as(self.statements.select_version)
                .bind(tenant.organization())
                .bind(tenant.team())
                .bind(name)
                .bind(i64::from(version.major))
                .bind(i64::from(version.minor))
                .bind(i64::from(version.patch))
                .fetch_one(transaction)
                .await?
        });
        row.entry()
    }

    async fn remove(&self, tenant: &Tenant, name: &str, latest: Version) -> Result<(), RepositoryError> {
        let name = &*text(name);
        with_transaction!(self.database, |transaction| {
            revisions::grow(self.statements.subject).execute(&mut *transaction).await?;
            let own: Option<ListedRow> = sqlx::query_as(self.statements.select_own)
                .bind(tenant.organization())
                .bind(tenant.team())
                .bind(name)
                .fetch_optional(&mut *transaction)
                .await?;
            let own = own.ok_or(RepositoryError::NotFound)?.at(latest)?;
            sqlx::query(self.statements.delete_entry).bind(own.id).execute(transaction).await.map(drop)?;
        });
        Ok(())
    }
}

impl Catalog for StoredCatalog {
    fn create<'a>(&'a self, tenant: &'a Tenant, entry: NewEntry) -> RepositoryFuture<'a, Entry> {
        answered(self.insert(tenant, entry))
    }

    fn list<'a>(
        &'a self,
        tenant: &'a Tenant,
        filter: EntryFilter,
        page: PageRequest,
    ) -> RepositoryFuture<'a, Page<ListedEntry>> {
        answered(async move { self.select(tenant, &filter, &page).await })
    }

    fn find<'a>(&'a self, tenant: &'a Tenant, name: &'a str, version: Selector) -> RepositoryFuture<'a, Entry> {
        answered(self.select_one(tenant, name, version))
    }

    fn versions<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        filter: VersionFilter,
    ) -> RepositoryFuture<'a, Vec<ListedEntry>> {
        answered(self.select_versions(tenant, name, filter))
    }

    fn add_version<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        version: NewVersion,
    ) -> RepositoryFuture<'a, Entry> {
        answered(self.insert_version(tenant, name, version))
    }

    fn delete<'a>(&'a self, tenant: &'a Tenant, name: &'a str, latest: Version) -> RepositoryFuture<'a, ()> {
        answered(self.remove(tenant, name, latest))
    }

    fn revision(&self) -> RepositoryFuture<'_, u64> {
        answered(revisions::current(&self.database, self.statements.subject))
    }
}

impl EntryRow {
    fn entry(self) -> Result<Entry, RepositoryError> {
        self.listed.entry(self.document)
    }
}

impl ListedRow {
    /// The row, if it has this version.
    fn at(self, wanted: Version) -> Result<Self, RepositoryError> {
        if self.version() == wanted { Ok(self) } else { Err(RepositoryError::Conflict) }
    }

    fn version(&self) -> Version {
        Version { major: count(self.major), minor: count(self.minor), patch: count(self.patch) }
    }

    fn entry<Document>(self, document: Document) -> Result<Entry<Document>, RepositoryError> {
        Ok(Entry {
            version: self.version(),
            owner: tenant(&self.organization_id, &self.team_id)?,
            visibility: Visibility::parse(&self.visibility).ok_or_else(|| damaged("a visibility"))?,
            name: self.name,
            description: self.description,
            created_at: time(self.created_at),
            updated_at: time(self.updated_at),
            document,
        })
    }
}

/// The numbers that a version must have; any where there is none.
fn numbers(version: Selector) -> [Option<i64>; 3] {
    let numbers = match version {
        Selector::Latest => [None, None, None],
        Selector::Major(major) => [Some(major), None, None],
        Selector::Minor(major, minor) => [Some(major), Some(minor), None],
        Selector::Exact(Version { major, minor, patch }) => [Some(major), Some(minor), Some(patch)],
    };
    numbers.map(|number| number.map(i64::from))
}

/// What is searched: databases do not agree on what upper case is beyond ASCII.
fn search_text(name: &str, description: &str) -> String {
    format!("{name}\n{description}").to_lowercase()
}

/// The pattern of LIKE that finds a text anywhere.
fn search_pattern(wanted: &str) -> String {
    let literal = text(wanted).to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{literal}%")
}
