//! Answers that are invalidated leave Redis and the memory of all processes, and no others do.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use structured_prompt::cache::memory::MemoryAnswers;
use structured_prompt::domain::answer::Answer;
use structured_prompt::domain::answer_key::AnswerKey;
use structured_prompt::domain::health::Status;
use structured_prompt::domain::name_pattern::NamePattern;
use structured_prompt::domain::tenant::Tenant;
use structured_prompt::pipeline::recall::{Recall, SharedLookUp};
use structured_prompt::ports::answers::{Answers, SharedAnswers};
use structured_prompt::ports::clock::ManualClock;
use structured_prompt::telemetry::metrics::CacheMetrics;

use super::process::{HOUR, Process, acme, answer, command, key, key_of, keys};
use super::proxy::Proxy;
use super::servers::Redis;

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_reaches_all_processes_and_only_its_tenant() {
    let server = Redis::start(&[]);
    let [first, second] = [Process::start(&server.url()).await, Process::start(&server.url()).await];
    let other = Tenant::new("other", "default").unwrap();
    let named = [key_of(&acme(), 1, "invoice", None), key_of(&acme(), 2, "ticket", Some("inv 2026"))];
    let kept = [key_of(&acme(), 3, "ticket", None), key_of(&other, 4, "invoice", None)];
    for key in named.iter().chain(&kept) {
        first.put(key, &answer(10));
        first.found(key).await;
        second.taken(key).await;
        assert!(second.has_in_memory(key));
    }
    assert_eq!(first.invalidate(&acme(), "inv*").await, Ok(2));
    second.until("it has heard", |it| named.iter().all(|key| !it.has_in_memory(key))).await;
    for process in [&first, &second] {
        for key in &named {
            assert!(!process.has_in_memory(key) && process.shared(key).await.is_none());
        }
        assert!(kept.iter().all(|key| process.has_in_memory(key)));
    }
    assert_eq!(keys(&server.url()).await.len(), 2);
    assert_eq!(first.invalidate(&acme(), "inv*").await, Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_counts_each_answer_once_wherever_it_was() {
    let server = Redis::start(&[]);
    let url = server.url();
    let process = Process::start(&url).await;
    // Three in both tiers, one in memory only, one in Redis only, and what is not ours is left alone.
    (1..=4).for_each(|n| process.put(&key(n), &answer(10)));
    process.redis.put(&key(5), answer(10), Duration::from_secs(60));
    process.found(&key(5)).await;
    command(&url, &[b"DEL", format!("structured-prompt:answer:acme:{}", &text(4)).as_bytes()]).await;
    command(&url, &[b"SET", b"structured-prompt:answer:acme:somebody's", b"1"]).await;
    assert_eq!(keys(&url).await.len(), 5);
    assert_eq!(process.invalidate(&acme(), "*").await, Ok(5));
    assert_eq!(keys(&url).await, [b"structured-prompt:answer:acme:somebody's"]);
}

/// The end of a key's name.
fn text(n: u32) -> String {
    let key = key(n);
    let names = key.names.as_str().strip_prefix("acme:").unwrap();
    format!("{names}:{}", key.question)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_written_yet_is_found_too() {
    let server = Redis::start(&[]);
    let process = Process::start(&server.url()).await;
    (0..200).for_each(|n| process.put(&key(n), &answer(3000)));
    assert_eq!(process.invalidate(&acme(), "invoice").await, Ok(200));
    assert_eq!(keys(&server.url()).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_answers_are_removed_in_steps_between_which_others_are_answered() {
    const ALL: u32 = 30_000;
    let server = Redis::start(&[]);
    let process = Process::start(&server.url()).await;
    let fill = format!(
        "for n = 1, {ALL} do redis.call('SET', 'structured-prompt:answer:acme::invoice:inline:' .. string.format('%064x', n), 'x') end"
    );
    command(&server.url(), &[b"EVAL", fill.as_bytes(), b"0"]).await;
    process.redis.put(&key_of(&acme(), 1, "kept", None), answer(10), Duration::from_secs(60));
    let kept = key_of(&acme(), 1, "kept", None);
    process.found(&kept).await;
    let mut hits = 0;
    let tenant = acme();
    let invalidate = process.invalidate(&tenant, "invoice");
    tokio::pin!(invalidate);
    let removed = loop {
        tokio::select! {
            removed = &mut invalidate => break removed,
            found = process.redis.get(&kept) => hits += u32::from(found.is_some()),
        }
    };
    assert_eq!(removed, Ok(u64::from(ALL)));
    assert!(hits > 5, "others were answered {hits} times in between");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_may_have_missed_an_invalidation_forgets_what_it_has_in_memory() {
    let server = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let process = Process::start(&server.url()).await;
    process.put(&key(1), &answer(10));
    process.found(&key(1)).await;
    assert!(process.has_in_memory(&key(1)));
    command(&server.url(), &[b"CLIENT", b"KILL", b"TYPE", b"pubsub"]).await;
    process.until("it has forgotten", |it| !it.has_in_memory(&key(1))).await;
    process.found(&key(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_can_read_forgets_everything() {
    let server = Redis::start(&[]);
    let process = Process::start(&server.url()).await;
    process.put(&key(1), &answer(10));
    process.found(&key(1)).await;
    command(&server.url(), &[b"PUBLISH", b"structured-prompt:answers-invalidated", b"of a later version"]).await;
    process.until("it has forgotten", |it| !it.has_in_memory(&key(1))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_memory_is_emptied_and_the_caller_told_to_ask_again() {
    let server = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let process = Process::start(&server.url()).await;
    process.put(&key(1), &answer(10));
    process.found(&key(1)).await;
    server.kill();
    let why = process.invalidate(&acme(), "*").await.unwrap_err().to_string();
    assert!(why.contains("ask for the same again"), "{why}");
    assert!(!process.has_in_memory(&key(1)));
    server.resume();
    process.found(&key(1)).await;
    assert_eq!(process.invalidate(&acme(), "*").await, Ok(1));
}

/// Whether Redis has an answer.
async fn is_stored(server: &Redis, key: &AnswerKey) -> bool {
    let question = key.question.to_string();
    keys(&server.url()).await.iter().any(|name| name.ends_with(question.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_be_written_while_another_process_invalidates_it_is_not_written() {
    let server = Redis::start(&[]);
    let proxy = Proxy::start(&server.url()).await;
    let [slow, other] = [Process::start(&proxy.url()).await, Process::start(&server.url()).await];
    proxy.hold_back(true);
    slow.put(&key_of(&acme(), 1, "ticket", None), &answer(10));
    proxy.until_it_holds_something().await;
    slow.put(&key(2), &answer(10));
    other.invalidate(&acme(), "invoice").await.unwrap();
    proxy.hold_back(false);
    slow.put_until_found(&key(3)).await;
    assert!(!is_stored(&server, &key(2)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_be_written_while_the_connection_is_lost_is_not_written() {
    let server = Redis::start(&[]);
    let proxy = Proxy::start(&server.url()).await;
    let [slow, other] = [Process::start(&proxy.url()).await, Process::start(&server.url()).await];
    proxy.hold_back(true);
    slow.until("it is noticed", |it| it.component().status == Status::Degraded).await;
    slow.put(&key(1), &answer(10));
    other.invalidate(&acme(), "invoice").await.unwrap();
    proxy.hold_back(false);
    slow.put_until_found(&key(2)).await;
    assert!(!is_stored(&server, &key(1)).await);
}

/// A shared answer that is invalidated while it is on its way to this process's memory.
struct InvalidatedOnItsWay {
    memory: Arc<MemoryAnswers>,
    invalidate: fn(&MemoryAnswers),
}

impl SharedAnswers for InvalidatedOnItsWay {
    fn get<'a>(&'a self, _key: &'a AnswerKey) -> BoxFuture<'a, Option<(Arc<Answer>, Duration)>> {
        (self.invalidate)(&self.memory);
        ready(Some((answer(10), HOUR))).boxed()
    }

    fn put(&self, _key: &AnswerKey, _answer: Arc<Answer>, _ttl: Duration) {}
}

#[tokio::test]
async fn a_shared_answer_that_is_invalidated_while_it_is_looked_up_is_not_kept_in_memory() {
    let by_name = |memory: &MemoryAnswers| drop(memory.invalidate(&acme(), &NamePattern::new("invoice")));
    for (invalidate, is_kept) in [(by_name as fn(&MemoryAnswers), false), (MemoryAnswers::clear, false), (|_| (), true)]
    {
        let clock = Arc::new(ManualClock::default());
        let memory = Arc::new(MemoryAnswers::new(1 << 20, clock, CacheMetrics::default()));
        let shared = InvalidatedOnItsWay { memory: Arc::clone(&memory), invalidate };
        let recall = Recall::new(Arc::clone(&memory) as Arc<dyn Answers>).with_shared(Arc::new(shared));
        assert!(matches!(recall.get_shared(&key(1), |_| true).await, SharedLookUp::Found(_)));
        assert_eq!(memory.get(&key(1).question).is_some(), is_kept);
    }
}
