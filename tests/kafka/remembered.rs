//! What outlives the process: answers that were paid for, and which events had an outcome.

use std::time::Duration;

use super::broker::{self, TestRecord};
use super::reader;
use super::service::{Setup, Topics};
use super::stub_provider::{Latency, StubProvider};
use super::{triage, wait_until};

fn events(ids: impl Iterator<Item = usize>) -> Vec<TestRecord> {
    ids.map(|n| TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}: where is my parcel?"))).collect()
}

/// The transaction of the first process never ends: it is killed while the result topic takes nothing. Without one,
/// what it was sending at that moment might still come through.
#[test]
fn an_answer_that_was_paid_for_is_published_by_the_next_process_without_a_call() {
    const EVENTS: usize = 50;
    let stub = StubProvider::start(triage());
    let topics = Topics::named();
    broker::create_topic(&topics.source, 2, &[]);
    broker::create_topic(&topics.dead_letters, 1, &[]);
    // In sync with two replicas of which there is one: every record is refused for now.
    broker::create_topic(&topics.sink, 2, &[("min.insync.replicas", "2")]);
    broker::produce(&topics.source, 2, &events(0..EVENTS));
    let setup = Setup::patient(&stub.base_url()).connector(&topics, "delivery: { guarantee: exactly-once }");
    let mut first = setup.start();
    wait_until("all answers in the store", Duration::from_secs(60), || {
        match first.metric("sp_journal_requests_total{operation=\"record\"}") {
            50.0 => Ok(()),
            count => Err(format!("{count}: {}", first.log_text())),
        }
    });
    std::thread::sleep(Duration::from_millis(500));
    first.kill();
    assert_eq!(stub.calls(), EVENTS as u64);
    broker::alter_topic(&topics.sink, "min.insync.replicas", "1");
    let second = setup.start();
    wait_until("all results", Duration::from_secs(60), || match reader::read(&topics).lag() {
        0 => Ok(()),
        lag => Err(format!("lag {lag}: {}", second.log_text())),
    });
    let report = reader::read(&topics);
    assert_eq!((report.results, report.result_causes.len()), (EVENTS, EVENTS));
    assert_eq!(stub.calls(), EVENTS as u64, "an answer was paid for twice");
}

#[test]
fn an_event_that_is_sent_again_has_one_outcome_and_one_that_contradicts_is_a_letter() {
    const EVENTS: usize = 400;
    const DELIVERY: &str = "delivery: { deduplicate: 24h, guarantee: exactly-once }";
    let slow = triage().latency(Latency::Between(Duration::from_millis(1), Duration::from_millis(60)));
    let stub = StubProvider::start(slow);
    let topics = Topics::create(3);
    let setup = Setup::patient(&stub.base_url()).connector(&topics, DELIVERY);
    // Each fourth event comes twice, in another partition, and each fortieth once more with another value.
    let mut records = events(0..EVENTS);
    records.extend(events((0..EVENTS).step_by(4)));
    let conflict = |n: usize| TestRecord::event(&format!("e-{n}"), "something else");
    let conflicts: Vec<_> = (0..EVENTS).step_by(40).map(conflict).collect();
    broker::produce(&topics.source, 3, &records);
    let services = [setup.start(), setup.start()];
    let finished = || services.iter().map(|service| service.metric("sp_results_total")).sum::<f64>();
    wait_until("the results", Duration::from_secs(60), || match finished() {
        400.0 => Ok(()),
        count => Err(format!("{count}: {}", services[0].log_text())),
    });
    broker::produce(&topics.source, 3, &conflicts);
    wait_until("all offsets", Duration::from_secs(60), || match reader::read(&topics).lag() {
        0 => Ok(()),
        lag => Err(format!("lag {lag}: {}", services[0].log_text())),
    });
    let report = reader::read(&topics);
    assert_eq!((report.results, report.result_causes.len()), (EVENTS, EVENTS));
    assert_eq!(report.dead_letter_codes.get("id_conflict"), Some(&(EVENTS / 40)));
    assert_eq!(stub.calls(), EVENTS as u64);
    let repeats: f64 = services.iter().map(|service| service.metric("sp_records_repeated_total")).sum();
    assert_eq!(repeats, 100.0);
}
