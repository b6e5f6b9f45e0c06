//! A secret of the brokers that is replaced while a connector runs.

use std::fs;
use std::time::Duration;

use super::broker::{self, TestRecord};
use super::service::{Service, Setup, Topics};
use super::{reader, wait_until};

const LIMIT: Duration = Duration::from_secs(40);

fn events(range: std::ops::Range<usize>) -> Vec<TestRecord> {
    range.map(|n| TestRecord::event(&format!("e{n}"), &format!("Ticket {n}: where is my parcel?"))).collect()
}

fn wait_results(service: &Service, topics: &Topics, results: usize) {
    wait_until("results", LIMIT, || match reader::read(topics).results {
        found if found == results => Ok(()),
        found => Err(format!("{found} results: {}", service.log_text())),
    });
}

fn the_clients_are_built_anew_and_nothing_is_repeated(guarantee: &str) {
    let topics = Topics::create(1);
    broker::produce(&topics.source, 1, &events(0..20));
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("password");
    fs::write(&file, "canary-first").expect("a file");
    // The brokers of the tests ask nobody for it.
    let option = format!("sasl.password.file: {}", file.display());
    let service = Setup::offline().client(&option).connector(&topics, guarantee).start();
    wait_results(&service, &topics, 20);
    fs::write(&file, "canary-second").expect("a file");
    wait_until("new clients", LIMIT, || {
        service.log_text().contains("the Kafka clients are built anew").then_some(()).ok_or_else(|| service.log_text())
    });
    broker::produce(&topics.source, 1, &events(20..40));
    wait_results(&service, &topics, 40);
    service.wait_ready();
    assert_eq!(service.metric("sp_connector_restarts_total"), 0.0);
    assert!(!service.log_text().contains("canary"), "{}", service.log_text());
}

#[test]
fn a_new_secret_is_used_at_least_once() {
    the_clients_are_built_anew_and_nothing_is_repeated("");
}

#[test]
fn a_new_secret_is_used_exactly_once() {
    the_clients_are_built_anew_and_nothing_is_repeated("delivery: { guarantee: exactly-once }");
}
