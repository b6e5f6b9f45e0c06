//! Partitions move between instances under load; nothing is lost, and what was drained is not done twice.

use std::collections::HashSet;
use std::time::Duration;

use super::broker::{self, TestRecord};
use super::reader;
use super::service::{Setup, Topics};
use super::stub_provider::{Fault, Latency, StubProvider, When};
use super::{triage, wait_until};

#[test]
fn instances_join_and_leave_under_load_and_nothing_is_lost_or_repeated() {
    const EVENTS: usize = 12_000;
    let stub =
        StubProvider::start(triage().latency(Latency::Between(Duration::from_millis(5), Duration::from_millis(80))));
    stub.keep_no_requests();
    let topics = Topics::create(6);
    let setup = Setup::patient(&stub.base_url()).connector(&topics, "delivery: { max_in_flight: 64 }");
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
    assert_eq!(report.dead_letters, Vec::<String>::new());
    assert_eq!(answered.len(), EVENTS, "an event was lost");
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
    // No store: a process that is stopped while it writes holds the lock of a shared SQLite file.
    let setup = Setup::patient(&stub.base_url()).store("none").connector(&topics, "delivery: { max_in_flight: 16 }");
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
    assert!(zombie.ended().is_none(), "the instance did not find its way back into the group");
    let report = reader::read(&topics);
    assert_eq!(report.result_causes.len(), EVENTS, "an event was lost");
    assert_eq!(report.dead_letters, Vec::<String>::new());
}

/// A few events, and the connector's providers answer with `script`.
fn small_setup(stub: &StubProvider, events: usize) -> (Topics, Setup) {
    let topics = Topics::create(2);
    let records: Vec<TestRecord> =
        (0..events).map(|n| TestRecord::event(&format!("e{n}"), &format!("Ticket {n}: refund please"))).collect();
    broker::produce(&topics.source, 2, &records);
    let providers = format!(
        "providers:\n  stub: {{ kind: openai, base_url: \"{}\", model: stub-1, api_key_env: null, timeout: 100s }}\n\
         routing: {{ fallback: [stub] }}",
        stub.base_url()
    );
    let setup = Setup::with_providers(&providers).connector(&topics, "delivery: { max_in_flight: 40 }");
    (topics, setup)
}

#[test]
fn a_revocation_while_stopping_cancels_no_call_and_repeats_nothing() {
    let stub = StubProvider::start(triage().latency(Latency::Fixed(Duration::from_secs(3))));
    let (topics, setup) = small_setup(&stub, 80);
    let mut first = setup.start();
    wait_until("calls", Duration::from_secs(30), || match stub.max_concurrency() {
        40.. => Ok(()),
        calls => Err(format!("{calls} calls")),
    });
    let _second = setup.start();
    std::thread::sleep(Duration::from_millis(100));
    let (status, took) = first.terminate();
    assert!(status.success(), "{status} after {took:?}: {}", first.log_text());
    wait_until("the end", Duration::from_secs(60), || match reader::read(&topics).lag() {
        0 => Ok(()),
        lag => Err(format!("lag {lag}")),
    });
    assert_eq!(broker::count(&topics.sink), 80);
    assert_eq!(stub.calls(), 80, "a call was cancelled and paid again");
}

#[test]
fn stopping_during_a_revocation_keeps_to_the_time_of_one_drain() {
    let stub = StubProvider::start(triage().latency(Latency::Fixed(Duration::from_secs(100))));
    let (_topics, setup) = small_setup(&stub, 20);
    let mut first = setup.start();
    wait_until("calls", Duration::from_secs(30), || match stub.calls() {
        20.. => Ok(()),
        calls => Err(format!("{calls} calls")),
    });
    let _second = setup.start();
    wait_until("a revocation", Duration::from_secs(40), || {
        let is_revoked = first.messages().iter().any(|message| message == "partitions revoked");
        if is_revoked { Ok(()) } else { Err(first.log_text()) }
    });
    let (status, took) = first.terminate();
    assert!(status.success() && took < Duration::from_secs(25), "{status} after {took:?}: {}", first.log_text());
}

#[test]
fn a_provider_that_was_down_when_partitions_were_lost_is_asked_again() {
    let stub = StubProvider::start(triage().fault(When::Chance(1.0), Fault::error(503, "server_error", None)));
    let (topics, setup) = small_setup(&stub, 20);
    let service = setup.start();
    wait_until("a closed gate", Duration::from_secs(60), || {
        let is_closed = service.messages().iter().any(|message| message == "intake pauses");
        if is_closed { Ok(()) } else { Err(service.log_text()) }
    });
    service.signal("STOP");
    std::thread::sleep(Duration::from_secs(10));
    service.signal("CONT");
    wait_until("partitions again", Duration::from_secs(40), || {
        let assigned = service.messages().iter().filter(|message| *message == "partitions assigned").count();
        if assigned >= 2 { Ok(()) } else { Err(service.log_text()) }
    });
    stub.set_script(triage());
    wait_until("results", Duration::from_secs(90), || match broker::count(&topics.sink) {
        20 => Ok(()),
        count => Err(format!("{count} results: {}", service.get("/v1/health").1)),
    });
    assert_eq!(broker::count(&topics.dead_letters), 0);
}

/// There are more instances than partitions: who has none is as well as the others.
#[test]
fn a_member_without_partitions_is_ready() {
    for protocol in ["classic", "consumer"] {
        let topics = Topics::create(1);
        let setup = Setup::offline().client(&format!("group.protocol: {protocol}")).connector(&topics, "");
        let instances: Vec<_> = (0..3).map(|_| setup.start()).collect();
        for instance in &instances {
            instance.wait_ready();
        }
        let assigned = instances.iter().filter(|instance| {
            let (_, health) = instance.get("/v1/health");
            health["components"]["connector"].to_string().contains("\"assigned_partitions\":1")
        });
        assert_eq!(assigned.count(), 1);
    }
}
