//! Traces of the real binary, read by OpenTelemetry's own types. What else is in them is tested in `src/`.

use std::time::Duration;

use serde_json::{Value, json};

use super::OPEN;
use super::collector::{Collector, ExportedSpan, Reaction, assert_page_shows, named, spans, tree};
use super::program::{Program, send};
use super::servers::free_port;
use super::stub_provider::{Fault, Script, StubProvider, When};
use super::wait::wait_until;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CLIENT_SPAN: &str = "b7ad6b7169203331";

fn question() -> Value {
    let schema = json!({ "type": "object", "properties": { "intent": { "type": "string" } }, "required": ["intent"] });
    json!({ "prompt": "Where is my parcel, canary?", "schema": schema })
}

/// Asks within a trace of ours.
fn ask(program: &Program) {
    let parent = format!("traceparent: 00-{TRACE}-{CLIENT_SPAN}-01\r\n");
    let answer = send(program.address(), "POST", "/v1/analyze", &parent, &question().to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn provider(stub: &StubProvider, model: &str) -> String {
    let base_url = stub.base_url();
    format!(
        "{{ kind: openai, base_url: \"{base_url}\", model: {model}, api_key_env: null, timeout: 120s, max_retries: 0 }}"
    )
}

#[test]
fn a_request_is_one_trace_with_that_of_its_client() {
    let away = Script::default().fault(When::Every(1), Fault::error(503, "server_error", None));
    let (away, answering) = (StubProvider::start(away), StubProvider::start(Script::default()));
    let configuration = format!(
        "{OPEN}providers: {{ first: {}, second: {} }}\nrouting: {{ strategy: priority, fallback: [first, second] }}\n",
        provider(&away, "large-1"),
        provider(&answering, "small-1")
    );
    let collector = Collector::start();
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "3600000")];
    let mut program = Program::start_with(&configuration, &environment);
    ask(&program);
    assert!(collector.is_empty(), "it waits for more");
    program.terminate();
    assert!(program.end().success(), "{}", program.log_text());
    let spans = spans(&collector.export());
    assert_page_shows("### A request over HTTP", &tree(&spans));
    let server = named(&spans, "POST /v1/analyze");
    assert_eq!((server.trace_id.as_str(), server.parent.as_str()), (TRACE, CLIENT_SPAN));
    assert_eq!(server.attributes["http.response.status_code"], 200);
    assert_eq!(server.resource["service.name"], "structured-prompt");
    let (failed, answered) = (named(&spans, "chat large-1"), named(&spans, "chat small-1"));
    assert_eq!((failed.is_error, &failed.attributes["error.type"]), (true, &json!("provider_unavailable")));
    assert_eq!((answered.is_error, &answered.attributes["gen_ai.response.finish_reasons"]), (false, &json!(["stop"])));
    assert!(answered.attributes["gen_ai.usage.input_tokens"].as_u64() > Some(0), "{answered:?}");
    assert!(answered.attributes["sp.cost_usd"].is_f64(), "{answered:?}");
    assert!(spans.iter().all(|span| span.trace_id == TRACE && span.began_at <= span.ended_at && span.began_at > 0));
    assert!(!format!("{spans:?}").contains("canary"), "texts are exported only if the user wants them");
}

#[test]
fn a_trace_arrives_whole_at_a_collector_that_was_away_busy_and_slow() {
    let address = format!("127.0.0.1:{}", free_port());
    let endpoint = format!("http://{address}");
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
    ];
    let program = Program::start_with(OPEN, &environment);
    ask(&program);
    wait_until("the line that says so", Duration::from_secs(10), || {
        let log = program.log_text();
        if log.contains("traces are not exported") { Ok(()) } else { Err(log) }
    });
    let slow = Reaction::TakesLong(Duration::from_secs(20));
    let collector = Collector::start_on(&address, &[Reaction::IsBusy, slow]);
    let exports = [collector.export(), collector.export(), collector.export()];
    assert!(exports.iter().all(|export| *export == exports[0]), "it is the same until it is taken");
    let spans = spans(&exports[0]);
    assert_eq!(named(&spans, "POST /v1/analyze").parent, CLIENT_SPAN);
    for name in ["resolve", "accept", "recall", "ask", "chat", "approve", "ground", "score"] {
        let is_named = |span: &&ExportedSpan| span.name.split(' ').next() == Some(name) && span.trace_id == TRACE;
        assert_eq!(spans.iter().filter(is_named).count(), 1, "{name} in {}", tree(&spans));
    }
    wait_until("the line that says so", Duration::from_secs(10), || {
        let log = program.log_text();
        if log.contains("traces are exported again") { Ok(()) } else { Err(log) }
    });
}

#[test]
fn requests_are_answered_though_nobody_takes_their_traces() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", nobody.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let mut program = Program::start_with(OPEN, &environment);
    for _ in 0..20 {
        ask(&program);
    }
    program.terminate();
    assert!(program.end().success(), "{}", program.log_text());
}
