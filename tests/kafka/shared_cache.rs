//! Answers that processes share in Redis.

use std::time::{Duration, Instant};

use super::broker::{self, TestRecord};
use super::reader;
use super::servers::Redis;
use super::service::{Service, Setup, Topics};
use super::stub_provider::StubProvider;
use super::{triage, wait_until};

const EVENTS: usize = 50;

/// A new question with each event.
fn produce(topics: &Topics, numbers: std::ops::Range<usize>) {
    produce_questions(topics, numbers, |n| n);
}

fn produce_questions(topics: &Topics, numbers: std::ops::Range<usize>, question: impl Fn(usize) -> usize) {
    let event = |n| TestRecord::event(&format!("e-{n}"), &format!("Ticket {}: where is my parcel?", question(n)));
    broker::produce(&topics.source, 2, &numbers.map(event).collect::<Vec<_>>());
}

fn start(setup: &Setup, redis: &Redis) -> Service {
    start_with(setup, redis, "64")
}

fn start_with(setup: &Setup, redis: &Redis, memory_mb: &str) -> Service {
    let service = setup.spawn_with(&[
        ("STRUCTURED_PROMPT_CACHE__REDIS_URL", &redis.url()),
        ("STRUCTURED_PROMPT_CACHE__MEMORY_MB", memory_mb),
    ]);
    wait_status(&service, "up");
    service
}

fn status(service: &Service) -> String {
    service.get("/v1/health").1["components"]["cache"]["redis"]["status"].to_string()
}

/// Waits until health says this of the shared cache.
fn wait_status(service: &Service, wanted: &str) {
    wait_until("the status of the shared cache", Duration::from_secs(20), || match status(service) {
        found if found == format!("\"{wanted}\"") => Ok(()),
        other => Err(format!("{other}: {}", service.log_text())),
    });
}

fn wait_results(service: &Service, metric: &str, count: usize) {
    wait_until("the results", Duration::from_secs(60), || match service.metric(metric) as usize {
        found if found == count => Ok(()),
        found => Err(format!("{found} of {count}: {}", service.log_text())),
    });
}

#[test]
fn what_one_process_paid_for_is_a_hit_for_another_and_a_redis_that_hangs_costs_no_record() {
    let stub = StubProvider::start(triage());
    let redis = Redis::start(&[]);
    let [first_topics, topics] = [Topics::create(2), Topics::create(2)];
    let first = start(&Setup::patient(&stub.base_url()).connector(&first_topics, ""), &redis);
    produce(&first_topics, 0..EVENTS);
    wait_results(&first, "sp_cache_redis_writes_total{outcome=\"ok\"}", EVENTS);

    let second = start(&Setup::patient(&stub.base_url()).connector(&topics, ""), &redis);
    produce(&topics, 0..EVENTS);
    wait_results(&second, "sp_results_total", EVENTS);
    // A look-up that takes too long on a busy machine is a miss; hardly any does.
    let hits = second.metric("sp_results_total{cachehit=\"redis\"");
    let calls = stub.calls() as usize;
    assert!(calls < EVENTS + EVENTS / 5, "{calls} calls for {EVENTS} questions, {hits} hits: {}", second.log_text());

    redis.signal("STOP");
    produce(&topics, EVENTS..2 * EVENTS);
    wait_results(&second, "sp_results_total", 2 * EVENTS);
    wait_status(&second, "degraded");
    let asked_at = Instant::now();
    assert_eq!(second.get("/v1/health/ready").0, 200);
    assert!(asked_at.elapsed() < Duration::from_secs(1), "health waits for nobody: {:?}", asked_at.elapsed());
    redis.signal("CONT");
    let report = reader::read(&topics);
    assert_eq!((report.results, report.result_causes.len()), (2 * EVENTS, 2 * EVENTS));
    assert!(report.dead_letter_codes.is_empty());
}

#[test]
fn a_redis_that_is_full_of_garbage_killed_or_emptied_costs_no_record() {
    const WRITTEN: &str = "sp_cache_redis_writes_total{outcome=\"ok\"}";
    const UNREADABLE: &str = "sp_cache_lookups_total{tier=\"redis\",outcome=\"unreadable\"}";
    let stub = StubProvider::start(triage());
    let redis = Redis::start(&[]);
    let topics = Topics::create(2);
    let setup = Setup::patient(&stub.base_url())
        .connector(&topics, "delivery: { guarantee: exactly-once, ordering: partition }");
    let service = start_with(&setup, &redis, "0");
    produce(&topics, 0..EVENTS);
    wait_results(&service, WRITTEN, EVENTS);

    assert_eq!(redis.poison("structured-prompt:answer:*"), EVENTS as u64);
    produce_questions(&topics, EVENTS..2 * EVENTS, |n| n - EVENTS);
    wait_results(&service, "sp_results_total", 2 * EVENTS);
    assert!(service.metric(UNREADABLE) > 0.0, "{}", service.log_text());

    redis.kill();
    produce(&topics, 2 * EVENTS..3 * EVENTS);
    wait_results(&service, "sp_results_total", 3 * EVENTS);
    wait_status(&service, "degraded");

    redis.resume();
    wait_status(&service, "up");
    produce(&topics, 3 * EVENTS..4 * EVENTS);
    wait_until("the results", Duration::from_secs(60), || {
        redis.command(&["FLUSHALL"]);
        match service.metric("sp_results_total") as usize {
            found if found == 4 * EVENTS => Ok(()),
            found => Err(format!("{found}: {}", service.log_text())),
        }
    });
    let report = reader::read(&topics);
    assert_eq!((report.results, report.result_causes.len()), (4 * EVENTS, 4 * EVENTS));
    assert!(report.dead_letter_codes.is_empty());
}
