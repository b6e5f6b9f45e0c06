//! What operators watch the service with: the rules, dashboards and configurations in `deploy/`, tried with a real
//! Prometheus and a real Alertmanager.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "in a test they are assertions and their explanation"
)]

mod alert_delivery;
#[path = "../support/broker.rs"]
mod broker;
mod dashboards;
mod files;
mod monitoring;
#[path = "../support/servers.rs"]
mod servers;
#[path = "../support/service.rs"]
mod service;
#[path = "../support/stub_provider.rs"]
mod stub_provider;
#[path = "../support/wait.rs"]
mod wait;
mod webhook;

use std::path::{Path, PathBuf};

use serde_json::json;
use wait::wait_until;

/// A file of the project.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A provider whose answers are valid support intents. Their order number stands in the text of each record.
fn triage() -> stub_provider::Script {
    stub_provider::Script::default().answer(|_request, call| {
        json!({
            "intent": "delivery_problem", "urgency": "normal", "sentiment": "neutral",
            "summary": format!("call {call}"), "product": null, "order_id": "48213",
            "customer_email": null, "amount": null, "currency": null,
            "language": "en", "requires_human": false,
        })
        .to_string()
    })
}
