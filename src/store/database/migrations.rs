//! The tables of a database, made and changed step by step.

use std::fmt;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, MigrationType};

use super::store_error;
use crate::store::error::StoreError;

/// One step: whose tables it makes or changes, and how.
struct Script {
    /// The subject, which is the description in the table of migrations.
    subject: &'static str,
    sql: &'static str,
}

/// The steps of one kind of database, numbered from one.
pub(super) struct Steps(&'static [Script]);

/// The steps of a folder of `migrations`. One that was released is never changed or moved; a new one comes last.
macro_rules! steps {
    ($folder:literal: $($number:literal $subject:literal,)*) => {
        Steps(&[$(Script {
            subject: $subject,
            sql: include_str!(concat!("../../../migrations/", $folder, "/", $number, "_", $subject, ".sql")),
        }),*])
    };
}

pub(super) const SQLITE: Steps = steps! { "sqlite":
    "0001" "journal",
    "0002" "api_keys",
    "0003" "request_log",
    "0004" "schemas",
    "0005" "prompt_templates",
    "0006" "jobs",
    "0007" "audit_log",
    "0008" "idempotency",
    "0009" "audit_log_times",
};
pub(super) const POSTGRES: Steps = steps! { "postgres":
    "0001" "journal",
    "0002" "api_keys",
    "0003" "request_log",
    "0004" "schemas",
    "0005" "prompt_templates",
    "0006" "jobs",
    "0007" "audit_log",
    "0008" "idempotency",
    "0009" "audit_log_times",
};

/// A step that was applied: its number and its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its number, from one.
    pub number: i64,
    /// Whose tables it makes or changes.
    pub subject: &'static str,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04} {}", self.number, self.subject)
    }
}

/// Whether this program can work with the tables of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// They are those of this program.
    Ready,
    /// They are not, and somebody has to act: a sentence says how.
    Refused(String),
}

/// How the tables of a database compare with the steps of this program.
pub(super) enum Comparison {
    /// They are what the steps make.
    Same,
    /// Steps are missing.
    Behind(StoreError),
    /// A newer program, or another one, made them.
    Other(StoreError),
}

/// Where sqlx writes down what was applied.
const TABLE: &str = "_sqlx_migrations";

impl Steps {
    /// Applies what is missing, each step in a transaction, and adds it to `done`, also when a later step fails. A
    /// database that a newer program wrote is left alone.
    ///
    /// Others wait meanwhile in Postgres. In SQLite they do not: of two that apply the same step, one fails.
    pub(super) async fn apply(&self, connection: &mut impl Migrate, done: &mut Vec<Step>) -> Result<(), StoreError> {
        connection.lock().await.map_err(|error| migration_error(&error))?;
        match self.compare(connection).await? {
            Comparison::Same => {}
            Comparison::Behind(_) => {
                self.apply_missing(connection, done).await.map_err(|error| migration_error(&error))?;
            }
            Comparison::Other(why) => return Err(why),
        }
        connection.unlock().await.map_err(|error| migration_error(&error))
    }

    async fn apply_missing(&self, connection: &mut impl Migrate, done: &mut Vec<Step>) -> Result<(), MigrateError> {
        connection.ensure_migrations_table(TABLE).await?;
        let applied = applied(connection).await?;
        for (step, migration) in self.all().zip(self.numbered()) {
            if applied.iter().all(|applied| applied.version != step.number) {
                connection.apply(TABLE, &migration).await?;
                done.push(step);
            }
        }
        Ok(())
    }

    /// Compares what was applied with the steps of this program. Nothing is changed.
    pub(super) async fn compare(&self, connection: &mut impl Migrate) -> Result<Comparison, StoreError> {
        let applied = applied(connection).await.map_err(|error| migration_error(&error))?;
        let count = i64::try_from(self.0.len()).unwrap_or(i64::MAX);
        if let Some(newer) = applied.iter().find(|applied| applied.version > count) {
            return Ok(Comparison::Other(migration_error(&MigrateError::VersionMissing(newer.version))));
        }
        let is_changed = |own: &Migration| {
            applied.iter().any(|applied| applied.version == own.version && applied.checksum != own.checksum)
        };
        if let Some(changed) = self.numbered().find(is_changed) {
            return Ok(Comparison::Other(migration_error(&MigrateError::VersionMismatch(changed.version))));
        }
        Ok(if applied.len() < self.0.len() { Comparison::Behind(self.behind(applied.len())) } else { Comparison::Same })
    }

    fn behind(&self, applied: usize) -> StoreError {
        StoreError(format!(
            "the database has {applied} of this program's {} migrations; run `structured-prompt migrate` with the same \
             configuration, and start again",
            self.0.len()
        ))
    }

    fn all(&self) -> impl Iterator<Item = Step> {
        (1..).zip(self.0).map(|(number, script)| Step { number, subject: script.subject })
    }

    fn numbered(&self) -> impl Iterator<Item = Migration> {
        (1..).zip(self.0).map(|(version, Script { subject, sql })| {
            Migration::new(version, (*subject).into(), MigrationType::Simple, sql.into_sql_str(), false)
        })
    }
}

/// What was applied to a database; nothing where nobody ever did.
async fn applied(connection: &mut impl Migrate) -> Result<Vec<AppliedMigration>, MigrateError> {
    match connection.list_applied_migrations(TABLE).await {
        Err(MigrateError::Execute(error)) if is_missing_table(&error) => Ok(Vec::new()),
        applied => applied,
    }
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    const POSTGRES_UNDEFINED_TABLE: &str = "42P01";
    error.as_database_error().is_some_and(|error| {
        error.code().is_some_and(|code| code == POSTGRES_UNDEFINED_TABLE) || error.message().contains("no such table")
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
        let known = |steps: Steps| -> Vec<String> {
            let step = |step: Migration| {
                let checksum: String = step.checksum[..4].iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{} {} {checksum}", step.version, step.description)
            };
            steps.numbered().map(step).collect()
        };
        assert_eq!(
            known(SQLITE),
            [
                "1 journal 937aa2c3",
                "2 api_keys e58b6225",
                "3 request_log 1f065e5f",
                "4 schemas 29e68c53",
                "5 prompt_templates 66594e81",
                "6 jobs 863bbe17",
                "7 audit_log 30295d04",
                "8 idempotency 1c252f2c",
                "9 audit_log_times f3c409a9",
            ]
        );
        assert_eq!(
            known(POSTGRES),
            [
                "1 journal ead00135",
                "2 api_keys fe8cdf07",
                "3 request_log babd5490",
                "4 schemas 9fec3698",
                "5 prompt_templates 8a838e71",
                "6 jobs 39c3eddb",
                "7 audit_log 6c2232b2",
                "8 idempotency 5230ed54",
                "9 audit_log_times 4be86a8f",
            ]
        );
    }
}
