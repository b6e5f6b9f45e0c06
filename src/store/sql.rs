//! What the SQL stores share: their tables, their errors, their rows.

use bytes::Bytes;
use sqlx::SqlSafeStr as _;
use sqlx::error::Error;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

use super::backend::{Hash, Holder, Trouble};

/// The schema, step by step. One that was released is never changed; a new one is added below it.
pub(super) const SQLITE: &[&str] = &[include_str!("../../migrations/sqlite/0001_journal.sql")];
/// The same for Postgres.
pub(super) const POSTGRES: &[&str] = &[include_str!("../../migrations/postgres/0001_journal.sql")];

/// Applies what is missing, each migration in a transaction. A database that a newer program wrote is left alone.
pub(super) async fn migrate(connection: &mut impl Migrate, migrations: &[&'static str]) -> Result<(), Trouble> {
    let numbered = (1..).zip(migrations).map(|(version, sql)| {
        let name = "journal".into();
        Migration::new(version, name, MigrationType::Simple, sql.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(numbered.collect());
    migrator.run_direct(None, connection, false).await.map_err(|error| trouble(&error))
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the enum is open, and its other errors say what they are")]
fn trouble(error: &MigrateError) -> Trouble {
    Trouble(match error {
        MigrateError::VersionMissing(version) => format!(
            "the database has migration {version} of a newer version of this program; upgrade, or name another database in store.url"
        ),
        MigrateError::VersionMismatch(version) => format!(
            "migration {version} of the database is not that of this program; name another database in store.url"
        ),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => why(error),
        other => other.to_string(),
    })
}

/// What a database says about an error; no data of ours, no address, no secret.
#[allow(clippy::wildcard_enum_match_arm, reason = "the enum is open, and its other errors say what they are")]
pub(super) fn why(error: &Error) -> String {
    match error {
        Error::Database(error) => match error.code() {
            Some(code) => format!("{} ({code})", error.message()),
            None => error.message().to_owned(),
        },
        Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Rows of event, input and origin.
pub(super) fn holders(rows: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)>) -> impl Iterator<Item = (Hash, Holder)> {
    rows.into_iter().filter_map(|(event, input, origin)| {
        Some((event.try_into().ok()?, Holder { input: input.try_into().ok()?, origin }))
    })
}

/// Rows of key and body.
pub(super) fn outcomes(rows: Vec<(Vec<u8>, Vec<u8>)>) -> impl Iterator<Item = (Hash, Bytes)> {
    rows.into_iter().filter_map(|(key, body)| Some((key.try_into().ok()?, Bytes::from(body))))
}
