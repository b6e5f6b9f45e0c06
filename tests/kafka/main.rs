//! The service as a user runs it: the real binary against a real Kafka. `make test` starts the broker and says where it
//! is.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "in a test they are assertions and their explanation"
)]

#[path = "../support/acl.rs"]
mod acl;
mod agreement;
mod audit;
mod bad_input;
#[path = "../support/broker.rs"]
mod broker;
#[path = "../support/collector.rs"]
mod collector;
mod completed;
mod consumers;
mod crash;
mod dead_letters;
mod exactly_once;
mod forms;
mod full_log_disk;
mod new_secret;
mod outage;
mod permissions;
mod plan;
mod reader;
mod rebalance;
mod remembered;
mod review;
mod review_decisions;
mod review_desk;
mod review_queue;
mod review_unconfirmed;
#[path = "../support/servers.rs"]
mod servers;
#[path = "../support/service.rs"]
mod service;
mod shared_cache;
mod shutdown;
#[path = "../support/stub_provider.rs"]
mod stub_provider;
mod traces;
#[path = "../support/wait.rs"]
mod wait;
#[path = "../support/wire.rs"]
mod wire;

use wait::wait_until;

/// A script whose answers are valid support intents, each with the number of its call.
fn triage() -> stub_provider::Script {
    stub_provider::Script::default().answer(|_request, call| {
        serde_json::json!({
            "intent": "delivery_problem", "urgency": "normal", "sentiment": "neutral", "summary": format!("call {call}"),
            "product": null, "order_id": null, "customer_email": null, "amount": null, "currency": null,
            "language": "en", "requires_human": false,
        })
        .to_string()
    })
}
