//! The official client libraries of the providers as judges: their types judge our requests, and they talk to the stub.
//!
//! A field that we and the stub misspell alike is found here.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use structured_prompt::llm::settings::{Api, RemoteSettings, StructuredOutput, TokenLimitField};
use structured_prompt::ports::model::{Call, Correction};

use super::stub_provider::{Script, StubProvider, Wire};
use super::{KEY, call, model, settings, spec, spec_at};

#[allow(clippy::disallowed_methods, reason = "where the test's tools are is said by who runs it")]
fn python(script: &str, args: &[&str], input: &str) -> Value {
    let python = std::env::var("STRUCTURED_PROMPT_TEST_PYTHON").expect(
        "this test needs the official clients: run `make test`, or set the variable from scripts/python-tools.sh",
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/python").join(script);
    let mut command = Command::new(python);
    command.arg(script).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("Python runs");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("its report")
}

/// The complaints about a body.
fn complaints(cases: &[(Wire, String, Value)]) -> Vec<(String, Vec<String>)> {
    let lines: Vec<String> = cases
        .iter()
        .map(|(wire, case, body)| json!({ "wire": format!("{wire:?}"), "case": case, "body": body }).to_string())
        .collect();
    let report = python("check_requests.py", &[], &lines.join("\n"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = |one: &Value| one["errors"].as_array().unwrap().iter().map(text).collect();
    report.as_array().unwrap().iter().map(|one| (text(&one["case"]), errors(one))).collect()
}

/// A body with every field that this format ever gets.
async fn bodies(wire: Wire, change: impl FnOnce(&mut RemoteSettings)) -> Vec<Value> {
    let stub = StubProvider::start(Script::default());
    let mut remote = settings(wire, &stub);
    change(&mut remote);
    let (model, spec) = (model(remote), spec());
    let correction = Some(Correction { answer: "{\"a\":1}", errors: "/intent: missing" });
    model.ask(&call(&spec)).await.unwrap();
    model.ask(&Call { correction, max_tokens: Some(99), ..call(&spec_at(Some(0.5))) }).await.unwrap();
    assert_eq!(stub.protocol_errors(), 0);
    stub.requests()
}

async fn every_body() -> Vec<(Wire, String, Value)> {
    let mut cases = vec![];
    let mut add = |wire: Wire, case: &str, bodies: Vec<Value>| {
        for (n, body) in bodies.into_iter().enumerate() {
            cases.push((wire, format!("{wire:?} {case} {n}"), body));
        }
    };
    for wire in Wire::ALL {
        add(wire, "plain", bodies(wire, |_| {}).await);
        add(wire, "log probabilities", bodies(wire, |remote| remote.logprobs = true).await);
    }
    for structured_output in [StructuredOutput::JsonObject, StructuredOutput::Prompt] {
        let api = Api::OpenAi { structured_output, token_limit: TokenLimitField::MaxCompletionTokens };
        add(Wire::OpenAi, &format!("{structured_output:?}"), bodies(Wire::OpenAi, |remote| remote.api = api).await);
    }
    cases
}

#[tokio::test]
async fn the_requests_are_what_the_official_types_say() {
    let mut cases = every_body().await;
    assert_eq!(cases.len(), 2 * (3 * 2 + 2));
    for (wire, case, body) in &mut cases {
        // Anthropic's types of 2026 have no temperature, as its newest models take none. Older ones and gateways still
        // do, and it is sent only where a user configures it.
        if *wire == Wire::Anthropic && body.as_object_mut().unwrap().remove("temperature").is_some() {
            assert!(case.ends_with('1'), "{case}");
        }
        // llama.cpp's own: the schema beside `json_object`.
        if case.contains("JsonObject") {
            set(body, "/response_format/schema", Value::Null);
        }
    }
    for (case, errors) in complaints(&cases) {
        assert!(errors.is_empty(), "{case}: {errors:?}");
    }
}

/// Sets, or with null removes, what `pointer` names.
fn set(body: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let fields = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        fields.remove(name).unwrap();
    } else {
        fields.insert(name.to_owned(), value);
    }
}

#[tokio::test]
async fn the_check_finds_what_is_wrong() {
    let faults = [
        (Wire::OpenAi, "/max_tokens", json!("99")),
        (Wire::OpenAi, "/max_token", json!(99)),
        (Wire::OpenAi, "/model", Value::Null),
        (Wire::OpenAi, "/messages/0/role", json!("operator")),
        (Wire::OpenAi, "/response_format/json_schema/stricter", json!(true)),
        (Wire::OpenAi, "/response_format/json_schema/name", Value::Null),
        (Wire::Anthropic, "/max_tokens", Value::Null),
        (Wire::Anthropic, "/messages/0/text", json!("x")),
        (Wire::Anthropic, "/output_config/format/type", json!("json")),
        (Wire::Anthropic, "/output_config/form", json!({})),
        (Wire::Gemini, "/contents", Value::Null),
        (Wire::Gemini, "/contents/0/part", json!([])),
        (Wire::Gemini, "/generationConfig/maxTokens", json!(1)),
        (Wire::Gemini, "/generationConfig/maxOutputTokens", json!("99")),
        (Wire::Gemini, "/system_instructions", json!({})),
    ];
    let mut cases = vec![];
    for (wire, pointer, value) in faults {
        let mut body = bodies(wire, |_| {}).await.remove(0);
        set(&mut body, pointer, value);
        cases.push((wire, format!("{wire:?} {pointer}"), body));
    }
    for (case, errors) in complaints(&cases) {
        assert!(!errors.is_empty(), "{case} is not found");
    }
}

/// Every path to a field, array positions left out, the schema left out.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    for inner in value.as_array().into_iter().flatten() {
        paths(inner, path, found);
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let path = format!("{path}/{name}");
        found.push(path.clone());
        if !["schema", "responseJsonSchema"].contains(&name.as_str()) {
            paths(inner, &path, found);
        }
    }
}

#[tokio::test]
async fn the_official_clients_understand_the_stub_and_send_what_we_send() {
    for wire in Wire::ALL {
        let ours = bodies(wire, |remote| {
            remote.logprobs = true;
            remote.temperature = Some(0.5);
            if let Api::OpenAi { token_limit, .. } = &mut remote.api {
                *token_limit = TokenLimitField::MaxCompletionTokens;
            }
        });
        let ours = ours.await.remove(0);
        let stub = StubProvider::start(Script { api_key: Some(KEY.to_owned()), ..Script::default() });
        let (name, address) = (format!("{wire:?}"), stub.root_url());
        let schema = match wire {
            Wire::OpenAi => ours.pointer("/response_format/json_schema/schema"),
            Wire::Anthropic => ours.pointer("/output_config/format/schema"),
            Wire::Gemini => ours.pointer("/generationConfig/responseJsonSchema"),
        };
        let schema = schema.expect("the schema").to_string();
        let read = tokio::task::spawn_blocking(move || python("call_provider.py", &[&name, &address, &schema], ""));
        let read = read.await.unwrap();
        assert!(read["text"].as_str().is_some_and(|text| text.contains("\"intent\"")), "{read}");
        assert_eq!((stub.calls(), stub.protocol_errors()), (1, 0), "{wire:?}");
        let (mut sent, mut theirs) = (vec![], vec![]);
        paths(&ours, "", &mut sent);
        paths(&stub.requests()[0], "", &mut theirs);
        for path in sent {
            assert!(theirs.contains(&path), "{wire:?}: the official client does not send {path}: {theirs:?}");
        }
    }
}
