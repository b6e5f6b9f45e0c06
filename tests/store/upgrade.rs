//! A database of an earlier version goes on with this one.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use structured_prompt::ports::journal::{Claimed, Journal as _};
use structured_prompt::store::settings::Location;

use super::place::{Place, body, claim, key, soon};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_version_0_1_0_is_opened_and_remembers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut database = options.connect().await.unwrap();
    sqlx::raw_sql(include_str!("version_0.1.0.sql")).execute(&mut database).await.unwrap();
    database.close().await.unwrap();

    let journal = Place::new(Location::Sqlite(path), false).journal();
    assert_eq!(soon(journal.recall(key(1))).await, Some(body(1)), "{:?}", journal.problem());
    let claims = vec![claim(2, 1, "a"), claim(2, 1, "b"), claim(2, 3, "b"), claim(3, 1, "b")];
    let expected = [Claimed::Granted, Claimed::Repeat, Claimed::Conflict, Claimed::Granted];
    assert_eq!(soon(journal.claim(claims)).await, expected);
    soon(journal.record(key(2), body(2))).await;
    assert_eq!(soon(journal.recall(key(2))).await, Some(body(2)));
}
