//! Redis: the contract, and a server that is away.

use std::time::Duration;

use futures_util::future::join_all;
use structured_prompt::domain::secret::Secret;
use structured_prompt::ports::journal::Journal as _;
use structured_prompt::store::settings::Location;

use super::contract;
use super::place::{Place, body, component, key, problem, soon};
use super::servers::{self, Redis};

const DURABLE: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

fn place(url: &str) -> Place {
    Place::new(Location::Redis(Secret::new(url).into()), true)
}

async fn command(url: &str, command: &[&str]) {
    let client = ::redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    ::redis::cmd(command[0]).arg(&command[1..]).exec_async(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn contract() {
    let url = format!("{}/1", servers::shared("STRUCTURED_PROMPT_TEST_REDIS"));
    command(&url, &["FLUSHDB"]).await;
    contract::check(&place(&url)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_is_waited_for_and_nothing_is_lost() {
    let server = Redis::start(DURABLE);
    let journal = place(&server.url()).keeping(Duration::from_secs(3600));
    journal.record(key(1), body(1)).await;
    server.kill();
    let calls = join_all((2..300).map(|n| journal.record(key(n), body(n))));
    let come_back = async {
        let why = problem(&journal).await;
        assert!(why.starts_with("redis 127.0.0.1:"), "{why}");
        assert!(!component(&journal).is_ready);
        server.resume();
    };
    soon(async { tokio::join!(calls, come_back) }).await;
    assert_eq!(journal.problem(), None);
    let recalled = join_all((1..300).map(|n| journal.recall(key(n)))).await;
    assert!((1..300).zip(recalled).all(|(n, outcome)| outcome == Some(body(n))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_is_noticed() {
    let server = Redis::start(DURABLE);
    let journal = place(&server.url()).keeping(Duration::from_secs(3600));
    journal.record(key(1), body(1)).await;
    server.signal("STOP");
    let go_on = async {
        let why = problem(&journal).await;
        assert!(why.contains("timed out"), "{why}");
        server.signal("CONT");
    };
    soon(async { tokio::join!(journal.record(key(2), body(2)), go_on) }).await;
    assert_eq!(journal.recall(key(2)).await, Some(body(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_full_is_said_and_waited_for() {
    let server = Redis::start(&["--appendonly", "yes", "--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
    let journal = place(&server.url()).keeping(Duration::from_secs(3600));
    let make_room = async {
        let why = problem(&journal).await;
        assert!(why.contains("OOM") && why.chars().count() < 450, "{why}");
        command(&server.url(), &["CONFIG", "SET", "maxmemory", "0"]).await;
    };
    let calls = join_all((1..300).map(|n| journal.record(key(n), body(n))));
    soon(async { tokio::join!(calls, make_room) }).await;
    assert_eq!(journal.recall(key(299)).await, Some(body(299)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_in_no_problem() {
    let server = servers::shared("STRUCTURED_PROMPT_TEST_REDIS");
    let (_, address) = server.split_once("://").unwrap();
    for url in [format!("redis://me:canary@{address}"), "redis://:canary@127.0.0.1:9".to_owned()] {
        let place = place(&url);
        assert!(!format!("{:?}", place.location).contains("canary"));
        let why = problem(&place.journal()).await;
        assert!(!why.contains("canary"), "{why}");
    }
}
