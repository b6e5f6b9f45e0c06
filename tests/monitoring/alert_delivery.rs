//! The way of an alert, from what happens to whom it is told.

use std::time::Duration;

use serde_json::Value;

use super::broker::{self, TestRecord};
use super::monitoring::Monitoring;
use super::service::{Setup, Topics};
use super::stub_provider::StubProvider;
use super::webhook::Webhook;
use super::{triage, wait_until};

#[test]
fn a_provider_that_stops_is_told_to_those_who_are_to_know() {
    let stub = StubProvider::start(triage());
    let topics = Topics::create(1);
    let service = Setup::openai(&stub.base_url()).connector(&topics, "").start();
    service.wait_ready();
    broker::produce(&topics.source, 1, &[TestRecord::event("before", "Order 48213 came broken.")]);
    wait_until("a result", Duration::from_secs(30), || match broker::count(&topics.sink) {
        1 => Ok(()),
        count => Err(format!("{count}: {}", service.log_text())),
    });
    let webhook = Webhook::start();
    let monitoring = Monitoring::start(service.address(), webhook.address());
    assert!(webhook.alerts().is_empty(), "all is well: {:?}", webhook.alerts());

    drop(stub);
    let records: Vec<_> = (0..10).map(|n| TestRecord::event(&format!("after-{n}"), &format!("Parcel {n}?"))).collect();
    broker::produce(&topics.source, 1, &records);
    let breaker_open = alert(&webhook, "email", "ProviderBreakerOpen", &monitoring);
    assert_eq!((&breaker_open["status"], &breaker_open["labels"]["provider"]), (&"firing".into(), &"stub".into()));
    assert_eq!(breaker_open["labels"]["severity"], "warning", "{breaker_open}");
    let annotations = &breaker_open["annotations"];
    assert_eq!(annotations["summary"], "The breaker before stub is open", "{breaker_open}");
    assert_eq!(annotations["runbook_url"], "docs/operations.md#providerbreakeropen", "{breaker_open}");

    let paused = alert(&webhook, "slack", "ConnectorPaused", &monitoring);
    let name = topics.group.trim_end_matches("-group");
    assert_eq!((&paused["labels"]["connector"], &paused["labels"]["severity"]), (&name.into(), &"critical".into()));
    assert_eq!(paused["labels"]["instance"], service.address(), "{paused}");
    assert_eq!(broker::count(&topics.dead_letters), 0, "records wait for the provider");
}

#[test]
fn an_instance_without_its_source_topic_is_told() {
    let topics = Topics::named();
    broker::create_topic(&topics.sink, 1, &[]);
    broker::create_topic(&topics.dead_letters, 1, &[]);
    let service = Setup::offline().connector(&topics, "").start();
    let webhook = Webhook::start();
    let monitoring = Monitoring::start(service.address(), webhook.address());
    let not_ready = alert(&webhook, "slack", "InstanceNotReady", &monitoring);
    assert_eq!(service.get("/v1/health/ready").0, 503, "{}", service.log_text());
    assert_eq!(not_ready["labels"]["instance"], service.address(), "{not_ready}");
    let others: Vec<_> =
        webhook.alerts().into_iter().filter(|(_, alert)| alert["labels"] != not_ready["labels"]).collect();
    assert!(others.is_empty(), "nothing else says so: {others:?}");
}

/// The alert of this name that this receiver was told, as soon as it is.
fn alert(webhook: &Webhook, receiver: &str, name: &str, monitoring: &Monitoring) -> Value {
    let mut found = None;
    wait_until(name, Duration::from_secs(60), || {
        let alerts = webhook.alerts();
        let told = alerts.iter().find(|(to, alert)| to == receiver && alert["labels"]["alertname"] == name);
        found = told.map(|(_, alert)| alert.clone());
        match &found {
            Some(_) => Ok(()),
            None => Err(format!("told so far: {alerts:?}; alerts: {:?}", monitoring.query("ALERTS"))),
        }
    });
    found.expect("it was waited for")
}
