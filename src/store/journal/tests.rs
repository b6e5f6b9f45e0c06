use futures_util::future::{join_all, poll_immediate};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::fake::{Fake, Step};
use super::*;
use crate::ports::clock::ManualClock;

fn journal(store: &Fake) -> SharedJournal {
    started(store, CancellationToken::new()).0
}

fn started(store: &Fake, stop: CancellationToken) -> (SharedJournal, JoinHandle<()>) {
    let deps = Dependencies {
        clock: Arc::new(ManualClock::default()),
        tasks: Tasks::new(Handle::current()),
        metrics: JournalMetrics::default(),
        stop,
    };
    SharedJournal::new(Box::new(store.clone()), Duration::from_secs(60), deps)
}

fn key(n: u16) -> Key {
    let mut key = [0; 32];
    key[..2].copy_from_slice(&n.to_be_bytes());
    Key(key)
}

fn body(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn claim(event: u16, input: u16, origin: &str) -> Claim {
    Claim { event: key(event), input: key(input), origin: origin.to_owned(), window: Duration::from_secs(60) }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_while_a_batch_is_under_way_is_the_next_batch() {
    let store = Fake::gated(0);
    let journal = journal(&store);
    let first = journal.record(key(0), body("0"));
    let others = async {
        sleep(Duration::from_millis(1)).await;
        let calls = join_all((1..=100).map(|n| journal.record(key(n), body("n"))));
        let release = async {
            sleep(Duration::from_millis(1)).await;
            store.admit(2);
        };
        tokio::join!(calls, release)
    };
    tokio::join!(first, others);
    assert_eq!(store.sizes(), [1, 100]);
    assert_eq!(journal.metrics.batches.get(), 2);
    assert_eq!(journal.metrics.records.get(), 101);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_bounded_in_entries_and_in_bytes() {
    let store = Fake::gated(0);
    let journal = journal(&store);
    let megabyte = Bytes::from(vec![b'x'; 1 << 20]);
    let first = journal.recall(key(0));
    let small = async {
        sleep(Duration::from_millis(1)).await;
        join_all((1..=600).map(|n| journal.recall(key(n)))).await
    };
    let large = async {
        sleep(Duration::from_millis(2)).await;
        join_all((0..6).map(|n| journal.record(key(n), megabyte.clone()))).await
    };
    let release = async {
        sleep(Duration::from_millis(3)).await;
        store.admit(4);
    };
    tokio::join!(first, small, large, release);
    // The 88 that did not fit into the second share the third with four megabytes.
    assert_eq!(store.sizes(), [1, 512, 92, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_is_tried_again_until_it_succeeds_and_says_why() {
    let store = Fake::open();
    store.state().on_execute = [Step::Fail("the disk is full"); 8].into();
    let journal = journal(&store);
    let began_at = Instant::now();
    let calls = async { tokio::join!(journal.record(key(1), body("one")), journal.recall(key(2))) };
    let watch = async {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(journal.problem().as_deref(), Some("fake nowhere: the disk is full; wait"));
        let component = journal.components().remove(0);
        assert_eq!((component.status, component.is_ready, component.is_alive), (Status::Down, false, true));
        assert!(component.detail.is_some_and(|detail| detail.contains("the disk is full")));
    };
    tokio::join!(calls, watch);
    // 50, 100, 200, 400, 800, 1600, 2000, 2000 ms, each shortened by up to half.
    let took = began_at.elapsed();
    assert!((3_575..=7_200).contains(&took.as_millis()), "{took:?}");
    assert_eq!(journal.problem(), None);
    assert_eq!(journal.recall(key(1)).await, Some(body("one")));
    assert_eq!(store.sizes(), [2, 1]);
    assert_eq!(journal.metrics.errors.get(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_at_the_start_is_known_before_anyone_calls() {
    let store = Fake::open();
    store.state().on_connect = [Step::Fail("connection refused"); 3].into();
    let journal = journal(&store);
    assert_eq!(journal.components()[0].status, Status::Degraded, "nobody knows yet");
    sleep(Duration::from_millis(1)).await;
    assert_eq!(journal.problem().as_deref(), Some("fake nowhere: connection refused; wait"));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(journal.problem(), None);
    assert_eq!(journal.components()[0].status, Status::Up);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_with_the_connection_changes_nothing() {
    let store = Fake::open();
    store.state().on_execute = [Step::Forget].into();
    let journal = journal(&store);
    assert_eq!(journal.claim(vec![claim(1, 1, "a")]).await, [Claimed::Granted]);
    assert_eq!(store.sizes(), [1, 1], "it was executed twice");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_left_for_a_new_connection() {
    let store = Fake::open();
    store.state().on_connect = [Step::Hang].into();
    store.state().on_execute = [Step::Hang].into();
    let journal = journal(&store);
    let mut call = journal.record(key(1), body("one"));
    let mut problems = Vec::new();
    while poll_immediate(&mut call).await.is_none() {
        problems.extend(journal.problem());
        sleep(Duration::from_millis(5)).await;
    }
    problems.dedup();
    assert_eq!(problems, ["fake nowhere: no answer within 30 s; wait", "fake nowhere: no answer within 10 s; wait"]);
    assert_eq!(store.state().connections, 3);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_any_more_is_not_done() {
    let store = Fake::gated(1);
    let journal = journal(&store);
    journal.record(key(0), body("0")).await;
    let mut given_up = journal.record(key(1), body("1"));
    let mut kept = journal.record(key(2), body("2"));
    let mut also_given_up = journal.record(key(3), body("3"));
    assert!(poll_immediate(&mut given_up).await.is_none());
    drop(given_up);
    assert!(poll_immediate(&mut kept).await.is_none());
    assert!(poll_immediate(&mut also_given_up).await.is_none());
    drop(also_given_up);
    store.admit(1);
    kept.await;
    assert_eq!(store.sizes(), [1, 1]);
    assert!(store.state().batches[1].outcomes.contains_key(&key(2).0));
}

#[tokio::test(start_paused = true)]
async fn claims_of_one_batch_are_decided_in_their_order() {
    let store = Fake::open();
    let journal = journal(&store);
    let one = journal.claim(vec![claim(1, 1, "a"), claim(1, 1, "b"), claim(2, 1, "b")]);
    let two = journal.claim(vec![claim(1, 2, "c"), claim(1, 1, "a"), claim(2, 2, "b"), claim(2, 2, "c")]);
    let (one, two) = tokio::join!(one, two);
    assert_eq!(one, [Claimed::Granted, Claimed::Repeat, Claimed::Granted]);
    assert_eq!(two, [Claimed::Conflict, Claimed::Granted, Claimed::Granted, Claimed::Conflict]);
    assert_eq!(store.sizes(), [2], "two events in one batch");
}

#[tokio::test(start_paused = true)]
async fn the_first_of_equal_keys_in_a_batch_stays() {
    let store = Fake::open();
    let journal = journal(&store);
    let (_, _, seen) =
        tokio::join!(journal.record(key(1), body("a")), journal.record(key(1), body("b")), journal.recall(key(1)));
    assert_eq!(seen, Some(body("a")));
}

#[tokio::test(start_paused = true)]
async fn no_claims_are_answered_with_none() {
    assert_eq!(journal(&Fake::open()).claim(Vec::new()).await, []);
}

#[tokio::test(start_paused = true)]
async fn expired_entries_are_removed_in_parts_with_pauses() {
    let store = Fake::open();
    store.state().on_purge = [true, true, false].into();
    let _journal = journal(&store);
    sleep(Duration::from_millis(61_500)).await;
    assert_eq!(store.state().purges, 3);
    sleep(Duration::from_secs(58)).await;
    assert_eq!(store.state().purges, 3);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(store.state().purges, 4);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_has_ended_is_a_problem_that_only_a_restart_solves() {
    let store = Fake::open();
    store.state().on_execute = [Step::Panic].into();
    let (journal, task) = started(&store, CancellationToken::new());
    let call = tokio::time::timeout(Duration::from_secs(60), journal.recall(key(1)));
    assert!(call.await.is_err(), "nobody can know the answer");
    assert!(journal.problem().is_some_and(|why| why.contains("restart the process")));
    assert!(!journal.components()[0].is_alive);
    assert!(task.await.is_err_and(|end| end.is_panic()));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_told_to_stop_does_what_it_was_asked_for_before() {
    let (store, stop) = (Fake::gated(0), CancellationToken::new());
    let (journal, task) = started(&store, stop.clone());
    let end = async {
        sleep(Duration::from_millis(1)).await;
        stop.cancel();
        store.admit(2);
    };
    let before = async { tokio::join!(journal.record(key(1), body("1")), journal.recall(key(1))) };
    let (((), recalled), ()) = tokio::join!(before, end);
    assert_eq!(recalled, Some(body("1")));
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_told_to_stop_does_not_wait_for_a_store_that_is_away() {
    let (store, stop) = (Fake::open(), CancellationToken::new());
    store.state().on_connect = [Step::Fail("away"); 1000].into();
    let (_journal, task) = started(&store, stop.clone());
    sleep(Duration::from_secs(10)).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_millis(1), task).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_handle_even_while_the_store_is_away() {
    let store = Fake::open();
    store.state().on_connect = [Step::Fail("away"); 1000].into();
    let journal = journal(&store);
    sleep(Duration::from_secs(10)).await;
    drop(journal);
    sleep(Duration::from_secs(10)).await;
    let connections = store.state().connections;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(store.state().connections, connections);
}
