//! What is missing is waited for; no record is blamed.

use std::time::Duration;

use super::broker::{self, TestRecord};
use super::service::{Setup, Topics};
use super::stub_provider::{Fault, Latency, StubProvider, When};
use super::{triage, wait_until};

fn events(count: usize) -> Vec<TestRecord> {
    (0..count).map(|n| TestRecord::event(&format!("e{n}"), &format!("Ticket {n}: where is my parcel?"))).collect()
}

fn wait_for_results(topics: &Topics, count: usize) {
    wait_until("results", Duration::from_secs(60), || {
        let results = broker::count(&topics.sink);
        if results >= count { Ok(()) } else { Err(format!("{results} of {count}")) }
    });
}

#[test]
fn a_missing_output_topic_is_waited_for() {
    let topics = Topics::named();
    broker::create_topic(&topics.source, 2, &[]);
    broker::produce(&topics.source, 2, &events(50));
    let service = Setup::offline().connector(&topics, "").start();
    wait_until("health that names the topics", Duration::from_secs(30), || {
        let (status, body) = service.get("/v1/health");
        let text = body.to_string();
        let names_both = text.contains(&topics.sink) && text.contains(&topics.dead_letters);
        if status == 503 && names_both { Ok(()) } else { Err(format!("{status} {text}")) }
    });
    assert_eq!(service.get("/v1/health/ready").0, 503);
    assert_eq!(service.get("/v1/health/live").0, 200);

    broker::create_topic(&topics.sink, 2, &[]);
    broker::create_topic(&topics.dead_letters, 2, &[]);
    wait_for_results(&topics, 50);
    assert_eq!(broker::count(&topics.dead_letters), 0);
    service.wait_ready();
    assert_eq!(service.get("/v1/health").1["status"], "healthy");
}

#[test]
fn a_missing_source_topic_is_waited_for() {
    let topics = Topics::named();
    broker::create_topic(&topics.sink, 1, &[]);
    broker::create_topic(&topics.dead_letters, 1, &[]);
    let mut service = Setup::offline().connector(&topics, "").start();
    wait_until("health that names the topic", Duration::from_secs(30), || {
        let (_, body) = service.get("/v1/health");
        if body.to_string().contains(&topics.source) { Ok(()) } else { Err(body.to_string()) }
    });
    broker::create_topic(&topics.source, 1, &[]);
    broker::produce(&topics.source, 1, &events(5));
    wait_for_results(&topics, 5);
    assert_eq!(service.ended(), None);
}

#[test]
fn a_source_topic_that_is_created_anew_is_read_from_its_beginning() {
    let topics = Topics::create(1);
    broker::produce(&topics.source, 1, &events(100));
    let service = Setup::offline().connector(&topics, "").start();
    wait_for_results(&topics, 100);
    wait_until("a commit", Duration::from_secs(10), || match service.metric("sp_commits_total") {
        count if count > 0.0 => Ok(()),
        _ => Err("no commit".to_owned()),
    });
    broker::delete_topic(&topics.source);
    std::thread::sleep(Duration::from_millis(300));
    broker::create_topic(&topics.source, 1, &[]);
    broker::produce(&topics.source, 1, &events(50));
    wait_for_results(&topics, 150);
}

#[test]
fn a_refusing_topic_does_not_stop_intake_for_longer_than_it_refuses() {
    let topics = Topics::named();
    broker::create_topic(&topics.source, 1, &[]);
    broker::create_topic(&topics.sink, 1, &[]);
    // Too small for a letter, and for a pointer to one.
    broker::create_topic(&topics.dead_letters, 1, &[("max.message.bytes", "200")]);
    broker::produce(&topics.source, 1, &[TestRecord::new("bad")]);
    let service = Setup::offline().connector(&topics, "").start();
    wait_until("a pause", Duration::from_secs(30), || {
        let (status, body) = service.get("/v1/health");
        if status == 503 && body.to_string().contains("does not take records") { Ok(()) } else { Err(body.to_string()) }
    });
    // It loses its partitions while it waits.
    service.signal("STOP");
    std::thread::sleep(Duration::from_secs(10));
    service.signal("CONT");
    // Before it knows, it may send the letter once more and the next owner again: that is at-least-once, and not the
    // point.
    wait_until("the loss noticed", Duration::from_secs(30), || {
        let is_said = service.messages().iter().any(|message| message == "partitions lost");
        if is_said { Ok(()) } else { Err(service.log_text()) }
    });
    broker::alter_topic(&topics.dead_letters, "max.message.bytes", "1000000");
    broker::produce(&topics.source, 1, &events(10));
    wait_for_results(&topics, 10);
    assert_eq!(broker::count(&topics.dead_letters), 1);
}

#[test]
fn a_provider_that_is_down_is_waited_for_and_costs_no_record() {
    let down = Fault::error(503, "server_error", None);
    // Slow enough that many calls are open when the first of them fails: a tenth of all calls will have failed.
    let slow = Latency::Fixed(Duration::from_secs(2));
    let stub = StubProvider::start(triage().latency(slow).fault(When::Chance(1.0), down));
    let topics = Topics::create(2);
    broker::produce(&topics.source, 2, &events(100));
    let service = Setup::openai(&stub.base_url()).connector(&topics, "").start();
    wait_until("health that says degraded", Duration::from_secs(60), || {
        let (status, body) = service.get("/v1/health");
        // Joining the group is degraded, too.
        let is_said = service.messages().iter().any(|message| message.starts_with("intake pauses"));
        if status == 200 && body["status"] == "degraded" && is_said { Ok(()) } else { Err(format!("{status} {body}")) }
    });
    assert_eq!(broker::count(&topics.dead_letters) + broker::count(&topics.sink), 0);
    // For moments intake goes on, to find somebody to probe with.
    wait_until("the reason in the metrics", Duration::from_secs(10), || {
        let (_, metrics) = service.get_text("/v1/metrics");
        let mut gauges = metrics.lines().filter(|line| line.starts_with("sp_intake_paused{"));
        let is_told = gauges.any(|line| line.ends_with(",reason=\"providers\"} 1"));
        if is_told { Ok(()) } else { Err(metrics) }
    });

    stub.set_script(triage());
    wait_for_results(&topics, 100);
    assert_eq!(broker::count(&topics.dead_letters), 0);
    // The provider answers again; that half of its calls failed stays visible for a while.
    wait_until("health", Duration::from_secs(10), || {
        let (status, body) = service.get("/v1/health");
        let (connector, provider) = (&body["components"]["connector"], &body["components"]["provider"]["stub"]);
        let is_up = connector.as_object().is_some_and(|all| all.values().all(|one| one["status"] == "up"));
        let is_told = provider["detail"].as_str().is_some_and(|detail| detail.starts_with("asked only when no other"));
        if status == 200 && is_up && is_told { Ok(()) } else { Err(format!("{status} {body}")) }
    });
}

#[test]
fn a_cluster_that_is_not_there_is_waited_for() {
    let topics = Topics::named();
    // A port of loopback on which nothing listens.
    let mut service = Setup::offline().brokers("127.0.0.1:9").connector(&topics, "").start();
    wait_until("health that says so", Duration::from_secs(30), || match service.get("/v1/health") {
        (503, body) if body.to_string().contains("cannot be reached") => Ok(()),
        (status, body) => Err(format!("{status} {body}")),
    });
    assert_eq!(service.get("/v1/health/live").0, 200);
    assert_eq!(service.get("/v1/health/ready").0, 503);
    assert_eq!(service.ended(), None);
    let (status, took) = service.terminate();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_dead_letter_topic_without_room_for_what_the_sources_take_is_said_and_not_ready() {
    let topics = Topics::named();
    broker::create_topic(&topics.source, 1, &[("max.message.bytes", "2000000")]);
    broker::create_topic(&topics.sink, 1, &[]);
    broker::create_topic(&topics.dead_letters, 1, &[]);
    let service = Setup::offline().connector(&topics, "").start();
    let reason = || service.get("/v1/health").1.to_string();
    wait_until("the reason", Duration::from_secs(30), || {
        if reason().contains("a dead letter could not hold its original") { Ok(()) } else { Err(reason()) }
    });
    assert_eq!(service.get("/v1/health/ready").0, 503);
    broker::alter_topic(&topics.dead_letters, "max.message.bytes", "2000000");
    service.wait_ready();
}
