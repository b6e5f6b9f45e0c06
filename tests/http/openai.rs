//! OpenAI's own clients are answered as they are by OpenAI.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::program::Program;
use super::stub_provider::{Fault, Latency, Script, StubProvider};

const STORE: &str = "http: { listen: \"127.0.0.1:0\" }\nstore: { url: \"sqlite://openai.db\" }\n";

/// A provider that does what the prompt says.
fn provider() -> StubProvider {
    let has_been_busy = Mutex::new(HashSet::new());
    let fault = move |request: &Value, _call: u64| {
        let prompt = request["messages"][1]["content"].as_str().expect("a prompt").to_owned();
        if prompt.contains("refuse") {
            Some(Fault::Refusal)
        } else if prompt.contains("cut") {
            Some(Fault::Truncated)
        } else if prompt.contains("anything else") {
            Some(Fault::Invalid)
        } else if prompt.contains("slow") {
            Some(Fault::Hang)
        } else if prompt.contains("busy") && has_been_busy.lock().expect("the set").insert(prompt) {
            Some(Fault::Status { status: 429, body: "{}".to_owned(), headers: vec![("retry-after", "3".to_owned())] })
        } else {
            None
        }
    };
    let answer = |_request: &Value, _call| r#"{"intent":"refund","count":3}"#.to_owned();
    StubProvider::start(Script::default().latency(Latency::Fixed(Duration::ZERO)).answer(answer).fault_of(fault))
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[allow(clippy::disallowed_methods, reason = "where the test's tools are is said by who runs it")]
fn tool(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `make test`"))
}

fn python() -> Command {
    Command::new(tool("STRUCTURED_PROMPT_TEST_PYTHON"))
}

/// What a client sees that makes the calls of its script.
fn report(mut client: Command) -> Value {
    let stub = provider();
    let program = Program::start(&format!(
        "{STORE}providers:\n  stub: {{ kind: openai, base_url: \"{}\", model: stub-1, api_key_env: null, timeout: 30s }}\n\
         routing: {{ fallback: [stub] }}\n",
        stub.base_url()
    ));
    let key = program.command(&["key", "create", "--name", "client"]);
    let spent_key = program.command(&["key", "create", "--name", "spent", "--rate-limit", "1"]);
    let address = format!("http://{}/v1", program.address());
    let output = client.args([&address, &key, &spent_key]).output().expect("the client");
    assert!(output.status.success(), "{output:?}\n{}", program.log_text());
    assert_eq!(stub.protocol_errors(), 0);
    serde_json::from_slice(&output.stdout).expect("its report")
}

fn expected() -> Value {
    let content = r#"{"intent":"refund","count":3}"#;
    json!({
        "create": [content, "stop", "stub"],
        "parse": "refund",
        "stream": [content, "stop", 0],
        "stream and parse": "refund",
        "refusal": [null, true],
        "cut": ["LengthFinishReasonError"],
        "models": [true, true, "template/invoice@1.0.0"],
        "replayed": [null, "true"],
        "retried": ["refund", true],
        "wrong key": ["AuthenticationError", "unauthorized", null, true],
        "spent key": ["RateLimitError", "rate_limited", null, true],
        "unknown model": ["NotFoundError", "not_found", "model", true],
        "two answers": ["BadRequestError", "invalid_request", "n", true],
        "invalid answer": ["UnprocessableEntityError", "answer_invalid", null, true],
        "too slow": ["InternalServerError", "deadline_exceeded", null, true],
    })
}

#[test]
fn the_official_python_client_is_answered_as_by_openai() {
    let mut client = python();
    client.arg(file("tests/tools/python/openai_client.py"));
    assert_eq!(report(client), expected());
}

#[test]
fn the_official_node_client_is_answered_as_by_openai() {
    let mut client = Command::new("node");
    client.arg(file("tests/tools/node/openai_client.cjs"));
    client.env("NODE_PATH", tool("STRUCTURED_PROMPT_TEST_NODE_MODULES"));
    assert_eq!(report(client), expected());
}

#[test]
fn the_program_of_the_page_prints_what_the_page_says() {
    let page = std::fs::read_to_string(file("docs/openai.md")).expect("the page");
    let block = |language: &str| {
        let fence = format!("\n```{language}\n");
        let (_, rest) = page.split_once(&fence).unwrap_or_else(|| panic!("no block {language}"));
        rest.split_once("```").expect("its end").0
    };
    let program = Program::start(STORE);
    let key = program.command(&["key", "create", "--name", "me"]);
    let output = python()
        .args(["-c", block("python")])
        .env("OPENAI_BASE_URL", format!("http://{}/v1", program.address()))
        .env("OPENAI_API_KEY", key)
        .output()
        .expect("Python");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), block("text"));
}
