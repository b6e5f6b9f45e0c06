//! `structured-prompt plan`: it tells what waits, and leaves the group as it is.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::broker::{self, TestRecord};
use super::review::wait_for;
use super::service::{Setup, Topics};
use super::stub_provider::StubProvider;
use super::triage;

/// What `plan` prints as JSON.
fn plan(setup: &Setup, topics: &Topics, more: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
    command.arg("plan").arg(setup.connector_file(topics)).arg("--config").arg(setup.write_runtime());
    let output = command.args(["--output", "json"]).args(more).output().expect("the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_plan_reads_what_waits_and_neither_joins_the_group_nor_commits() {
    let stub = StubProvider::start(triage());
    let topics = Topics::create(3);
    // Each question three times, and records that fail by themselves.
    let mut records: Vec<TestRecord> =
        (0..60).map(|n| TestRecord::event(&n.to_string(), &format!("Where is parcel {}?", n % 20))).collect();
    records.extend((60..80).map(|n| TestRecord::event(&n.to_string(), " ")));
    broker::produce(&topics.source, 3, &records);
    let setup = Setup::patient(&stub.base_url()).connector(&topics, "");

    let all = plan(&setup, &topics, &[]);
    assert_eq!((&all["sampled"], &all["records_waiting"]), (&80.into(), &80.into()), "{all}");
    assert_eq!(all["dead_letters_by_code"], json!({ "prompt_empty": 20 }));
    let hit_rate = all["cache_hit_rate"].as_f64().expect("a rate");
    assert!((hit_rate - 40.0 / 60.0).abs() < 0.001, "{all}");
    let part = plan(&setup, &topics, &["--records", "30"]);
    assert_eq!((&part["sampled"], &part["records_waiting"]), (&30.into(), &80.into()), "{part}");
    assert_eq!(stub.calls(), 0, "nobody is asked");
    let asked = plan(&setup, &topics, &["--ask", "5"]);
    assert_eq!((&asked["asked"]["asked"], &asked["asked"]["valid"]), (&5.into(), &5.into()), "{asked}");
    assert_eq!(stub.calls(), 5);
    assert_eq!((broker::members(&topics.group), broker::committed(&topics.group, &topics.source)), (0, None));

    let mut service = setup.start();
    wait_for(80, &[&topics.sink, &topics.dead_letters], Duration::from_secs(120));
    let (status, _) = service.terminate();
    assert!(status.success(), "{}", service.log_text());
    let after = plan(&setup, &topics, &["--records", "12"]);
    assert_eq!((&after["sampled"], &after["records_waiting"]), (&12.into(), &0.into()), "the last ones: {after}");
}
