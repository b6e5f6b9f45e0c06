//! SIGTERM: what is under way is finished, what is finished is committed, nothing is done twice.

use std::time::Duration;

use super::broker::{self, TestRecord};
use super::reader;
use super::service::{Setup, Topics};
use super::stub_provider::{Latency, StubProvider};
use super::{triage, wait_until};

#[test]
fn sigterm_under_load_drains_commits_and_repeats_nothing() {
    const EVENTS: usize = 3_000;
    let stub = StubProvider::start(triage().latency(Latency::Fixed(Duration::from_millis(200))));
    let topics = Topics::create(4);
    let setup = Setup::patient(&stub.base_url()).connector(&topics, "delivery: { max_in_flight: 500 }");
    let events: Vec<TestRecord> =
        (0..EVENTS).map(|n| TestRecord::event(&format!("e{n}"), &format!("Ticket {n}: where is it?"))).collect();
    broker::produce(&topics.source, 4, &events);

    let mut runs = 0;
    while reader::read(&topics).lag() > 0 {
        runs += 1;
        assert!(runs <= 20, "no progress");
        let mut service = setup.start();
        let before = broker::count(&topics.sink);
        wait_until("work under way", Duration::from_secs(30), || {
            let now = broker::count(&topics.sink);
            if now > before || reader::read(&topics).lag() == 0 { Ok(()) } else { Err(format!("{now} results")) }
        });
        let (status, took) = service.terminate();
        assert!(status.success(), "{status}: {}", service.log_text());
        assert!(took < Duration::from_secs(15), "a drain of {took:?}");
        let suspects = service.messages().iter().any(|message| message.contains("did not end by itself"));
        assert!(!suspects, "the process before had an orderly end: {}", service.log_text());
    }
    assert!(runs >= 2, "the load was over before the first SIGTERM");
    let report = reader::read(&topics);
    assert_eq!(report.result_causes.len(), EVENTS);
    assert_eq!(report.results, EVENTS, "an event was done twice");
    assert_eq!(stub.calls(), EVENTS as u64, "a call was paid twice");
}

#[test]
fn several_connectors_run_in_one_process() {
    let (first, second) = (Topics::create(1), Topics::create(1));
    let setup = Setup::offline()
        .connector(&first, "")
        .connector(&second, "options: { suspicious_input: reject }\ndelivery: { ordering: none }");
    for topics in [&first, &second] {
        broker::produce(&topics.source, 1, &[TestRecord::event("1", "Please cancel my subscription")]);
    }
    let mut service = setup.start();
    for topics in [&first, &second] {
        wait_until("a result", Duration::from_secs(30), || match broker::count(&topics.sink) {
            1 => Ok(()),
            count => Err(format!("{count} results")),
        });
    }
    let (_, body) = service.get("/v1/health");
    assert_eq!(body["components"]["connector"].as_object().map(serde_json::Map::len), Some(2), "{body}");
    let (status, took) = service.terminate();
    assert!(status.success());
    assert!(took < Duration::from_secs(5), "an idle process took {took:?} to stop");
}

#[test]
fn outcomes_keep_the_order_of_their_partition() {
    let latency = Latency::Between(Duration::from_millis(1), Duration::from_millis(60));
    let stub = StubProvider::start(triage().latency(latency));
    let topics = Topics::create(1);
    let events: Vec<TestRecord> = (0..400)
        .map(|n| {
            if n % 7 == 3 { TestRecord::new("bad") } else { TestRecord::event(&format!("{n:04}"), &format!("No. {n}")) }
        })
        .collect();
    broker::produce(&topics.source, 1, &events);
    let _service = Setup::patient(&stub.base_url()).connector(&topics, "").start();
    wait_until("all outcomes", Duration::from_secs(60), || {
        let done = broker::count(&topics.sink) + broker::count(&topics.dead_letters);
        if done == events.len() { Ok(()) } else { Err(format!("{done} of {}", events.len())) }
    });
    let ids: Vec<String> =
        broker::read(&topics.sink).iter().map(|(_, result)| result.text("ce_causationid").expect("a cause")).collect();
    let expected: Vec<String> = (0..400).filter(|n| n % 7 != 3).map(|n| format!("{n:04}")).collect();
    assert_eq!(ids, expected);
}
