//! Limits of keys that processes count together in Redis, and each by itself while Redis is away.

use std::time::{Duration, Instant};

use structured_prompt::cache::redis::rate_limits::RedisRateLimits;
use structured_prompt::domain::api_key::KeyId;
use structured_prompt::domain::health::Status;
use structured_prompt::ports::rate_limits::{Quota, RateLimits as _, WINDOW};

use super::process::{Process, command};
use super::servers::Redis;

/// Far more than 20 ms on a busy machine, and far less than a request may take.
const SOON: Duration = Duration::from_millis(600);

fn key() -> KeyId {
    KeyId::parse("aaaaaaaaaaa").unwrap()
}

/// Takes requests until they are refused, at most so many, and says how many were taken.
async fn take_all(limits: &RedisRateLimits, limit: u32, most: u32) -> u32 {
    for taken in 0..most {
        if limits.take(&key(), limit, 1).await.refused_for.is_some() {
            return taken;
        }
    }
    most
}

/// A process that counts in Redis: a busy machine may make it count by itself at first.
async fn counting(url: &str) -> (Process, RedisRateLimits) {
    let process = Process::start(url).await;
    let limits = process.redis.rate_limits();
    (process, limits)
}

async fn until_it_is(process: &Process, status: Status) {
    process.until("its state", |it| it.component().status == status).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_give_a_key_its_limit_once() {
    let server = Redis::start(&[]);
    let ((_one, first), (_other, second)) = (counting(&server.url()).await, counting(&server.url()).await);
    assert_eq!(take_all(&first, 100, 60).await + take_all(&second, 100, 60).await, 100);
    let Quota { limit, remaining, refused_for, .. } = first.take(&key(), 100, 1).await;
    assert_eq!((limit, remaining), (100, 0));
    // An hour's hundredth part, less what the test has taken.
    assert!(refused_for.is_some_and(|pause| (20..=36).contains(&pause.as_secs())), "{refused_for:?}");
    first.give_back(&key(), 5).await;
    assert_eq!(second.take(&key(), 100, 6).await.remaining, 5, "all of them or none");
    assert_eq!(second.take(&key(), 100, 5).await.refused_for, None);
    assert_eq!(first.take(&key(), 0, 1).await.refused_for, Some(WINDOW));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_fills_by_the_clock_of_the_server_whoever_asks_how_often() {
    let server = Redis::start(&[]);
    let (_process, limits) = counting(&server.url()).await;
    // One comes back every 250 ms.
    let limit = 4 * 3600;
    assert_eq!(limits.take(&key(), limit, limit).await.refused_for, None);
    let began_at = Instant::now();
    while limits.take(&key(), limit, 4).await.refused_for.is_some() {
        assert!(began_at.elapsed() < Duration::from_secs(20), "it does not fill");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(began_at.elapsed() > Duration::from_millis(900), "{:?}", began_at.elapsed());
    let left = command(&server.url(), &[b"PTTL", b"structured-prompt:rate-limit:aaaaaaaaaaa"]).await;
    let left: i64 = redis::from_redis_value(left).unwrap();
    assert!((1..=3_600_000).contains(&left), "it goes when it is full anyway: {left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_keeps_nobody_waiting_and_the_process_counts_on() {
    let server = Redis::start(&[]);
    let (process, limits) = counting(&server.url()).await;
    assert_eq!(limits.take(&key(), 50, 30).await.remaining, 20);
    server.signal("STOP");
    let began_at = Instant::now();
    assert_eq!(limits.take(&key(), 50, 1).await.remaining, 19, "from what it last knew");
    assert!(began_at.elapsed() < SOON, "{:?}", began_at.elapsed());
    assert_eq!(take_all(&limits, 50, 100).await, 19);
    assert!(began_at.elapsed() < SOON * 2, "{:?}", began_at.elapsed());
    until_it_is(&process, Status::Degraded).await;
    server.signal("CONT");
    until_it_is(&process, Status::Up).await;
    let quota = limits.take(&key(), 50, 1).await;
    assert!((17..=19).contains(&quota.remaining), "the server counts on from what it has: {quota:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_counts_anew_when_it_is_back() {
    let server = Redis::start(&[]);
    let (process, limits) = counting(&server.url()).await;
    assert_eq!(limits.take(&key(), 50, 50).await.remaining, 0);
    server.kill();
    let began_at = Instant::now();
    assert_eq!(take_all(&limits, 50, 100).await, 0);
    assert!(began_at.elapsed() < SOON, "{:?}", began_at.elapsed());
    until_it_is(&process, Status::Degraded).await;
    server.resume();
    until_it_is(&process, Status::Up).await;
    assert_eq!(limits.take(&key(), 50, 1).await.remaining, 49);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_bucket_is_left_alone() {
    let server = Redis::start(&[]);
    let (process, limits) = counting(&server.url()).await;
    command(&server.url(), &[b"SET", b"structured-prompt:rate-limit:aaaaaaaaaaa", b"garbage"]).await;
    assert_eq!(take_all(&limits, 3, 10).await, 3, "the process counts by itself");
    assert_eq!(process.component().status, Status::Up);
}
