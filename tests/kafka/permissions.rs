//! What a cluster does not permit is waited for, and said: who may give the permission reads health, not our code.

use std::time::Duration;

use super::acl::{self, Operation, Resource};
use super::broker::{self, TestRecord};
use super::service::{Service, Setup, Topics};
use super::{reader, wait_until};

const LIMIT: Duration = Duration::from_secs(40);
const EXACTLY_ONCE: &str = "delivery: { guarantee: exactly-once }";

fn events(range: std::ops::Range<usize>) -> Vec<TestRecord> {
    range.map(|n| TestRecord::event(&format!("e{n}"), &format!("Ticket {n}: where is my parcel?"))).collect()
}

/// Waits until health says this of what is not permitted.
fn wait_said(service: &Service, what: &str) {
    wait_until("health that names what is not permitted", LIMIT, || {
        let (status, body) = service.get("/v1/health");
        let text = body.to_string();
        let is_said = text.contains(what) && text.contains("uthorization") && text.contains("; permit ");
        if is_said { Ok(()) } else { Err(format!("{status} {text}\n{}", service.log_text())) }
    });
    assert_eq!(service.get("/v1/health/ready").0, 503);
    assert_eq!(service.get("/v1/health/live").0, 200);
}

fn wait_outcomes(service: &Service, topics: &Topics, results: usize, letters: usize) {
    wait_until("outcomes", LIMIT, || {
        let report = reader::read(topics);
        let (of_results, of_letters) = (report.results, report.dead_letters.len());
        if (of_results, of_letters) == (results, letters) {
            return Ok(());
        }
        Err(format!("{of_results} results, {of_letters} letters: {}", service.log_text()))
    });
}

/// What docs/configuration.md asks for is enough.
fn the_permissions_that_are_asked_for_suffice(guarantee: &str) {
    use Operation::{Read, Write};
    let topics = Topics::create(1);
    broker::produce(&topics.source, 1, &events(0..5));
    broker::produce(&topics.source, 1, &[TestRecord::new("bad")]);
    let (group, connector) = (&topics.group, topics.group.trim_end_matches("-group"));
    let id = &format!("structured-prompt-{group}-{connector}-one");
    acl::allow_only(Resource::Topic, &topics.source, &[Read]);
    acl::allow_only(Resource::Topic, &topics.sink, &[Write]);
    acl::allow_only(Resource::Topic, &topics.dead_letters, &[Write]);
    acl::allow_only(Resource::Group, group, &[Read]);
    acl::allow_only(Resource::TransactionalId, id, &[Write]);
    let service = Setup::offline().client("group.instance.id: one").connector(&topics, guarantee).start();
    service.wait_ready();
    wait_until("a commit", LIMIT, || match service.metric("sp_commits_total") {
        count if count > 0.0 => Ok(()),
        _ => Err(service.log_text()),
    });
    for topic in [&topics.source, &topics.sink, &topics.dead_letters] {
        acl::allow_all(Resource::Topic, topic);
    }
    wait_outcomes(&service, &topics, 5, 1);
    assert_eq!(service.metric("sp_connector_restarts_total"), 0.0);
}

#[test]
fn the_permissions_that_are_asked_for_suffice_at_least_once() {
    the_permissions_that_are_asked_for_suffice("");
}

#[test]
fn the_permissions_that_are_asked_for_suffice_exactly_once() {
    the_permissions_that_are_asked_for_suffice(EXACTLY_ONCE);
}

fn a_topic_that_may_not_be_written(guarantee: &str) {
    let topics = Topics::create(1);
    broker::produce(&topics.source, 1, &events(0..20));
    let mut service = Setup::offline().connector(&topics, guarantee).start();
    wait_outcomes(&service, &topics, 20, 0);
    acl::allow_only(Resource::Topic, &topics.dead_letters, &[Operation::Describe, Operation::Read]);
    broker::produce(&topics.source, 1, &[TestRecord::new("bad")]);
    broker::produce(&topics.source, 1, &events(20..40));
    wait_said(&service, &topics.dead_letters);
    acl::allow_all(Resource::Topic, &topics.dead_letters);
    wait_outcomes(&service, &topics, 40, 1);
    service.wait_ready();
    assert_eq!(service.ended(), None);
}

#[test]
fn a_topic_that_may_not_be_written_is_waited_for() {
    a_topic_that_may_not_be_written("");
}

#[test]
fn a_topic_that_may_not_be_written_is_waited_for_exactly_once() {
    a_topic_that_may_not_be_written(EXACTLY_ONCE);
}

#[test]
fn a_topic_that_may_not_be_seen_is_not_called_missing() {
    let topics = Topics::create(1);
    broker::produce(&topics.source, 1, &events(0..5));
    for topic in [&topics.sink, &topics.source] {
        acl::allow_only(Resource::Topic, topic, &[Operation::DescribeConfigs]);
    }
    let service = Setup::offline().connector(&topics, "").start();
    wait_said(&service, &format!("topic {} may not be seen", topics.sink));
    acl::allow_all(Resource::Topic, &topics.sink);
    wait_said(&service, &format!("topic {} may not be seen", topics.source));
    acl::allow_all(Resource::Topic, &topics.source);
    wait_outcomes(&service, &topics, 5, 0);
}

#[test]
fn a_source_that_may_not_be_read_is_waited_for() {
    let topics = Topics::create(1);
    acl::allow_only(Resource::Topic, &topics.source, &[Operation::Describe, Operation::Write]);
    broker::produce(&topics.source, 1, &events(0..5));
    let service = Setup::offline().connector(&topics, "").start();
    wait_said(
        &service,
        &format!("a source may not be read (TopicAuthorizationFailed); permit READ of {}", topics.source),
    );
    acl::allow_all(Resource::Topic, &topics.source);
    wait_outcomes(&service, &topics, 5, 0);
    service.wait_ready();
    // And taken away while it is read.
    acl::allow_only(Resource::Topic, &topics.source, &[Operation::Describe, Operation::Write]);
    broker::produce(&topics.source, 1, &events(5..10));
    wait_said(
        &service,
        &format!("a source may not be read (TopicAuthorizationFailed); permit READ of {}", topics.source),
    );
    acl::allow_all(Resource::Topic, &topics.source);
    wait_outcomes(&service, &topics, 10, 0);
}

/// Which is still said after it was tried again.
#[test]
fn a_source_that_may_not_be_read_keeps_back_no_other() {
    let topics = Topics::create(1);
    let other = format!("{}-other", topics.source);
    broker::create_topic(&other, 1, &[]);
    acl::allow_only(Resource::Topic, &other, &[Operation::Describe, Operation::Write]);
    broker::produce(&topics.source, 1, &events(0..5));
    broker::produce(&other, 1, &events(5..10));
    let both = Topics { source: format!("{}, {other}", topics.source), ..topics.clone() };
    let service = Setup::offline().connector(&both, "").start();
    wait_said(&service, &format!("permit READ of {}, {other}", topics.source));
    wait_outcomes(&service, &topics, 5, 0);
    std::thread::sleep(Duration::from_secs(16));
    wait_said(&service, &format!("permit READ of {}, {other}", topics.source));
    broker::produce(&topics.source, 1, &events(10..15));
    wait_outcomes(&service, &topics, 10, 0);
    acl::allow_all(Resource::Topic, &other);
    wait_outcomes(&service, &topics, 15, 0);
    service.wait_ready();
    assert_eq!(service.metric("sp_connector_restarts_total"), 0.0);
    assert_eq!(service.messages().iter().filter(|message| *message == "a source is not permitted").count(), 1);
}

#[test]
fn transactions_that_may_not_be_used_are_waited_for() {
    let topics = Topics::create(1);
    broker::produce(&topics.source, 1, &events(0..5));
    let (group, connector) = (&topics.group, topics.group.trim_end_matches("-group"));
    let id = &format!("structured-prompt-{group}-{connector}-one");
    acl::allow_only(Resource::TransactionalId, id, &[Operation::Describe]);
    let service = Setup::offline().client("group.instance.id: one").connector(&topics, EXACTLY_ONCE).start();
    wait_said(&service, "no transactions are permitted");
    acl::allow_all(Resource::TransactionalId, id);
    wait_outcomes(&service, &topics, 5, 0);
}

fn a_group_that_may_not_be_used(guarantee: &str) {
    let topics = Topics::create(1);
    broker::produce(&topics.source, 1, &events(0..5));
    acl::allow_only(Resource::Group, &topics.group, &[Operation::Describe]);
    let service = Setup::offline().connector(&topics, guarantee).start();
    wait_said(&service, &format!("group {} may not be joined", topics.group));
    acl::allow_all(Resource::Group, &topics.group);
    wait_outcomes(&service, &topics, 5, 0);
    service.wait_ready();
    // And taken away from a member.
    acl::allow_only(Resource::Group, &topics.group, &[Operation::Describe]);
    broker::produce(&topics.source, 1, &events(5..10));
    wait_said(&service, &format!("group {} may not be joined", topics.group));
    acl::allow_all(Resource::Group, &topics.group);
    wait_until("a commit of all", LIMIT, || match reader::read(&topics).lag() {
        0 => Ok(()),
        lag => Err(format!("lag {lag}: {}", service.log_text())),
    });
}

#[test]
fn a_group_that_may_not_be_used_is_waited_for() {
    a_group_that_may_not_be_used("");
}

#[test]
fn a_group_that_may_not_be_used_is_waited_for_exactly_once() {
    a_group_that_may_not_be_used(EXACTLY_ONCE);
}
