//! The HTTP API as a client meets it: the real binary, without connectors and without Kafka.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "in a test they are assertions and their explanation"
)]

mod audit;
mod catalog;
#[path = "../support/collector.rs"]
mod collector;
mod fuzz;
mod generated_client;
mod health;
mod history;
mod listeners;
mod log_level;
mod openai;
mod openapi;
mod outages;
mod own_authority;
mod pages;
mod program;
mod proxies;
mod redis_faults;
mod refusals;
mod rotation;
mod secrets;
#[path = "../support/servers.rs"]
mod servers;
mod service;
#[path = "../support/stub_provider.rs"]
mod stub_provider;
mod teams;
mod traces;
mod unusual_requests;
#[path = "../support/wait.rs"]
mod wait;

use std::time::Duration;

use program::{Program, send};
use serde_json::json;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use stub_provider::{Latency, Script, StubProvider};
use wait::wait_until;

const OPEN: &str = "http: { listen: \"127.0.0.1:0\", auth: off }\nstore: { url: none }\n";

const INVOICE: &str =
    "Rechnung Nr. 4711 vom 12.03.2026\nMusterfirma GmbH\nGesamtbetrag: 119,00 EUR\nzahlbar bis 26.03.2026";

#[test]
fn a_program_without_connectors_answers_with_the_offline_extractor() {
    let mut program = Program::start(OPEN);
    assert_eq!(program.get("/v1/health/ready").status, 200);
    let request = json!({ "template_id": "invoice", "parameters": { "document": INVOICE } });
    let answer = program.post("/v1/analyze", &request);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.headers.contains("\r\nx-request-id: the-test"), "{answer:?}");
    let body = &answer.body;
    assert_eq!((&body["request_id"], &body["provider"]), (&json!("the-test"), &json!("offline")), "{body}");
    assert_eq!((&body["schema"], &body["template"]), (&json!("invoice@1.0.0"), &json!("invoice@1.0.0")), "{body}");
    assert_eq!(body["data"]["invoice_number"], "4711", "{body}");
    assert_eq!(program.post("/v1/analyze", &request).body["cache"], "memory");
    let refused = program.post("/v1/analyze", &json!({ "promt": "x" }));
    assert_eq!((refused.status, &refused.body["code"]), (400, &json!("invalid_request")));
    program.terminate();
    assert!(program.end().success(), "{}", program.log_text());
    assert!(!program.log_text().contains("Musterfirma"), "{}", program.log_text());
}

#[test]
fn nobody_may_ask_without_a_key_unless_the_user_says_so() {
    let program = Program::start("http: { listen: \"127.0.0.1:0\" }\nstore: { url: none }\n");
    let refused = program.post("/v1/analyze", &json!({ "prompt": "x" }));
    assert_eq!((refused.status, &refused.body["code"]), (401, &json!("unauthorized")), "{refused:?}");
    assert!(program.log_text().contains("nobody may ask over HTTP"), "{}", program.log_text());
}

#[test]
fn a_key_that_was_made_opens_the_api_until_it_is_revoked() {
    let program = Program::start("http: { listen: \"127.0.0.1:0\" }\nstore: { url: \"sqlite://keys.db\" }\n");
    let key = program.command(&["key", "create", "--name", "me", "--rate-limit", "50"]);
    let ask =
        |key: &str| program.post_with_key("/v1/analyze", key, &json!({ "prompt": INVOICE, "schema_id": "invoice" }));
    let answer = ask(&key);
    assert_eq!((answer.status, &answer.body["data"]["invoice_number"]), (200, &json!("4711")), "{answer:?}");
    assert!(answer.headers.contains("ratelimit: \"default\";r=49;t="), "{answer:?}");
    assert_eq!(ask("").status, 401);
    assert_eq!(ask(&key.replace("sk_", "sk_0")).status, 401);
    let id = key.split('_').nth(1).expect("an id");
    program.command(&["key", "revoke", id]);
    wait_until("the refusal of the revoked key", Duration::from_secs(20), || match ask(&key).status {
        401 => Ok(()),
        status => Err(format!("{status}")),
    });
    let secret = key.rsplit('_').next().expect("a secret");
    assert!(!program.log_text().contains(secret), "{}", program.log_text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_is_in_the_request_log_when_the_program_has_ended() {
    let configuration = "http: { listen: \"127.0.0.1:0\", auth: off }\nstore: { url: \"sqlite://log.db\" }\n";
    let mut program = Program::start(configuration);
    program.post("/v1/analyze", &json!({ "prompt": INVOICE, "schema_id": "invoice" }));
    program.post("/v1/analyze", &json!({ "promt": "x" }));
    program.terminate();
    assert!(program.end().success(), "{}", program.log_text());
    let options = SqliteConnectOptions::new().filename(program.file("log.db"));
    let mut database = options.connect().await.expect("the database");
    type Row = (i64, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Row> = sqlx::query_as("SELECT status, code, schema_name, prompt FROM request_logs ORDER BY status")
        .fetch_all(&mut database)
        .await
        .expect("the rows");
    let text = |text: &str| Some(text.to_owned());
    let expected = [(200, None, text("invoice@1.0.0"), None), (400, text("invalid_request"), None, None)];
    assert_eq!(rows, expected, "no texts, unless the user wants it");
    let requests: i64 =
        sqlx::query_scalar("SELECT SUM(requests) FROM usage_hourly").fetch_one(&mut database).await.expect("the sums");
    assert_eq!(requests, 2);
}

#[test]
fn a_program_that_ends_finishes_what_it_has_begun_and_takes_nothing_more() {
    let script = Script::default().latency(Latency::Fixed(Duration::from_secs(3))).answer(|_, _| "{}".to_owned());
    let stub = StubProvider::start(script);
    let providers = format!(
        "providers:\n  stub: {{ kind: openai, base_url: \"{}\", model: stub-1, api_key_env: null, timeout: 30s }}\n\
         routing: {{ fallback: [stub] }}\n",
        stub.base_url()
    );
    let mut program = Program::start(&format!("{OPEN}{providers}"));
    let address = program.address().to_owned();
    let request = json!({ "prompt": "x", "schema": { "type": "object" } }).to_string();
    let body = request.clone();
    let begun = std::thread::spawn(move || send(&address, "POST", "/v1/analyze", "", &body));
    wait_until("the call", Duration::from_secs(20), || match stub.in_flight() {
        0 => Err("not asked yet".to_owned()),
        _ => Ok(()),
    });
    program.terminate();
    wait_until("the drain", Duration::from_secs(20), || match program.get("/v1/health/ready").status {
        503 => Ok(()),
        status => Err(format!("{status}")),
    });
    let refused = send(program.address(), "POST", "/v1/analyze", "", &request);
    assert_eq!((refused.status, &refused.body["code"]), (503, &json!("shutting_down")), "{refused:?}");
    let answer = begun.join().expect("an answer");
    assert_eq!((answer.status, &answer.body["data"]), (200, &json!({})), "{answer:?}");
    assert!(program.end().success(), "{}", program.log_text());
    assert_eq!(stub.calls(), 1);
    let log = program.log_text();
    let (began, ended) = (log.find("\"stopping: "), log.find("\"stopped\""));
    assert!(began.is_some() && began < ended, "{log}");
}
