//! A database of Postgres 15 or newer.

use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Postgres};
use tokio::sync::watch;

use super::migrations::{self, Comparison, Readiness, Step};
use super::{ANSWER_LIMIT, store_error};
use crate::domain::secret::Secret;
use crate::file_watch::current_secret::CurrentSecret;
use crate::store::availability::StoreName;
use crate::store::error::StoreError;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const PING_LIMIT: Duration = Duration::from_secs(2);
/// Servers allow a hundred by default, for all instances together.
const MAX_CONNECTIONS: u32 = 6;
/// Limits that the server keeps, in milliseconds: nothing waits for ever behind another's lock, and a process that
/// stops in a transaction does not hold its own.
const LIMITS: [(&str, &str); 3] =
    [("lock_timeout", "5000"), ("statement_timeout", "8000"), ("idle_in_transaction_session_timeout", "10000")];
/// Everything is looked up by key. A plan that was made while the tables were new would read all of them, for as long
/// as the server keeps it.
const PLANS: [(&str, &str); 1] = [("enable_seqscan", "off")];

/// A Postgres database.
#[derive(Debug, Clone)]
pub struct PostgresDatabase {
    /// None if the URL cannot be read. It was checked when the configuration was.
    pool: Option<PgPool>,
    /// The URL, and whether it was replaced since new connections were last made with it.
    url: Arc<Mutex<watch::Receiver<Secret>>>,
}

impl PostgresDatabase {
    /// The database at this URL. Nothing is connected yet.
    pub(in crate::store) fn new(url: &CurrentSecret) -> Self {
        let options = options(&url.get());
        let pool = PoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(CONNECT_LIMIT)
            .after_connect(|connection, _| set_durable(connection).boxed())
            .after_release(|connection, _| is_usable(connection).boxed());
        let url = Arc::new(Mutex::new(url.subscribe()));
        Self { pool: options.map(|options| pool.connect_lazy_with(options)), url }
    }

    pub(in crate::store) fn name(&self) -> StoreName {
        let options = self.pool.as_ref().map(|pool| pool.connect_options());
        StoreName {
            kind: "postgres",
            place: options.map_or_else(
                || "store.url".to_owned(),
                |options| format!("{}:{}", options.get_host(), options.get_port()),
            ),
            advice: "check that the server runs and can be reached, and the user, password and database in store.url",
        }
    }

    /// A connection to a database that is there and has all tables.
    pub(in crate::store) async fn connect(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        match self.readiness().await? {
            Readiness::Ready => self.pool()?.acquire().await.map_err(|error| store_error(&error)),
            Readiness::Refused(why) => Err(StoreError(why)),
        }
    }

    /// A connection for somebody who does not wait long. The tables are taken to be there.
    pub(in crate::store) async fn acquire(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        let name = self.name();
        super::soon(&name, self.pool()?.acquire()).await
    }

    /// Makes or changes the tables.
    pub(super) async fn migrate(&self) -> Result<Vec<Step>, StoreError> {
        let mut connection = self.connect_directly().await?;
        set_durable(&mut connection).await.map_err(|error| store_error(&error))?;
        let mut applied = Vec::new();
        migrations::POSTGRES.apply(&mut connection, &mut applied).await?;
        close(connection).await?;
        Ok(applied)
    }

    /// Whether this program can work with the tables. A server that accepts connections and stands still is away.
    pub(super) async fn readiness(&self) -> Result<Readiness, StoreError> {
        let late = |_| StoreError(format!("no answer within {} s", ANSWER_LIMIT.as_secs()));
        tokio::time::timeout(ANSWER_LIMIT, self.compare()).await.map_err(late)?
    }

    async fn compare(&self) -> Result<Readiness, StoreError> {
        let mut connection = self.connect_directly().await?;
        let comparison = migrations::POSTGRES.compare(&mut connection).await?;
        close(connection).await?;
        Ok(match comparison {
            Comparison::Same => Readiness::Ready,
            Comparison::Behind(StoreError(why)) | Comparison::Other(StoreError(why)) => Readiness::Refused(why),
        })
    }

    /// A connection beside the pool: the pool would try for a while, and then say only that it took too long.
    async fn connect_directly(&self) -> Result<PgConnection, StoreError> {
        let options = self.pool()?.connect_options();
        let connected = tokio::time::timeout(CONNECT_LIMIT, options.connect()).await;
        let connected = connected.map_err(|_| StoreError(format!("no answer within {} s", CONNECT_LIMIT.as_secs())))?;
        connected.map_err(|error| store_error(&error))
    }

    fn pool(&self) -> Result<&PgPool, StoreError> {
        // The words of the error that was dropped could quote the URL.
        let unreadable = || StoreError("store.url is not the URL of a Postgres database".to_owned());
        let pool = self.pool.as_ref().ok_or_else(unreadable)?;
        let mut url = self.url.lock().unwrap_or_else(PoisonError::into_inner);
        // An error says that nobody is left who could replace it.
        if url.has_changed().unwrap_or(false)
            && let Some(options) = options(&url.borrow_and_update())
        {
            pool.set_connect_options(options);
        }
        Ok(pool)
    }
}

/// How connections are made.
fn options(url: &Secret) -> Option<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url.expose()).ok()?;
    Some(options.options(LIMITS).options(PLANS).disable_statement_logging())
}

async fn close(connection: PgConnection) -> Result<(), StoreError> {
    connection.close().await.map_err(|error| store_error(&error))
}

/// Whether somebody else can have a connection that was given back, perhaps in the middle of its work. The pool would
/// wait for ever to find out, and have one connection less.
async fn is_usable(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let answer = tokio::time::timeout(PING_LIMIT, connection.ping()).await;
    answer.map_err(|_| sqlx::Error::PoolTimedOut)?.map(|()| true)
}

/// A server may be set up to answer before it has written; whatever it waits for beyond that is its owner's choice.
async fn set_durable(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    const DURABLE: &str =
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
    sqlx::query(DURABLE).execute(connection).await.map(drop)
}
