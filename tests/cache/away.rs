//! A Redis that is killed, frozen or full costs misses, and nobody's time.

use std::time::{Duration, Instant};

use structured_prompt::domain::health::Status;

use super::process::{Process, answer, command, key};
use super::servers::Redis;

/// Far more than a look-up takes on a busy machine, and far less than a server is given for anything else.
const SOON: Duration = Duration::from_millis(600);

/// Looks up a hundred answers, one after the other, that are not found, and returns how long the first and all took.
async fn misses(process: &Process) -> (Duration, Duration) {
    let began_at = Instant::now();
    assert_eq!(process.shared(&key(1)).await, None);
    let first = began_at.elapsed();
    for _ in 0..99 {
        assert_eq!(process.shared(&key(1)).await, None);
    }
    (first, began_at.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_costs_no_time_and_is_found_again() {
    let server = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let process = Process::start(&server.url()).await;
    process.put(&key(1), &answer(10));
    process.found(&key(1)).await;
    server.kill();
    let (first, all) = misses(&process).await;
    assert!(first < SOON && all < SOON, "{first:?}, {all:?}");
    process.until("it is noticed", |it| it.component().status == Status::Degraded).await;
    let component = process.component();
    assert!(component.is_ready && component.is_alive && component.detail.is_some_and(|why| why.contains("127.0.0.1")));
    server.resume();
    process.found(&key(1)).await;
    process.put(&key(2), &answer(10));
    process.found(&key(2)).await;
    assert_eq!(process.component().status, Status::Up);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_at_the_start_is_done_without_until_it_comes() {
    let server = Redis::start(&[]);
    server.kill();
    let process = Process::unconnected(&server.url());
    let (first, all) = misses(&process).await;
    assert!(first < SOON && all < SOON, "{first:?}, {all:?}");
    process.put(&key(1), &answer(10));
    server.resume();
    process.found(&key(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_is_waited_for_once_and_found_again() {
    let server = Redis::start(&[]);
    let process = Process::start(&server.url()).await;
    process.put(&key(1), &answer(10));
    process.found(&key(1)).await;
    server.signal("STOP");
    let (first, all) = misses(&process).await;
    assert!(first < SOON && all < SOON, "{first:?}, {all:?}");
    process.until("it is noticed", |it| it.component().status == Status::Degraded).await;
    let began_at = Instant::now();
    let stats = process.stats().await;
    assert!(began_at.elapsed() < SOON && stats[1].entries.is_none(), "{stats:?}");
    // What waits to be written has a bound.
    (0..1000).for_each(|n| process.put(&key(n), &answer(10)));
    server.signal("CONT");
    process.found(&key(1)).await;
    process.until("it works again", |it| it.component().status == Status::Up).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_nothing_more_is_said_and_still_read() {
    let server = Redis::start(&["--maxmemory-policy", "noeviction"]);
    let process = Process::start(&server.url()).await;
    process.put(&key(1), &answer(10));
    process.found(&key(1)).await;
    command(&server.url(), &[b"CONFIG", b"SET", b"maxmemory", b"1"]).await;
    process.put(&key(2), &answer(10));
    process.until("it is noticed", |it| it.component().detail.is_some_and(|why| why.contains("OOM"))).await;
    process.found(&key(1)).await;
    command(&server.url(), &[b"CONFIG", b"SET", b"maxmemory", b"0"]).await;
    process.put(&key(2), &answer(10));
    process.found(&key(2)).await;
    process.until("it works again", |it| it.component().status == Status::Up).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_server_has_taken_everything_is_told() {
    let server = Redis::start(&["--maxmemory-policy", "noeviction"]);
    let process = Process::start(&server.url()).await;
    process.put(&key(1), &answer(10));
    assert!(process.redis.has_taken_all().await);
    command(&server.url(), &[b"CONFIG", b"SET", b"maxmemory", b"1"]).await;
    process.put(&key(2), &answer(10));
    assert!(!process.redis.has_taken_all().await, "it refused one");
    let process = Process::start(&server.url()).await;
    drop(server);
    process.put(&key(3), &answer(10));
    assert!(!process.redis.has_taken_all().await, "it is gone");
}
