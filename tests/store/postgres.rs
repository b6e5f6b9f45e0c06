//! Postgres: the contract, and a database that is away.

use std::str::FromStr as _;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use structured_prompt::domain::secret::Secret;
use structured_prompt::ports::journal::{Claimed, Journal as _};
use structured_prompt::store::journal::SharedJournal;
use structured_prompt::store::selected::SelectedStore;
use structured_prompt::store::settings::Location;

use super::contract;
use super::place::{Place, body, claim, component, key, problem, soon};
use super::servers::{self, Postgres};

fn place(url: &str) -> Place {
    Place::new(Location::Postgres(Secret::new(url).into()), false)
}

pub async fn connect(url: &str) -> PgConnection {
    PgConnectOptions::from_str(url).unwrap().connect().await.unwrap()
}

/// A database on the shared server, with our tables.
pub async fn database(name: &str) -> String {
    let url = empty_database(name).await;
    migrate(&url).await;
    url
}

/// Makes the tables, and returns the numbers of the steps.
async fn migrate(url: &str) -> Vec<i64> {
    match SelectedStore::at(&Location::Postgres(Secret::new(url).into())) {
        SelectedStore::Database(database) => database.migrate().await.unwrap().iter().map(|step| step.number).collect(),
        SelectedStore::Redis(_) => panic!("no database"),
    }
}

/// An empty database on the shared server.
pub async fn empty_database(name: &str) -> String {
    let server = servers::shared("STRUCTURED_PROMPT_TEST_POSTGRES");
    let name = format!("{name}_{}", std::process::id());
    let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::raw_sql(create).execute(&mut connect(&server).await).await.unwrap();
    let (before, _) = server.rsplit_once('/').unwrap();
    format!("{before}/{name}")
}

/// Records that begin while the database is away and end when it is back.
async fn write_around(journal: &SharedJournal, come_back: impl Future<Output = ()>) {
    let calls = join_all((2..300).map(|n| journal.record(key(n), body(n))));
    soon(async { tokio::join!(calls, come_back) }).await;
    assert_eq!(journal.problem(), None);
    let recalled = join_all((1..300).map(|n| journal.recall(key(n)))).await;
    assert!((1..300).zip(recalled).all(|(n, outcome)| outcome == Some(body(n))));
}

#[tokio::test(flavor = "multi_thread")]
async fn contract() {
    contract::check(&place(&database("contract").await)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_may_start_at_the_same_time() {
    let url = empty_database("start").await;
    let mut applied = soon(join_all((0..8).map(|_| migrate(&url)))).await.concat();
    applied.sort_unstable();
    let mut distinct = applied.clone();
    distinct.dedup();
    assert!(!applied.is_empty() && applied == distinct, "each step is named by the one that applied it: {applied:?}");
    contract::start_at_once(&place(&url)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_is_waited_for_and_nothing_is_lost() {
    let server = Postgres::migrated();
    let journal = place(&server.url()).journal();
    journal.record(key(1), body(1)).await;
    server.stop();
    write_around(&journal, async {
        let why = problem(&journal).await;
        assert!(why.starts_with("postgres 127.0.0.1:") && !why.contains("tester"), "{why}");
        assert!(!component(&journal).is_ready);
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.resume();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_yet_is_said_and_waited_for() {
    let server = Postgres::migrated();
    server.stop();
    let journal = place(&server.url()).journal();
    let why = problem(&journal).await;
    assert!(why.contains("127.0.0.1:") && why.contains("refused"), "{why}");
    server.resume();
    soon(journal.record(key(1), body(1))).await;
    assert_eq!(journal.problem(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_is_noticed() {
    let server = Postgres::migrated();
    let journal = place(&server.url()).journal();
    journal.record(key(1), body(1)).await;
    server.signal("STOP");
    let calls = join_all((2..300).map(|n| journal.record(key(n), body(n))));
    let go_on = async {
        let why = problem(&journal).await;
        assert!(why.contains("no answer within"), "{why}");
        server.signal("CONT");
    };
    let all = async { tokio::join!(calls, go_on) };
    tokio::time::timeout(Duration::from_secs(40), all).await.expect("it goes on");
    assert_eq!(journal.recall(key(299)).await, Some(body(299)));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_the_server_ends_are_opened_anew() {
    const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let url = database("terminated").await;
    let journal = place(&url).journal();
    let mut other = connect(&url).await;
    for round in 0..20 {
        let range = round * 50..(round + 1) * 50;
        let calls = join_all(range.map(|n| journal.record(key(n), body(n))));
        let (_, ended) = soon(async { tokio::join!(calls, sqlx::query(TERMINATE).execute(&mut other)) }).await;
        ended.unwrap();
    }
    let recalled = soon(join_all((0..1000).map(|n| journal.recall(key(n))))).await;
    assert!((0..1000).zip(recalled).all(|(n, outcome)| outcome == Some(body(n))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_locked_is_waited_for_but_not_for_ever() {
    let url = database("locked").await;
    let journal = place(&url).journal();
    journal.record(key(1), body(1)).await;
    let mut other = connect(&url).await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE outcomes IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    write_around(&journal, async {
        let began_at = Instant::now();
        let why = problem(&journal).await;
        assert!(why.contains("lock timeout"), "{why}");
        assert!(began_at.elapsed() < Duration::from_secs(8), "{:?}", began_at.elapsed());
        transaction.rollback().await.unwrap();
    })
    .await;
}

/// A plan that reads the whole table is right while it is new, and is kept when it has grown.
#[tokio::test(flavor = "multi_thread")]
async fn entries_are_looked_up_by_key_from_the_first_on() {
    const SCANS: &str = "SELECT seq_scan, n_tup_ins FROM pg_stat_user_tables WHERE relname = $1";
    let url = database("plans").await;
    let place = place(&url);
    let journal = place.journal();
    for round in 0..20 {
        let range = round * 50..(round + 1) * 50;
        soon(journal.claim(range.clone().map(|n| claim(n, 1, "a")).collect())).await;
        soon(join_all(range.clone().map(|n| journal.record(key(n), body(n))))).await;
        soon(join_all(range.map(|n| journal.recall(key(n))))).await;
    }
    drop(journal);
    let mut other = connect(&url).await;
    for table in ["claims", "outcomes"] {
        // The session tells its numbers when it ends.
        let scans: i64 = soon(async {
            loop {
                let (scans, rows): (i64, i64) = sqlx::query_as(SCANS).bind(table).fetch_one(&mut other).await.unwrap();
                if rows == 1000 {
                    return scans;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        assert!(scans <= 2, "{scans} scans of {table}; making its two indexes takes two");
    }
}

/// Rows locked in an order of their own make our batches and others wait for each other; the server ends one of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_costs_time_only() {
    let url = database("deadlock").await;
    let place = place(&url);
    let journal = place.journal();
    let claims = || vec![claim(1, 1, "a"), claim(2, 1, "a")];
    assert_eq!(journal.claim(claims()).await, [Claimed::Granted; 2]);
    let mut other = connect(&url).await;
    for _ in 0..3 {
        let mut transaction = other.begin().await.unwrap();
        let lock = |n| sqlx::query("SELECT 1 FROM claims WHERE event = $1 FOR UPDATE").bind(key(n).0.to_vec());
        lock(2).execute(&mut *transaction).await.unwrap();
        let call = journal.claim(claims());
        let interfere = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            // Which of the two is ended is the server's choice.
            drop(lock(1).execute(&mut *transaction).await);
            drop(transaction.rollback().await);
        };
        let (decided, ()) = soon(async { tokio::join!(call, interfere) }).await;
        assert_eq!(decided, [Claimed::Granted; 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused() {
    const LATER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', true, '\\x00', 1)";
    let url = database("newer").await;
    let place = place(&url);
    place.journal().record(key(1), body(1)).await;
    sqlx::query(LATER).execute(&mut connect(&url).await).await.unwrap();
    let why = problem(&place.journal()).await;
    assert!(why.contains("migration 9999 of a newer version"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_in_no_problem() {
    let server = servers::shared("STRUCTURED_PROMPT_TEST_POSTGRES");
    let (_, address) = server.split_once('@').unwrap();
    for url in [format!("postgres://nobody:canary@{address}"), "postgres://me:canary@127.0.0.1:9/x".to_owned()] {
        let place = place(&url);
        assert!(!format!("{:?}", place.location).contains("canary"));
        let why = problem(&place.journal()).await;
        assert!(!why.contains("canary"), "{why}");
    }
}
