use tokio::runtime::Handle;

use super::*;
use crate::ports::audit::MemoryAudit;
use crate::ports::clock::ManualClock;
use crate::tasks::Tasks;
use crate::telemetry::metrics::{Metrics, TextFormat};

const SECOND: Duration = Duration::from_secs(1);

fn event(event_type: AuditEventType, result: AuditResult, actor: &str, second: u64) -> AuditEvent {
    AuditEvent {
        timestamp: Duration::from_secs(second),
        tenant: Tenant::of_team("sales").unwrap(),
        event_type,
        actor: actor.to_owned(),
        resource: "/v1/analyze".to_owned(),
        result,
        request_id: Some(second.to_string()),
        detail: None,
        times: 1,
    }
}

fn refused(actor: &str, second: u64) -> AuditEvent {
    event(AuditEventType::Authentication, AuditResult::Denied, actor, second)
}

struct Setup {
    log: Arc<MemoryAudit>,
    metrics: Metrics,
    guard: Arc<FloodGuard>,
}

fn setup() -> Setup {
    let (log, metrics) = (Arc::new(MemoryAudit::default()), Metrics::default());
    let guard = Arc::new(FloodGuard::new(Arc::clone(&log) as _, metrics.audit()));
    Setup { log, metrics, guard }
}

impl Setup {
    fn record(&self, events: impl IntoIterator<Item = AuditEvent>) {
        events.into_iter().for_each(|event| self.guard.record(event));
    }

    /// Actor, request and number of each event that was recorded, in their order.
    fn recorded(&self) -> Vec<(String, String, u32)> {
        let shown = |event: AuditEvent| (event.actor, event.request_id.unwrap(), event.times);
        self.log.events().into_iter().map(shown).collect()
    }

    fn times(&self) -> u32 {
        self.log.events().iter().map(|event| event.times).sum()
    }

    /// Ends the watch at once, as the process does when it stops.
    async fn stop(&self) {
        let stop = CancellationToken::new();
        stop.cancel();
        Arc::clone(&self.guard).watch(Arc::new(ManualClock::default()), stop).await;
    }
}

#[tokio::test]
async fn an_actor_has_two_events_of_a_type_in_a_minute_the_second_of_which_counts() {
    let it = setup();
    it.record((60..120).map(|second| refused("a", second)));
    let seen = |actor: &str, request: &str, times| (actor.to_owned(), request.to_owned(), times);
    assert_eq!(it.recorded(), [seen("a", "60", 1)], "the first is recorded at once");
    it.record([refused("a", 120)]);
    assert_eq!(it.recorded()[1..], [seen("a", "119", 59), seen("a", "120", 1)]);
    let metrics = it.metrics.encode(TextFormat::OpenMetrics).unwrap();
    assert!(metrics.contains("sp_audit_held_back_total{event_type=\"authentication\"} 59"), "{metrics}");
}

#[tokio::test]
async fn each_actor_and_each_type_is_counted_by_itself() {
    let it = setup();
    let limited = |second| event(AuditEventType::RateLimit, AuditResult::Denied, "a", second);
    it.record((60..70).flat_map(|second| [refused("a", second), refused("b", second), limited(second)]));
    assert_eq!(it.recorded().len(), 3);
    it.stop().await;
    assert_eq!((it.recorded().len(), it.times()), (6, 30));
}

#[tokio::test]
async fn suspicious_input_is_counted_whether_it_is_refused_or_not_and_the_two_are_told_apart() {
    let it = setup();
    let results = [AuditResult::Success, AuditResult::Denied];
    it.record((0..3000).flat_map(|_| results.map(|result| event(AuditEventType::SuspiciousInput, result, "a", 60))));
    it.stop().await;
    for result in results {
        let events = it.log.events().into_iter().filter(|event| event.result == result);
        let times: Vec<u32> = events.map(|event| event.times).collect();
        assert_eq!(times, [1, 2999], "{result:?}");
    }
}

#[tokio::test]
async fn whoever_comes_from_everywhere_makes_a_bounded_number_of_events() {
    let it = setup();
    it.record((0..5000).map(|n| refused(&format!("actor {n}"), 60)));
    it.record((0..5000).map(|n| refused(&format!("actor {n}"), 61)));
    it.stop().await;
    let events = it.log.events();
    assert_eq!((events.len(), it.times()), (2 * MOST_ACTORS + 1, 10_000));
    let others = events.iter().find(|event| event.actor == OTHERS).unwrap();
    assert_eq!((others.times, others.tenant.team()), (9800, "default"));
    assert_eq!((&others.request_id, &others.detail), (&None, &None), "that is for their own teams");
    assert_eq!(it.guard.minute().seen.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_is_recorded_when_its_minute_is_over_though_nothing_else_comes() {
    let (it, clock, stop) = (setup(), Arc::new(ManualClock::default()), CancellationToken::new());
    clock.advance(90 * SECOND);
    let tasks = Tasks::new(Handle::current());
    let watch = tasks.service(Arc::clone(&it.guard).watch(Arc::clone(&clock) as _, stop.clone()));
    it.record((90..95).map(|second| refused("a", second)));
    sleep(5 * SECOND).await;
    assert_eq!(it.times(), 1, "the minute is not over");
    clock.advance(30 * SECOND);
    sleep(5 * SECOND).await;
    assert_eq!(it.times(), 5);
    stop.cancel();
    watch.await.unwrap();
    it.record((120..125).map(|second| refused("a", second)));
    assert_eq!(it.recorded().len(), 7, "nobody would record a count any more");
}

#[test]
fn what_is_done_is_always_recorded() {
    for (event_type, result) in [
        (AuditEventType::AdminAction, AuditResult::Failed),
        (AuditEventType::CacheInvalidation, AuditResult::Success),
        (AuditEventType::Authentication, AuditResult::Success),
    ] {
        let it = setup();
        it.record((0..3000).map(|_| event(event_type, result, "admin", 1)));
        assert_eq!(it.recorded().len(), 3000);
    }
}
