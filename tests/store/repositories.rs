//! What the HTTP API keeps: one contract for memory, SQLite and Postgres.

mod audit;
mod catalog;
mod idempotency;
mod keys;
mod outage;
mod plans;
mod request_log;

use std::sync::Arc;
use std::time::Duration;

use structured_prompt::domain::page::{Page, PageRequest};
use structured_prompt::domain::secret::Secret;
use structured_prompt::domain::tenant::Tenant;
use structured_prompt::ports::clock::{Clock, ManualClock};
use structured_prompt::ports::repository::RepositoryFuture;
use structured_prompt::store::database::Database;
use structured_prompt::store::repositories::{Dependencies, Repositories, Retention};
use structured_prompt::store::selected::SelectedStore;
use structured_prompt::store::settings::Location;
use structured_prompt::tasks::Tasks;
use structured_prompt::telemetry::metrics::Metrics;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::place::soon;

const RETENTION: Duration = Duration::from_secs(24 * 3600);
/// Wednesday, 20 November 2024, 15:42:07 UTC.
const START: Duration = Duration::from_secs(1_732_117_327);

/// Empty repositories, and the clock that they read.
pub struct Kept {
    repositories: Repositories,
    clock: Arc<ManualClock>,
    metrics: Arc<Metrics>,
    /// Ends the tasks when the test does.
    _stop: tokio_util::sync::DropGuard,
}

impl std::ops::Deref for Kept {
    type Target = Repositories;

    fn deref(&self) -> &Repositories {
        &self.repositories
    }
}

impl Kept {
    fn new(repositories: impl FnOnce(Arc<dyn Clock>, &Metrics, CancellationToken) -> Repositories) -> Self {
        let (clock, metrics, stop) = (Arc::new(ManualClock::default()), Metrics::default(), CancellationToken::new());
        clock.advance(START);
        let repositories = repositories(Arc::clone(&clock) as Arc<dyn Clock>, &metrics, stop.clone());
        Self { repositories, clock, metrics: Arc::new(metrics), _stop: stop.drop_guard() }
    }

    fn in_memory() -> Self {
        Self::new(|clock, _, _| Repositories::in_memory(&clock))
    }

    /// Those in a database whose tables are made first.
    pub async fn stored(location: &Location) -> Self {
        let database = database(location);
        database.migrate().await.expect("a database");
        Self::new(|clock, metrics, stop| {
            let deps = Dependencies { clock, tasks: &Tasks::new(Handle::current()), metrics, stop };
            let retention = Retention { request_log: RETENTION, audit_log: RETENTION };
            Repositories::stored(&database, retention, deps).0
        })
    }

    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn database(location: &Location) -> Database {
    match SelectedStore::at(location) {
        SelectedStore::Database(database) => database,
        SelectedStore::Redis(_) => panic!("no database"),
    }
}

pub fn postgres(url: &str) -> Location {
    Location::Postgres(Secret::new(url).into())
}

fn team(name: &str) -> Tenant {
    Tenant::of_team(name).expect("a name")
}

/// All pages of a list, each of this size.
async fn all_pages<'a, T>(limit: u32, list: impl Fn(PageRequest) -> RepositoryFuture<'a, Page<T>>) -> Vec<Vec<T>> {
    let (mut pages, mut request) = (Vec::new(), PageRequest::first(limit));
    loop {
        let Page { items, next } = list(request).await.expect("a page");
        pages.push(items);
        match next {
            Some(next) => request = PageRequest { limit, after: Some(next) },
            None => return pages,
        }
    }
}

async fn check(kept: &Kept) {
    soon(Box::pin(keys::check(kept))).await;
    soon(Box::pin(catalog::check(kept))).await;
    soon(Box::pin(idempotency::check(kept))).await;
    soon(Box::pin(request_log::check(kept))).await;
    soon(Box::pin(audit::check(kept))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_in_memory() {
    check(&Kept::in_memory()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_in_sqlite() {
    let directory = tempfile::tempdir().expect("a directory");
    check_stored(&Location::Sqlite(directory.path().join("store.db"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_in_postgres() {
    check_stored(&postgres(&super::postgres::empty_database("repositories").await)).await;
}

async fn check_stored(location: &Location) {
    let kept = Kept::stored(location).await;
    // First, since it needs tables without other requests.
    soon(Box::pin(request_log::check_table(&kept, database(location)))).await;
    soon(Box::pin(audit::check_table(&kept, database(location)))).await;
    request_log::a_year_is_read_quickly(&kept, location).await;
    check(&kept).await;
}
