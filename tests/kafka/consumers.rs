//! `source.kafka.consumers`: several members of the group in one process, each with its own part of the partitions.

use std::collections::HashMap;
use std::time::Duration;

use super::broker::{self, TestRecord};
use super::reader;
use super::service::{Service, Setup, Topics};
use super::stub_provider::{Latency, StubProvider};
use super::{triage, wait_until};

const PARTITIONS: i32 = 6;
const KEYS: usize = 60;

/// Events whose ids tell their order within their key.
fn events(count: usize) -> Vec<TestRecord> {
    let event = |n: usize| {
        TestRecord::event(&format!("{n:06}"), &format!("Ticket {n}: where is it?")).key(&format!("key-{}", n % KEYS))
    };
    (0..count).map(event).collect()
}

fn wait_for_the_end(topics: &Topics) {
    wait_until("all offsets committed", Duration::from_secs(180), || match reader::read(topics).lag() {
        0 => Ok(()),
        lag => Err(format!("lag {lag}")),
    });
}

fn assert_each_once_and_in_order(topics: &Topics, events: usize) {
    let report = reader::read(topics);
    assert_eq!(report.dead_letters, Vec::<String>::new());
    assert_eq!(report.result_causes.len(), events, "an event was lost");
    assert_eq!(report.results, events, "an event has two results");
    let mut last_of_key: HashMap<Vec<u8>, String> = HashMap::new();
    for (position, result) in broker::read(&topics.sink) {
        let (key, id) = (result.key.clone().expect("its event's key"), result.text("ce_causationid").expect("a cause"));
        if let Some(before) = last_of_key.insert(key, id.clone()) {
            assert!(before < id, "{position}: {id} after {before}");
        }
    }
}

fn assigned(service: &Service) -> i64 {
    let (_, health) = service.get("/v1/health");
    let connector = health["components"]["connector"].as_object().expect("components").values().next().expect("one");
    connector["assigned_partitions"].as_i64().unwrap_or_else(|| panic!("no count in {connector}"))
}

fn processes_come_and_go(guarantee: &str) {
    const EVENTS: usize = 12_000;
    let stub =
        StubProvider::start(triage().latency(Latency::Between(Duration::from_millis(20), Duration::from_millis(200))));
    stub.keep_no_requests();
    let topics = Topics::create(PARTITIONS);
    broker::produce(&topics.source, PARTITIONS, &events(EVENTS));
    let delivery = format!("delivery: {{ guarantee: {guarantee}, ordering: key, max_in_flight: 48 }}");
    let setup = Setup::patient(&stub.base_url()).consumers(3).connector(&topics, &delivery);
    let more_results = |count: usize| {
        let before = broker::count(&topics.sink);
        wait_until("progress", Duration::from_secs(60), || {
            let now = broker::count(&topics.sink);
            if now >= before + count { Ok(()) } else { Err(format!("{now} results after {before}")) }
        });
    };
    let members = |expected: usize| {
        wait_until("members of the group", Duration::from_secs(60), || match broker::members(&topics.group) {
            members if members == expected => Ok(()),
            members => Err(format!("{members} members")),
        });
    };

    let mut first = setup.start();
    members(3);
    more_results(300);
    let mut second = setup.start();
    members(6);
    more_results(600);
    let mut third = setup.start();
    for leaving in [&mut first, &mut second] {
        // Of two producers with one transactional.id, the older one's process would have ended.
        assert_eq!(leaving.metric("sp_connector_restarts_total"), 0.0, "{}", leaving.log_text());
        eprintln!("{guarantee}: {} results before a process leaves", broker::count(&topics.sink));
        let (status, took) = leaving.terminate();
        assert!(status.success() && took < Duration::from_secs(20), "{status}, {took:?}: {}", leaving.log_text());
        more_results(600);
    }
    wait_for_the_end(&topics);
    assert_eq!(assigned(&third), i64::from(PARTITIONS));
    wait_until("gauges of an idle process", Duration::from_secs(10), || {
        let left = ["sp_records_in_flight", "sp_intake_paused"].map(|gauge| third.metric(gauge));
        if left == [0.0, 0.0] { Ok(()) } else { Err(format!("{left:?}")) }
    });
    let (status, _) = third.terminate();
    assert!(status.success(), "{}", third.log_text());
    assert_each_once_and_in_order(&topics, EVENTS);
}

#[test]
fn processes_with_several_consumers_come_and_go_and_nothing_is_lost_or_overtaken() {
    processes_come_and_go("at-least-once");
}

#[test]
fn processes_with_several_transactions_come_and_go_and_each_event_has_one_result() {
    processes_come_and_go("exactly-once");
}

#[test]
fn sigterm_drains_every_consumer() {
    const EVENTS: usize = 1_200;
    let stub = StubProvider::start(triage().latency(Latency::Fixed(Duration::from_millis(300))));
    let topics = Topics::create(PARTITIONS);
    broker::produce(&topics.source, PARTITIONS, &events(EVENTS));
    let setup = Setup::patient(&stub.base_url())
        .consumers(3)
        .connector(&topics, "delivery: { ordering: key, max_in_flight: 90 }");
    let mut stopped = setup.start();
    wait_until("work of all consumers", Duration::from_secs(60), || match stub.max_concurrency() {
        // The shares of two consumers are 60.
        61.. => Ok(()),
        calls => Err(format!("{calls} calls at once")),
    });
    let (status, took) = stopped.terminate();
    assert!(status.success() && took < Duration::from_secs(15), "{status}, {took:?}: {}", stopped.log_text());
    let left = reader::read(&topics).lag();
    assert!(left > 0, "the load was over before SIGTERM");

    let next = setup.start();
    wait_for_the_end(&topics);
    let suspects = next.messages().iter().any(|message| message.contains("did not end by itself"));
    assert!(!suspects, "all threads had an orderly end: {}", next.log_text());
    assert_each_once_and_in_order(&topics, EVENTS);
    assert_eq!(stub.calls(), EVENTS as u64, "a call was paid twice");
    assert!(stub.max_concurrency() <= 90, "{} calls at once", stub.max_concurrency());
}

#[test]
fn consumers_of_a_named_instance_are_members_with_names_of_their_own() {
    const EVENTS: usize = 600;
    let stub = StubProvider::start(triage());
    let topics = Topics::create(PARTITIONS);
    let delivery = "delivery: { guarantee: exactly-once, ordering: key }";
    let service = Setup::patient(&stub.base_url()).consumers(3).connector(&topics, delivery).start_as("one");
    service.wait_ready();
    wait_until("all partitions", Duration::from_secs(60), || {
        match (broker::members(&topics.group), assigned(&service)) {
            (3, 6) => Ok(()),
            found => Err(format!("members and partitions: {found:?}")),
        }
    });
    broker::produce(&topics.source, PARTITIONS, &events(EVENTS));
    wait_for_the_end(&topics);
    assert_each_once_and_in_order(&topics, EVENTS);
    assert_eq!(service.metric("sp_connector_restarts_total"), 0.0, "{}", service.log_text());
}

#[test]
fn a_consumer_that_fails_for_good_ends_the_process_and_the_others_finish_their_work() {
    const EVENTS: usize = 3_000;
    let stub = StubProvider::start(triage().latency(Latency::Fixed(Duration::from_millis(200))));
    let topics = Topics::create(PARTITIONS);
    let delivery = "delivery: { guarantee: exactly-once, ordering: key, max_in_flight: 48 }";
    let setup = Setup::patient(&stub.base_url()).consumers(3).connector(&topics, delivery);
    let mut service = setup.start_as("one");
    service.wait_ready();
    broker::produce(&topics.source, PARTITIONS, &events(EVENTS));
    wait_until("work of all consumers", Duration::from_secs(60), || match stub.max_concurrency() {
        // The shares of two consumers are 32.
        33.. => Ok(()),
        calls => Err(format!("{calls} calls at once")),
    });
    let connector = topics.group.trim_end_matches("-group");
    broker::take_over_transactions(&format!("structured-prompt-{}-{connector}-one-2", topics.group));
    let status = service.wait_for_end(Duration::from_secs(40));
    assert!(status.is_some_and(|status| !status.success()), "{status:?}: {}", service.log_text());
    let log = service.log_text();
    assert!(log.contains("took over the transactions") && log.contains("consumer 2"), "{log}");

    let next = setup.start_as("one");
    wait_for_the_end(&topics);
    assert!(!next.log_text().contains("did not end by itself"), "all threads had an orderly end: {}", next.log_text());
    assert_each_once_and_in_order(&topics, EVENTS);
}

#[test]
fn a_process_with_more_consumers_than_partitions_is_ready() {
    for protocol in ["classic", "consumer"] {
        let topics = Topics::create(2);
        let setup = Setup::offline().client(&format!("group.protocol: {protocol}")).consumers(3);
        let service = setup.connector(&topics, "").start();
        service.wait_ready();
        wait_until("all partitions", Duration::from_secs(30), || match assigned(&service) {
            2 => Ok(()),
            partitions => Err(format!("{partitions} partitions with the protocol {protocol}")),
        });
        service.wait_ready();
    }
}
