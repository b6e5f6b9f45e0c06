//! Partitions move between instances under load; nothing is lost, and what was drained is not done twice.

use std::collections::HashSet;
use std::time::Duration;

use super::broker::{self, TestRecord};
use super::reader;
use super::service::{Setup, Topics};
use super::stub_provider::{Latency, StubProvider};
use super::{triage, wait_until};

#[test]
fn instances_join_and_leave_under_load_and_nothing_is_lost_or_repeated() {
    const EVENTS: usize = 12_000;
    let stub =
        StubProvider::start(triage().latency(Latency::Between(Duration::from_millis(5), Duration::from_millis(80))));
    stub.keep_no_requests();
    let topics = Topics::create(6);
    let setup = Setup::openai(&stub.base_url()).connector(&topics, "delivery: { max_in_flight: 64 }");
    let events: Vec<TestRecord> =
        (0..EVENTS).map(|n| TestRecord::event(&format!("e{n}"), &format!("Ticket {n}: where is it?"))).collect();
    broker::produce(&topics.source, 6, &events);

    let mut first = setup.start();
    let more_results = |count: usize| {
        let before = broker::count(&topics.sink);
        wait_until("progress", Duration::from_secs(60), || {
            let now = broker::count(&topics.sink);
            if now >= before + count { Ok(()) } else { Err(format!("{now} results after {before}")) }
        });
    };
    more_results(200);
    let mut second = setup.start();
    more_results(500);
    let mut third = setup.start();
    more_results(500);
    for leaving in [&mut first, &mut second] {
        let (status, took) = leaving.terminate();
        assert!(status.success(), "{}", leaving.log_text());
        assert!(took < Duration::from_secs(20), "{took:?}");
        more_results(500);
    }
    wait_until("the end", Duration::from_secs(180), || match reader::read(&topics).lag() {
        0 => Ok(()),
        lag => Err(format!("lag {lag}")),
    });
    let (status, _) = third.terminate();
    assert!(status.success(), "{}", third.log_text());

    let report = reader::read(&topics);
    let answered: HashSet<&String> = report.result_causes.keys().collect();
    assert_eq!(answered.len(), EVENTS);
    assert_eq!(report.dead_letters, Vec::<String>::new());
    // Every revocation was drained and committed before the next owner began.
    assert_eq!(report.results, EVENTS, "an event was done twice");
    let repeated: u64 = stub.calls_per_prompt().values().map(|calls| calls - 1).sum();
    eprintln!("{EVENTS} events, 5 rebalances: {} results, {repeated} calls repeated", report.results);
}

#[test]
fn an_instance_that_was_stopped_for_long_commits_nothing_of_what_it_lost() {
    const EVENTS: usize = 6_000;
    let stub = StubProvider::start(triage().latency(Latency::Fixed(Duration::from_millis(50))));
    stub.keep_no_requests();
    let topics = Topics::create(4);
    let setup = Setup::openai(&stub.base_url()).connector(&topics, "delivery: { max_in_flight: 16 }");
    let events: Vec<TestRecord> =
        (0..EVENTS).map(|n| TestRecord::event(&format!("e{n}"), &format!("Ticket {n}: where is it?"))).collect();
    broker::produce(&topics.source, 4, &events);

    let mut zombie = setup.start();
    wait_until("work under way", Duration::from_secs(30), || match broker::count(&topics.sink) {
        0 => Err("no results".to_owned()),
        _ => Ok(()),
    });
    zombie.signal("STOP");
    // Beyond its session timeout of 6 s the group gives its partitions to another.
    let other = setup.start();
    wait_until("the other at work", Duration::from_secs(60), || match other.metric("sp_results_total") {
        count if count > 100.0 => Ok(()),
        count => Err(format!("{count} results")),
    });
    zombie.signal("CONT");
    wait_until("the end", Duration::from_secs(120), || match reader::read(&topics).lag() {
        0 => Ok(()),
        lag => Err(format!("lag {lag}")),
    });
    assert!(zombie.is_running(), "the instance did not find its way back into the group");
    let report = reader::read(&topics);
    assert_eq!(report.result_causes.len(), EVENTS, "an event was lost");
    assert_eq!(report.dead_letters, Vec::<String>::new());
}
