//! Upgrades: what an earlier version left behind means the same today. Nothing that was paid for is asked again,
//! nothing that has an outcome gets another, and its settings are read.
//!
//! `fixtures/COMMIT` is what the program of that commit left when it was killed; fixtures/README.md tells more.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "in a test they are assertions and their explanation"
)]

mod cluster;
mod fixtures;
mod make;
mod program;
#[path = "../support/stub_provider.rs"]
mod stub_provider;
mod upgrade;
#[path = "../support/wait.rs"]
mod wait;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use fixtures::{COMMIT, Commit, Fixtures, Published, SourceRecord};
use upgrade::{Upgrade, answers};
use wait::wait_until;

/// What a program that has to join its groups and do its work takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

#[test]
fn the_settings_are_read_without_a_finding() {
    let fixtures = Fixtures::of(COMMIT);
    let output = Command::new(env!("CARGO_BIN_EXE_structured-prompt"))
        .arg("lint")
        .args([fixtures.path("settings"), fixtures.path("connectors")])
        .env_clear()
        .output()
        .expect("the program");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("no findings"), "{said}");
}

#[test]
fn an_outcome_that_was_paid_for_is_published_again_without_a_call() {
    let upgrade = Upgrade::new();
    let program = upgrade.start();
    let expected = upgrade.fixtures.results();
    let mut published = Vec::new();
    wait_until("the results", LIMIT, || {
        published = upgrade.published();
        if published.len() >= expected.len() { Ok(()) } else { Err(format!("{}\n{published:?}", program.log())) }
    });
    let held = u64::try_from(upgrade.held().count()).expect("a few");
    assert_eq!(upgrade.stub.calls(), held, "something was paid for twice: {published:?}");
    assert!(published.iter().all(|result| result.cache_hit() == "journal"), "{published:?}");
    let mut published: Vec<Published> = published.into_iter().map(Published::lasting).collect();
    published.sort();
    assert_eq!(published, expected.into_iter().map(Published::lasting).collect::<Vec<_>>());
}

#[test]
fn only_what_the_committed_map_leaves_open_is_done() {
    let upgrade = Upgrade::new();
    let commits = upgrade.fixtures.commits();
    assert!(commits.iter().any(|commit| commit.metadata.starts_with("sp1")), "{commits:?}");
    upgrade.cluster.commit(&commits);
    upgrade.stub.set_script(answers());
    let program = upgrade.start();
    upgrade.wait_for_the_end_of_all_topics(&program);
    let causes: Vec<String> = upgrade.published().iter().map(|result| result.header("ce_causationid")).collect();
    assert_eq!(causes.len(), upgrade.held().count(), "{causes:?}");
    assert_eq!(upgrade.stub.calls(), u64::try_from(causes.len()).expect("a few"), "{causes:?}");
}

/// The connector of the refunds answers each event once a day.
#[test]
fn an_event_that_was_claimed_is_dropped_when_it_comes_again_and_a_contradiction_is_a_dead_letter() {
    let upgrade = Upgrade::new();
    let refunds = || upgrade.records.iter().filter(|record| record.topic == "refunds.requested");
    let later = |record: &SourceRecord| SourceRecord { timestamp: record.timestamp + 60_000, ..record.clone() };
    let other =
        SourceRecord { value: r#"{"amount":1,"body":"Something else."}"#.to_owned(), ..later(&upgrade.records[8]) };
    assert_eq!(other.topic, "refunds.requested");
    let again: Vec<SourceRecord> = refunds().map(later).chain([other]).collect();
    let done = |(group, topic): (&str, &str)| Commit {
        group: group.to_owned(),
        topic: topic.to_owned(),
        offset: i64::try_from(upgrade.records.iter().filter(|record| record.topic == topic).count()).expect("a few"),
        metadata: String::new(),
    };
    upgrade.cluster.commit(&upgrade::sources().map(done).collect::<Vec<_>>());
    upgrade.cluster.produce(&again);
    let program = upgrade.start();
    upgrade.wait_for_the_end_of_all_topics(&program);
    assert_eq!(upgrade.published(), []);
    assert_eq!(upgrade.stub.calls(), 0);
    let codes = upgrade.dead_letters().into_iter().fold(BTreeMap::new(), |mut codes, letter| {
        *codes.entry(letter.header("sp-error-code")).or_insert(0) += 1;
        codes
    });
    assert_eq!(codes, BTreeMap::from([("id_conflict".to_owned(), 1)]));
}
