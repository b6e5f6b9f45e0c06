//! `guarantee: exactly-once`: whoever reads committed records sees one outcome of each input, whatever dies.
//!
//! Judged by the Python reader, which reads committed records and knows nothing of our code.

use std::time::Duration;

use super::broker::{self, TestRecord};
use super::reader::{self, Report};
use super::service::{Setup, Topics};
use super::stub_provider::{Latency, Script, StubProvider};
use super::{triage, wait_until};

const DELIVERY: &str = "delivery: { guarantee: exactly-once, ordering: none }";

fn slow() -> Script {
    triage().latency(Latency::Between(Duration::from_millis(1), Duration::from_millis(60)))
}

fn events(count: usize) -> Vec<TestRecord> {
    let event = |n: usize| TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}: where is my parcel?"));
    // Every 20th has no id and becomes a dead letter.
    (0..count).map(|n| if n % 20 == 7 { TestRecord::event("", &format!("{n}")) } else { event(n) }).collect()
}

fn wait_for_the_end(topics: &Topics, limit: Duration) -> Report {
    wait_until("all offsets committed", limit, || match reader::read(topics).lag() {
        0 => Ok(()),
        lag => Err(format!("lag {lag}")),
    });
    reader::read(topics)
}

fn assert_once(report: &Report, events: usize) {
    let letters = events / 20;
    assert_eq!(report.dead_letter_codes.keys().collect::<Vec<_>>(), ["missing_attribute"]);
    assert_eq!(report.unparsable, Vec::<serde_json::Value>::new());
    assert_eq!(report.result_causes.len(), events - letters, "events without a result");
    assert_eq!(report.results, events - letters, "results that are seen twice");
    assert_eq!(report.distinct_dead_letters().len(), letters, "inputs without their letter");
    assert_eq!(report.dead_letters.len(), letters, "letters that are seen twice");
}

#[test]
fn an_instance_that_is_killed_again_and_again_leaves_one_outcome_of_each_record() {
    const EVENTS: usize = 6_000;
    let stub = StubProvider::start(slow());
    stub.keep_no_requests();
    let topics = Topics::create(6);
    broker::produce(&topics.source, 6, &events(EVENTS));
    let setup = Setup::patient(&stub.base_url()).connector(&topics, DELIVERY);
    for kill in 1..=5 {
        let mut victim = setup.start();
        wait_until("the victim at work", Duration::from_secs(60), || match victim.metric("sp_results_total") {
            count if count > 200.0 * f64::from(kill % 3) => Ok(()),
            count => Err(format!("{count} results: {}", victim.log_text())),
        });
        victim.kill();
    }
    let last = setup.start();
    let report = wait_for_the_end(&topics, Duration::from_secs(120));
    let suspects = last.messages().iter().any(|message| message.contains("did not end by itself"));
    assert!(suspects, "the process before was killed: {}", last.log_text());
    eprintln!("{EVENTS} events, 5 kills: {} results, {} calls", report.results, stub.calls());
    assert_once(&report, EVENTS);
}

#[test]
fn instances_come_and_go_and_each_record_has_one_outcome() {
    const EVENTS: usize = 8_000;
    let stub = StubProvider::start(slow());
    stub.keep_no_requests();
    let topics = Topics::create(6);
    broker::produce(&topics.source, 6, &events(EVENTS));
    let setup = Setup::patient(&stub.base_url()).connector(&topics, DELIVERY);
    let mut first = setup.start();
    first.wait_ready();
    let mut second = setup.start();
    let _third = setup.start();
    second.wait_ready();
    let (status, _) = first.terminate();
    assert!(status.success(), "{status}: {}", first.log_text());
    second.kill();
    let report = wait_for_the_end(&topics, Duration::from_secs(120));
    eprintln!("{EVENTS} events, three instances: {} results, {} calls", report.results, stub.calls());
    assert_once(&report, EVENTS);
}

#[test]
fn a_result_that_its_topic_refuses_becomes_a_letter_and_its_company_is_published_once() {
    const EVENTS: usize = 400;
    let stub = StubProvider::start(triage());
    let topics = Topics::named();
    broker::create_topic(&topics.source, 2, &[]);
    broker::create_topic(&topics.sink, 2, &[("max.message.bytes", "4000")]);
    broker::create_topic(&topics.dead_letters, 1, &[]);
    let event = |n: usize| {
        let event = TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}"));
        // A result keeps its input's key.
        if n.is_multiple_of(50) { event.key(&incompressible(6000)) } else { event }
    };
    broker::produce(&topics.source, 2, &(0..EVENTS).map(event).collect::<Vec<_>>());
    let service = Setup::patient(&stub.base_url()).connector(&topics, DELIVERY).start();
    let report = wait_for_the_end(&topics, Duration::from_secs(90));
    assert_eq!(report.dead_letter_codes.get("result_too_large"), Some(&(EVENTS / 50)), "{}", service.log_text());
    assert_eq!(report.dead_letters.len(), EVENTS / 50);
    assert_eq!((report.results, report.result_causes.len()), (EVENTS - EVENTS / 50, EVENTS - EVENTS / 50));
    assert_eq!(stub.calls(), EVENTS as u64, "an abort must not ask again");
    assert_eq!(service.metric("sp_connector_restarts_total"), 0.0, "{}", service.log_text());
}

fn incompressible(chars: usize) -> String {
    let mut random = fastrand::Rng::with_seed(7);
    (0..chars).map(|_| random.alphanumeric()).collect()
}

/// Both protocols of the group: the classic one fences the older member, that of KIP-848 refuses the newer one.
#[test]
fn of_two_processes_with_one_name_one_ends_with_the_reason() {
    let stub = StubProvider::start(slow());
    for (protocol, has_older) in [("", false), ("group.protocol: consumer", true)] {
        let topics = Topics::create(2);
        let setup = Setup::patient(&stub.base_url()).client(protocol).connector(&topics, DELIVERY);
        let mut older = setup.start_as("one");
        broker::produce(&topics.source, 2, &events(200));
        wait_for_the_end(&topics, Duration::from_secs(60));
        let mut newer = setup.start_as("one");
        wait_until("the end of one", Duration::from_secs(10), || {
            let is_over = if has_older { newer.ended().is_some() } else { older.ended().is_some() };
            if is_over { Ok(()) } else { Err(format!("{}\n{}", older.log_text(), newer.log_text())) }
        });
        let (over, other) = if has_older { (&mut newer, &mut older) } else { (&mut older, &mut newer) };
        assert!(over.log_text().contains("give each its own"), "{}", over.log_text());
        assert!(over.ended().is_some_and(|status| !status.success()));
        assert_eq!(other.ended(), None);
    }
}

#[test]
fn of_two_producers_with_one_id_the_older_ends() {
    const EVENTS: usize = 4_000;
    let stub = StubProvider::start(slow());
    let topics = Topics::create(2);
    let mut service = Setup::patient(&stub.base_url()).connector(&topics, DELIVERY).start_as("one");
    service.wait_ready();
    broker::produce(&topics.source, 2, &events(EVENTS));
    let connector = topics.group.trim_end_matches("-group");
    broker::take_over_transactions(&format!("structured-prompt-{}-{connector}-one", topics.group));
    wait_until("the end", Duration::from_secs(10), || service.ended().map(drop).ok_or_else(|| service.log_text()));
    assert!(service.log_text().contains("took over the transactions"), "{}", service.log_text());
    assert!(service.ended().is_some_and(|status| !status.success()));
}
