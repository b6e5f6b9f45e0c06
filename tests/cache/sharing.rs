//! What one process remembers is another's hit, and what is not exactly that is a miss.

use std::time::Duration;

use structured_prompt::domain::health::Status;
use structured_prompt::ports::answers::SharedAnswers as _;

use super::process::{HOUR, Process, acme, answer, command, key, keys, some};
use super::servers::Redis;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_one_process_is_found_by_another_compressed_and_with_the_time_that_is_left() {
    let server = Redis::start(&[]);
    let [first, second] = [Process::start(&server.url()).await, Process::start(&server.url()).await];
    let long = answer(20_000);
    first.put(&key(1), &long);
    let (found, left) = second.found(&key(1)).await;
    assert_eq!(found, long);
    assert!(left <= HOUR && left > HOUR - Duration::from_secs(60), "{left:?}");
    let stored: u64 =
        redis::from_redis_value(command(&server.url(), &[b"STRLEN", &keys(&server.url()).await[0]]).await).unwrap();
    assert!(stored < 2000, "{stored} bytes for an answer of 20,000 that repeats itself");
    assert!(!second.has_in_memory(&key(1)));
    assert_eq!(second.taken(&key(1)).await, long);
    assert!(second.has_in_memory(&key(1)), "what was found is kept");
}

/// Times that the server has read from its connections.
async fn reads(url: &str) -> u64 {
    let info: redis::InfoDict = redis::from_redis_value(command(url, &[b"INFO", b"stats"]).await).unwrap();
    info.get("total_reads_processed").unwrap()
}

// One thread: all look-ups have begun before the first of them is sent.
#[tokio::test]
async fn look_ups_at_the_same_time_travel_together() {
    let server = Redis::start(&[]);
    let [first, second] = [Process::start(&server.url()).await, Process::start(&server.url()).await];
    for n in 0..100 {
        first.put(&key(n), &answer(10));
    }
    first.found(&key(99)).await;
    let keys: Vec<_> = (0..100).map(key).collect();
    // On a busy machine some look-ups may be misses: then again.
    let look_up_all = async || {
        let before = reads(&server.url()).await;
        let found = futures_util::future::join_all(keys.iter().map(|key| second.shared(key))).await;
        let reads = reads(&server.url()).await - before;
        (found.iter().flatten().count() == 100).then_some(reads)
    };
    let reads = some("a hundred answers", look_up_all).await;
    assert!(reads < 30, "{reads} reads for a hundred look-ups");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_leaves_redis_when_its_time_is_over() {
    let server = Redis::start(&[]);
    let process = Process::start(&server.url()).await;
    process.redis.put(&key(1), answer(10), Duration::from_millis(300));
    process.redis.put(&key(2), answer(10), HOUR);
    process.found(&key(2)).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(process.redis.get(&key(1)).await.is_none());
    assert_eq!(keys(&server.url()).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_cannot_be_read_is_a_miss_and_is_written_over() {
    let server = Redis::start(&[]);
    let url = server.url();
    let process = Process::start(&url).await;
    process.put(&key(1), &answer(3000));
    process.found(&key(1)).await;
    let name = keys(&url).await.remove(0);
    let whole: Vec<u8> = redis::from_redis_value(command(&url, &[b"GET", &name]).await).unwrap();
    let truncated = &whole[..whole.len() / 2];
    let newer = [&[99], &whole[1..]].concat();
    let huge = vec![1; 4 << 20];
    let set = |value| vec![b"SET" as &[u8], &name, value, b"PX", b"60000"];
    for (what, commands) in [
        ("garbage", vec![set(b"\x00\xff{]")]),
        ("cut", vec![set(truncated)]),
        ("another version", vec![set(&newer)]),
        ("far too long", vec![set(&huge)]),
        ("without an end", vec![vec![b"SET", &name, &whole]]),
        ("a list", vec![vec![b"DEL", &name], vec![b"RPUSH", &name, b"x"]]),
    ] {
        for asked in commands {
            command(&url, &asked).await;
        }
        assert!(process.redis.get(&key(1)).await.is_none(), "{what}");
        process.put(&key(1), &answer(3000));
        process.found(&key(1)).await;
    }
    assert_eq!(process.component().status, Status::Up, "what others write is no fault of the server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_emptied_has_misses_until_answers_are_put_again() {
    let server = Redis::start(&[]);
    let process = Process::start(&server.url()).await;
    process.put(&key(1), &answer(10));
    process.found(&key(1)).await;
    command(&server.url(), &[b"FLUSHALL"]).await;
    assert!(process.redis.get(&key(1)).await.is_none());
    process.put(&key(1), &answer(10));
    process.found(&key(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_tell_the_tiers_apart() {
    let server = Redis::start(&[]);
    let process = Process::start(&server.url()).await;
    process.put(&key(1), &answer(10));
    process.found(&key(1)).await;
    let before = process.whole_stats().await;
    assert!(process.has_in_memory(&key(1)) && !process.has_in_memory(&key(2)));
    process.found(&key(1)).await;
    assert!(process.redis.get(&key(2)).await.is_none());
    let after = process.whole_stats().await;
    for (index, tier) in ["memory", "redis"].into_iter().enumerate() {
        let (before, after) = (before[index], after[index]);
        assert_eq!((after.tier, after.entries), (tier, Some(1)));
        assert_eq!(after.hits - before.hits, 1, "{tier}");
        assert!(after.misses > before.misses, "{tier}");
        assert!(after.bytes.is_some_and(|bytes| bytes > 0), "{after:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_set_up_as_a_cache_is_used_and_advised() {
    for (options, advice) in [
        (vec!["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"], None),
        (vec!["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"], Some("maxmemory-policy allkeys-lru")),
        (vec![], Some("set maxmemory")),
    ] {
        let server = Redis::start(&options);
        let process = Process::start(&server.url()).await;
        process.put(&key(1), &answer(10));
        process.found(&key(1)).await;
        let component = process.component();
        assert_eq!(component.status, Status::Up);
        assert_eq!(component.detail.is_some(), advice.is_some(), "{component:?}");
        assert!(advice.is_none_or(|advice| component.detail.is_some_and(|detail| detail.contains(advice))));
    }
}

/// What docs/configuration.md says that the user needs.
const RIGHTS: &str = "+getrange +pttl +set +scan +unlink +publish +subscribe +ping +select +dbsize +info";

#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_the_documented_rights_can_do_everything() {
    let server = Redis::start(&[]);
    let places = ["~structured-prompt:*", "&structured-prompt:*", "resetpass", ">canary", "on"];
    let user: Vec<&[u8]> =
        ["ACL", "SETUSER", "cache"].into_iter().chain(places).chain(RIGHTS.split(' ')).map(str::as_bytes).collect();
    command(&server.url(), &user).await;
    let url = server.url().replace("redis://", "redis://cache:canary@") + "/1";
    let process = Process::start(&url).await;
    process.put(&key(1), &answer(10));
    process.found(&key(1)).await;
    assert_eq!(process.whole_stats().await[1].entries, Some(1));
    assert_eq!(process.invalidate(&acme(), "invoice").await, Ok(1));
    let component = process.component();
    assert!(component.detail.is_some_and(|detail| detail.contains("set maxmemory") && !detail.contains("canary")));
    let denied = Process::unconnected(&url.replace("canary", "wrong-canary"));
    denied.until("it is said", |it| it.component().detail.is_some_and(|why| why.contains("WRONGPASS"))).await;
    assert!(denied.component().detail.is_some_and(|why| !why.contains("canary")));
}
