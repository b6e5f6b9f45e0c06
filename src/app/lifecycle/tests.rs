use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::*;
use crate::tasks::Commitment;

const SECOND: Duration = Duration::from_secs(1);

type Log = Arc<Mutex<Vec<&'static str>>>;

/// A part that needs some time to stop, and notes its end.
fn part(name: &'static str, needs: Duration, log: &Log) -> Service {
    let (stop, log) = (CancellationToken::new(), Arc::clone(log));
    let stopped = stop.clone();
    let work = async move {
        stopped.cancelled().await;
        sleep(needs).await;
        log.lock().unwrap().push(name);
    };
    Service::new(name, tasks().service(work), stop, Ok)
}

fn service<T: Send + 'static>(
    name: &'static str,
    work: impl Future<Output = T> + Send + 'static,
    outcome: fn(T) -> Result<(), String>,
) -> Service {
    Service::new(name, tasks().service(work), CancellationToken::new(), outcome)
}

fn tasks() -> Tasks {
    Tasks::new(Handle::current())
}

fn running(connectors: impl IntoIterator<Item = Service>, services: impl IntoIterator<Item = Service>) -> Running {
    Running::new(connectors, services, tasks())
}

#[tokio::test(start_paused = true)]
async fn a_part_that_ends_by_itself_is_named_with_the_reason() {
    let log = Log::default();
    let steady = || part("steady", Duration::ZERO, &log);
    let panics = service("store worker", async { panic!("as told") }, |()| Ok(()));
    let failure = running([steady()], [steady(), panics]).failed().await;
    assert!(failure.starts_with("store worker: ") && failure.contains("as told"), "{failure}");

    let fails = service("HTTP server", async { Err("no socket".to_owned()) }, |end| end);
    assert_eq!(running([steady()], [fails, steady()]).failed().await, "HTTP server: no socket");

    let ends = service("connector a", async {}, Ok);
    assert_eq!(running([steady(), ends], [steady()]).failed().await, "connector a: it ended by itself");
}

#[tokio::test(start_paused = true)]
async fn while_all_parts_run_nothing_has_failed() {
    let log = Log::default();
    let mut running = running([part("connector", SECOND, &log)], [part("HTTP", SECOND, &log)]);
    assert!(timeout(60 * SECOND, running.failed()).await.is_err());
    assert!(running.drain(SECOND).await, "it can be waited for again");
}

#[tokio::test(start_paused = true)]
async fn the_other_parts_are_drained_when_one_has_failed() {
    let log = Log::default();
    let ends = service("connector a", async {}, Ok);
    let mut running = running([ends, part("connector b", SECOND, &log)], [part("HTTP", Duration::ZERO, &log)]);
    running.failed().await;
    assert!(running.drain(SECOND).await);
    assert_eq!(*log.lock().unwrap(), ["connector b", "HTTP"]);
}

#[tokio::test(start_paused = true)]
async fn what_connectors_need_stops_after_them() {
    let log = Log::default();
    let connectors = [part("slow", 3 * SECOND, &log), part("fast", SECOND, &log)];
    let running = running(connectors, [part("store", Duration::ZERO, &log)]);
    let began_at = Instant::now();
    assert!(running.drain(20 * SECOND).await);
    assert_eq!(*log.lock().unwrap(), ["fast", "slow", "store"]);
    assert_eq!(began_at.elapsed().as_secs(), 3, "it waits no longer than it must");
}

#[tokio::test(start_paused = true)]
async fn a_connector_has_time_to_leave_after_the_grace_and_no_more() {
    let log = Log::default();
    let leaves = running([part("leaves", 27 * SECOND, &log)], []);
    assert!(leaves.drain(20 * SECOND).await);

    let hangs = running([part("hangs", 100 * SECOND, &log)], [part("HTTP", 100 * SECOND, &log)]);
    let began_at = Instant::now();
    assert!(!hangs.drain(20 * SECOND).await);
    assert_eq!(began_at.elapsed().as_secs(), 29, "within what Kubernetes gives");
}

#[tokio::test(start_paused = true)]
async fn calls_that_no_connector_waits_for_are_finished_within_the_grace() {
    for (needed, expected) in [(5, 5), (100, 20)] {
        let log = Log::default();
        let running = running([part("connector", SECOND, &log)], []);
        let commitment = Commitment::default();
        commitment.begin();
        drop(running.tasks.record(sleep(needed * SECOND), commitment));
        let began_at = Instant::now();
        assert!(running.drain(20 * SECOND).await);
        assert_eq!(began_at.elapsed().as_secs(), expected);
    }
}
