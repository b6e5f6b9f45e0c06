//! SQLite: the contract, and a file that is away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use structured_prompt::ports::journal::{Claimed, Journal as _};
use structured_prompt::store::selected::SelectedStore;
use structured_prompt::store::settings::Location;
use tempfile::TempDir;

use super::contract;
use super::place::{Place, RETENTION, body, claim, component, key, problem, soon};

struct File {
    _directory: TempDir,
    path: PathBuf,
    place: Place,
}

/// A file that does not exist yet, in a directory that does not either.
fn file() -> File {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/store.db");
    File { place: Place::new(Location::Sqlite(path.clone()), false), path, _directory: directory }
}

pub async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

async fn assert_intact(path: &Path) {
    let found: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut open(path).await).await.unwrap();
    assert_eq!(found, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn contract() {
    let file = file();
    contract::check(&file.place).await;
    assert_intact(&file.path).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_may_start_at_the_same_time() {
    contract::start_at_once(&file().place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_may_make_the_tables_of_a_new_file_at_the_same_time() {
    for _ in 0..10 {
        let file = file();
        let migrate = || async {
            match SelectedStore::at(&file.place.location) {
                SelectedStore::Database(database) => database.migrate().await.expect("tables"),
                SelectedStore::Redis(_) => panic!("no database"),
            }
        };
        let applied = soon(join_all((0..8).map(|_| migrate()))).await.concat();
        let mut numbers: Vec<i64> = applied.iter().map(|step| step.number).collect();
        numbers.sort_unstable();
        let mut distinct = numbers.clone();
        distinct.dedup();
        assert!(!numbers.is_empty() && numbers == distinct, "each step is named once: {numbers:?}");
        assert_intact(&file.path).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_process_holds_is_waited_for() {
    let file = file();
    let journal = file.place.journal();
    journal.record(key(1), body(1)).await;
    let mut other = open(&file.path).await;
    let transaction = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let calls = join_all((2..100).map(|n| journal.record(key(n), body(n))));
    let release = async {
        let why = problem(&journal).await;
        assert!(why.contains("store.db") && why.contains("database is locked"), "{why}");
        assert!(!component(&journal).is_ready);
        transaction.rollback().await.unwrap();
    };
    soon(async { tokio::join!(calls, release) }).await;
    assert_eq!(journal.problem(), None);
    let recalled = join_all((1..100).map(|n| journal.recall(key(n)))).await;
    assert!((1..100).zip(recalled).all(|(n, outcome)| outcome == Some(body(n))));
    assert_intact(&file.path).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_goes_on_while_another_process_writes() {
    let file = file();
    let journal = file.place.journal();
    journal.record(key(1), body(1)).await;
    let mut other = open(&file.path).await;
    let _transaction = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let recalled = tokio::time::timeout(Duration::from_secs(2), journal.recall(key(1))).await;
    assert_eq!(recalled.expect("no wait for the writer"), Some(body(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_cannot_be_made_is_said_and_waited_for() {
    let file = file();
    let in_the_way = file.path.parent().unwrap();
    fs::write(in_the_way, "a file, not a directory").unwrap();
    let journal = file.place.journal();
    let why = problem(&journal).await;
    assert!(why.contains("no directory for it"), "{why}");
    let clear = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        fs::remove_file(in_the_way).unwrap();
    };
    soon(async { tokio::join!(journal.record(key(1), body(1)), clear) }).await;
    assert_eq!(journal.problem(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_left_as_it_is() {
    let file = file();
    fs::create_dir(file.path.parent().unwrap()).unwrap();
    let text = "precious notes, ".repeat(1000);
    fs::write(&file.path, &text).unwrap();
    let journal = file.place.journal();
    let why = problem(&journal).await;
    assert!(why.contains("file is not a database"), "{why}");
    assert_eq!(fs::read_to_string(&file.path).unwrap(), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let file = file();
    let journal = file.place.journal();
    journal.record(key(1), body(1)).await;
    drop(journal);
    let mut database = open(&file.path).await;
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, x'00', 1)")
        .execute(&mut database)
        .await
        .unwrap();
    let journal = file.place.journal();
    let why = problem(&journal).await;
    assert!(why.contains("migration 9999 of a newer version") && why.contains("store.url"), "{why}");
    let call = tokio::time::timeout(Duration::from_millis(500), journal.record(key(2), body(2)));
    assert!(call.await.is_err(), "nothing is written");
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM outcomes").fetch_one(&mut database).await.unwrap();
    assert_eq!(count, 1);
}

/// A file system of one megabyte.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// Where mounting is allowed, which takes root.
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(directory.path())
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(directory))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0.path()).status());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_waited_for_and_nothing_is_lost() {
    let Some(disk) = SmallDisk::mount() else {
        return println!("not tested: only root may mount a small disk");
    };
    let path = disk.0.path().join("store.db");
    let ballast = disk.0.path().join("ballast");
    fs::write(&ballast, vec![0; 512 << 10]).unwrap();
    let place = Place::new(Location::Sqlite(path.clone()), false);
    let journal = place.journal();
    let outcome = |n: u32| bytes::Bytes::from(vec![u8::try_from(n).unwrap(); 4096]);
    let mut written = 0;
    let why = loop {
        let call = tokio::time::timeout(Duration::from_secs(1), journal.record(key(written), outcome(written)));
        if call.await.is_err() {
            break problem(&journal).await;
        }
        written += 1;
        assert!(written < 200, "half a megabyte takes no {written} outcomes of 4 KiB");
    };
    assert!(why.contains("disk is full") || why.contains("disk I/O error"), "{why}");
    let calls = join_all((written..written + 20).map(|n| journal.record(key(n), outcome(n))));
    let release = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        fs::remove_file(&ballast).unwrap();
    };
    soon(async { tokio::join!(calls, release) }).await;
    let recalled = join_all((0..written + 20).map(|n| journal.recall(key(n)))).await;
    assert!((0..).zip(recalled).all(|(n, found)| found == Some(outcome(n))));
    assert_intact(&path).await;
    drop(journal);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_not_seen_even_before_it_is_removed() {
    let file = file();
    let journal = file.place.journal();
    journal.record(key(1), body(1)).await;
    file.place.pass(RETENTION).await;
    assert_eq!(journal.recall(key(1)).await, None);
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM outcomes").fetch_one(&mut open(&file.path).await).await.unwrap();
    assert_eq!(count, 1);
    assert_eq!(journal.claim(vec![claim(1, 1, "a")]).await, [Claimed::Granted]);
}
