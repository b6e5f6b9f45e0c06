//! API keys in a database.

use std::sync::Arc;
use std::time::Duration;

use super::database::columns::{count, damaged, millis, row_limit, tenant, text, time};
use super::database::{Database, answered};
use crate::domain::api_key::{ApiKey, KeyEntry, KeyHash, KeyId};
use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::tenant::Scope;
use crate::ports::clock::Clock;
use crate::ports::keys::{KeyChange, Keys, NewKey, Revoked};
use crate::ports::repository::{RepositoryError, RepositoryFuture};
use crate::store::revisions;

pub(super) const SUBJECT: &str = "api_keys";

/// The table of keys.
pub struct StoredKeys {
    database: Database,
    clock: Arc<dyn Clock>,
}

/// A row of the table.
#[derive(sqlx::FromRow)]
struct KeyRow {
    id: String,
    organization_id: String,
    team_id: String,
    name: String,
    secret_hash: Vec<u8>,
    rate_limit: i64,
    created_at: i64,
    updated_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl StoredKeys {
    /// The keys in this database.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock }
    }

    async fn insert(&self, new: NewKey) -> Result<(ApiKey, KeyEntry), RepositoryError> {
        const INSERT: &str = "
            INSERT INTO api_keys (id, organization_id, team_id, name, secret_hash, rate_limit, created_at, updated_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)";
        let mut random = [0; ApiKey::RANDOM_BYTES];
        let no_random = |error| RepositoryError::Unavailable(format!("the system has no random bytes: {error}"));
        getrandom::fill(&mut random).map_err(no_random)?;
        let (key, now) = (ApiKey::new(random), self.clock.now());
        let NewKey { tenant, name, rate_limit, expires_at } = new;
        let entry = KeyEntry {
            id: key.id().clone(),
            tenant,
            name: text(&name).into_owned(),
            rate_limit,
            created_at: now,
            updated_at: now,
            expires_at,
            revoked_at: None,
            hash: key.hash(),
        };
        with_connection!(self.database, |connection| sqlx::query(INSERT)
            .bind(entry.id.as_str())
            .bind(entry.tenant.organization())
            .bind(entry.tenant.team())
            .bind(&entry.name)
            .bind(&entry.hash.0[..])
            .bind(i64::from(rate_limit))
            .bind(millis(now))
            .bind(expires_at.map(millis))
            .execute(connection)
            .await
            .map(drop)?);
        Ok((key, entry))
    }

    async fn select(&self, scope: &Scope, page: &PageRequest) -> Result<Page<KeyEntry>, RepositoryError> {
        const SELECT: &str = "
            SELECT * FROM api_keys
            WHERE organization_id = $1 AND ($2 IS NULL OR team_id = $2) AND (created_at, id) < ($3, $4)
            ORDER BY created_at DESC, id DESC LIMIT $5";
        let (before, id) =
            page.after.as_ref().map_or((i64::MAX, ""), |Cursor { created_at, id }| (millis(*created_at), id));
        let rows: Vec<KeyRow> = with_connection!(self.database, |connection| sqlx::query_as(SELECT)
            .bind(scope.organization())
            .bind(scope.team())
            .bind(before)
            .bind(id)
            .bind(row_limit(page))
            .fetch_all(connection)
            .await?);
        let entries = rows.into_iter().map(KeyRow::entry).collect::<Result<_, _>>()?;
        let place = |entry: &KeyEntry| Cursor { created_at: entry.created_at, id: entry.id.to_string() };
        Ok(Page::cut(entries, page.limit, place))
    }

    async fn select_one(&self, scope: Option<&Scope>, id: &KeyId) -> Result<Option<KeyEntry>, RepositoryError> {
        const SELECT: &str = "SELECT * FROM api_keys WHERE id = $1";
        let row: Option<KeyRow> = with_connection!(self.database, |connection| sqlx::query_as(SELECT)
            .bind(id.as_str())
            .fetch_optional(connection)
            .await?);
        let entry = row.map(KeyRow::entry).transpose()?;
        Ok(entry.filter(|entry| scope.is_none_or(|scope| scope.includes(&entry.tenant))))
    }

    /// Changes a row, if it is there and as the change expects it; not found otherwise.
    async fn update(&self, scope: &Scope, id: &KeyId, change: Change) -> Result<KeyEntry, RepositoryError> {
        // What is not changed is given as null, but for the end of a key, which null takes away. Two changes within a
        // millisecond have different times as well.
        const UPDATE: &str = "
            UPDATE api_keys
            SET name = COALESCE($4, name), rate_limit = COALESCE($5, rate_limit),
                expires_at = CASE WHEN $6 THEN $7 ELSE expires_at END,
                revoked_at = CASE WHEN $8 THEN $9 ELSE revoked_at END,
                updated_at = CASE WHEN updated_at < $9 THEN $9 ELSE updated_at + 1 END
            WHERE id = $1 AND organization_id = $2 AND ($3 IS NULL OR team_id = $3)
                AND ($10 IS NULL OR updated_at = $10) AND NOT ($8 AND revoked_at IS NOT NULL)
            RETURNING *";
        let Change { name, rate_limit, expires_at, is_revoked, after } = change;
        let now = millis(self.clock.now());
        let row: KeyRow = with_transaction!(self.database, |transaction| {
            revisions::grow(SUBJECT).execute(&mut *transaction).await?;
            sqlx::query_as(UPDATE)
                .bind(id.as_str())
                .bind(scope.organization())
                .bind(scope.team())
                .bind(name.as_deref().map(text))
                .bind(rate_limit.map(i64::from))
                .bind(expires_at.is_some())
                .bind(expires_at.flatten().map(millis))
                .bind(is_revoked)
                .bind(now)
                .bind(after.map(millis))
                .fetch_optional(transaction)
                .await?
                .ok_or(RepositoryError::NotFound)?
        });
        row.entry()
    }

    async fn updated(&self, scope: &Scope, id: &KeyId, change: KeyChange) -> Result<KeyEntry, RepositoryError> {
        let KeyChange { name, rate_limit, expires_at, after } = change;
        let updated = self.update(scope, id, Change { name, rate_limit, expires_at, is_revoked: false, after }).await;
        if matches!(updated, Err(RepositoryError::NotFound)) && self.select_one(Some(scope), id).await?.is_some() {
            return Err(RepositoryError::Conflict);
        }
        updated
    }

    async fn revoked(&self, scope: &Scope, id: &KeyId) -> Result<Revoked, RepositoryError> {
        match self.update(scope, id, Change { is_revoked: true, ..Change::default() }).await {
            Ok(entry) => Ok(Revoked { entry, is_new: true }),
            Err(RepositoryError::NotFound) => {
                let entry = self.select_one(Some(scope), id).await?.ok_or(RepositoryError::NotFound)?;
                Ok(Revoked { entry, is_new: false })
            }
            Err(error) => Err(error),
        }
    }
}

/// What is written to a row; [`KeyChange`] says what each field means.
#[derive(Default)]
struct Change {
    name: Option<String>,
    rate_limit: Option<u32>,
    expires_at: Option<Option<Duration>>,
    is_revoked: bool,
    after: Option<Duration>,
}

impl Keys for StoredKeys {
    fn create(&self, key: NewKey) -> RepositoryFuture<'_, (ApiKey, KeyEntry)> {
        answered(self.insert(key))
    }

    fn list<'a>(&'a self, scope: &'a Scope, page: PageRequest) -> RepositoryFuture<'a, Page<KeyEntry>> {
        answered(async move { self.select(scope, &page).await })
    }

    fn get<'a>(&'a self, scope: &'a Scope, id: &'a KeyId) -> RepositoryFuture<'a, KeyEntry> {
        answered(async move { self.select_one(Some(scope), id).await?.ok_or(RepositoryError::NotFound) })
    }

    fn change<'a>(&'a self, scope: &'a Scope, id: &'a KeyId, change: KeyChange) -> RepositoryFuture<'a, KeyEntry> {
        answered(self.updated(scope, id, change))
    }

    fn revoke<'a>(&'a self, scope: &'a Scope, id: &'a KeyId) -> RepositoryFuture<'a, Revoked> {
        answered(self.revoked(scope, id))
    }

    fn find<'a>(&'a self, id: &'a KeyId) -> RepositoryFuture<'a, Option<KeyEntry>> {
        answered(self.select_one(None, id))
    }

    fn revision(&self) -> RepositoryFuture<'_, u64> {
        answered(revisions::current(&self.database, SUBJECT))
    }
}

impl KeyRow {
    fn entry(self) -> Result<KeyEntry, RepositoryError> {
        Ok(KeyEntry {
            id: KeyId::parse(&self.id).ok_or_else(|| damaged("the id of a key"))?,
            tenant: tenant(&self.organization_id, &self.team_id)?,
            name: self.name,
            rate_limit: count(self.rate_limit),
            created_at: time(self.created_at),
            updated_at: time(self.updated_at),
            expires_at: self.expires_at.map(time),
            revoked_at: self.revoked_at.map(time),
            hash: KeyHash(self.secret_hash.try_into().map_err(|_| damaged("a SHA-256"))?),
        })
    }
}
