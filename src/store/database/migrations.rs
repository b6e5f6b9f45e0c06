//! The tables of a database, made and changed step by step.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

use super::store_error;
use crate::store::error::StoreError;

/// One step: whose tables it makes or changes, and how.
pub(super) struct Step {
    /// The subject, which is the description in the table of migrations.
    subject: &'static str,
    sql: &'static str,
}

/// The steps, numbered from one. One that was released is never changed or moved; a new one comes last.
pub(super) const SQLITE: &[Step] =
    &[Step { subject: "journal", sql: include_str!("../../../migrations/sqlite/0001_journal.sql") }];
/// The same for Postgres.
pub(super) const POSTGRES: &[Step] =
    &[Step { subject: "journal", sql: include_str!("../../../migrations/postgres/0001_journal.sql") }];

/// Applies what is missing, each step in a transaction. A database that a newer program wrote is left alone.
pub(super) async fn apply(connection: &mut impl Migrate, steps: &[Step]) -> Result<(), StoreError> {
    let migrator = Migrator::with_migrations(numbered(steps).collect());
    migrator.run_direct(None, connection, false).await.map_err(|error| migration_error(&error))
}

fn numbered(steps: &[Step]) -> impl Iterator<Item = Migration> {
    (1..).zip(steps).map(|(version, Step { subject, sql })| {
        Migration::new(version, (*subject).into(), MigrationType::Simple, sql.into_sql_str(), false)
    })
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the enum is open, and its other errors say what they are")]
fn migration_error(error: &MigrateError) -> StoreError {
    StoreError(match error {
        MigrateError::VersionMissing(version) => format!(
            "the database has migration {version} of a newer version of this program; upgrade, or name another database in store.url"
        ),
        MigrateError::VersionMismatch(version) => format!(
            "migration {version} of the database is not that of this program; name another database in store.url"
        ),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => return store_error(error),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Databases of users have these: another description or another checksum, and they would be refused.
    #[test]
    fn released_steps_stay_as_they_are() {
        let known = |steps: &[Step]| -> Vec<String> {
            let step = |step: Migration| {
                let checksum: String = step.checksum[..4].iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{} {} {checksum}", step.version, step.description)
            };
            numbered(steps).map(step).collect()
        };
        assert_eq!(known(SQLITE), ["1 journal 937aa2c3"]);
        assert_eq!(known(POSTGRES), ["1 journal ead00135"]);
    }
}
