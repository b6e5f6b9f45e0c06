//! A database that is away, or not as this program needs it.

use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::{ConnectOptions as _, Connection as _};
use structured_prompt::domain::api_key::KeyId;
use structured_prompt::domain::tenant::Tenant;
use structured_prompt::ports::journal::Journal as _;
use structured_prompt::ports::repository::RepositoryError;
use structured_prompt::store::database::migrations::Readiness;
use structured_prompt::store::settings::Location;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::super::place::{Place, body, key, problem, soon};
use super::super::postgres::{connect, empty_database};
use super::super::servers::Postgres;
use super::request_log::{request, wait_for};
use super::{Kept, database, postgres};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_said_soon_and_loses_no_row_that_has_room() {
    const ROWS: u64 = 2000;
    let server = Postgres::start();
    let kept = Kept::stored(&postgres(&server.url())).await;
    let (id, tenant) = (KeyId::parse("00000000000").unwrap(), Tenant::default());
    kept.request_log.log(request(&kept, &tenant, 0));
    soon(wait_for(&kept, &tenant, 1)).await;
    server.stop();
    for n in 1..ROWS {
        kept.request_log.log(request(&kept, &tenant, n));
    }
    for _ in 0..3 {
        let began_at = Instant::now();
        let why = match kept.keys.find(&id).await {
            Err(RepositoryError::Unavailable(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(why.starts_with("postgres 127.0.0.1:") && !why.contains("tester"), "{why}");
        assert!(began_at.elapsed() < Duration::from_secs(4), "{:?}", began_at.elapsed());
    }
    server.resume();
    let back = async {
        while kept.keys.find(&id).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    soon(back).await;
    soon(async {
        while kept.metrics.table("request_log").written.get() < ROWS {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert_eq!(kept.metrics.table("request_log").dropped.get(), 0);
    let last = kept.request_history.get(&tenant, &format!("request-{}", ROWS - 1)).await;
    assert_eq!(last.map(|request| request.input_tokens), Ok(ROWS - 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_holds_up_nobody_for_long_and_is_found_again() {
    let server = Postgres::migrated();
    let kept = Kept::stored(&postgres(&server.url())).await;
    let id = KeyId::parse("00000000000").unwrap();
    // More than the pool has connections, so that each of these has been used.
    let calls = || join_all((0..20).map(|_| kept.keys.find(&id)));
    assert!(soon(calls()).await.iter().all(Result::is_ok));
    server.signal("STOP");
    let began_at = Instant::now();
    assert!(calls().await.iter().all(Result::is_err));
    assert!(began_at.elapsed() < Duration::from_secs(12), "{:?}", began_at.elapsed());
    server.signal("CONT");
    soon(async {
        while !calls().await.iter().all(Result::is_ok) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// A server of which nothing is left but the network: it says that a client may begin, and then nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_after_the_greeting_is_away() {
    const NO_TLS: &[u8] = b"N";
    const READY: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://tester@{}/x", listener.local_addr().unwrap());
    let serve = async {
        let (mut client, _) = listener.accept().await.unwrap();
        for answer in [NO_TLS, READY] {
            assert!(client.read(&mut [0; 1024]).await.unwrap() > 0);
            client.write_all(answer).await.unwrap();
        }
        assert!(client.read(&mut [0; 1024]).await.unwrap() > 0, "it asks something");
        std::future::pending::<()>().await;
    };
    let database = database(&postgres(&url));
    let why = tokio::select! {
        readiness = soon(database.readiness()) => readiness.unwrap_err().to_string(),
        () = serve => panic!("it never ends"),
    };
    assert!(why.contains("no answer within"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_table_and_sessions_that_are_ended_leave_nobody_stuck() {
    const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let server = Postgres::migrated();
    let kept = Kept::stored(&postgres(&server.url())).await;
    let id = KeyId::parse("00000000000").unwrap();
    let calls = || join_all((0..50).map(|_| kept.keys.find(&id)));
    let mut other = connect(&server.url()).await;
    let mut transaction = other.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let began_at = Instant::now();
    assert!(calls().await.iter().all(Result::is_err), "all connections wait for the lock, and the others for them");
    assert!(began_at.elapsed() < Duration::from_secs(12), "{:?}", began_at.elapsed());
    transaction.rollback().await.unwrap();
    for _ in 0..10 {
        let (_, ended) = tokio::join!(calls(), sqlx::query(TERMINATE).execute(&mut other));
        ended.unwrap();
    }
    soon(async {
        while !calls().await.iter().all(Result::is_ok) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_nobody_migrated_is_refused_with_the_command_and_then_migrated_once() {
    let url = empty_database("unmigrated").await;
    let location = postgres(&url);
    let database = database(&location);
    let Readiness::Refused(why) = database.readiness().await.unwrap() else { panic!("it was never migrated") };
    assert!(why.contains("`structured-prompt migrate`") && why.contains("has 0 of"), "{why}");
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("runtime.yaml", "http: { listen: '127.0.0.1:0' }\nrouting: { fallback: [offline] }\n");
    write("connector.yaml", include_str!("../../../connectors/support-triage.yaml"));
    let run = Command::new(env!("CARGO_BIN_EXE_structured-prompt"))
        .args(["run", "--config", "runtime.yaml", "--connectors", "connector.yaml"])
        .env("STRUCTURED_PROMPT_STORE__URL", &url)
        .current_dir(directory.path())
        .output()
        .unwrap();
    let log = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.code() == Some(2) && log.contains("`structured-prompt migrate`"), "{:?} {log}", run.status);
    let place = Place::new(location, false);
    let journal = place.journal();
    assert!(problem(&journal).await.contains("`structured-prompt migrate`"));
    let steps = database.migrate().await.unwrap();
    assert_eq!((steps[0].number, steps[0].subject), (1, "journal"));
    assert!(steps.len() >= 8);
    assert_eq!(database.readiness().await, Ok(Readiness::Ready));
    assert_eq!(database.migrate().await, Ok(Vec::new()));
    soon(journal.record(key(1), body(1))).await;
    assert_eq!(journal.problem(), None, "what waited goes on by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused_as_it_is() {
    const LATER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, 'x', 1)";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let in_file = database(&Location::Sqlite(path.clone()));
    in_file.migrate().await.unwrap();
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    sqlx::query(LATER).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let url = empty_database("later").await;
    let on_server = database(&postgres(&url));
    on_server.migrate().await.unwrap();
    sqlx::query(LATER).execute(&mut connect(&url).await).await.unwrap();
    for database in [in_file, on_server] {
        let Readiness::Refused(why) = database.readiness().await.unwrap() else { panic!("it is newer") };
        assert!(why.contains("migration 9999 of a newer version"), "{why}");
        assert!(database.migrate().await.is_err());
    }
}
