//! The examples that run by themselves do what their pages say.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "in a test they are assertions")]

#[path = "http/program.rs"]
#[allow(dead_code, clippy::disallowed_methods, unreachable_pub, reason = "another test uses the rest of it")]
mod program;
#[path = "support/wait.rs"]
#[allow(dead_code, unreachable_pub, reason = "another test uses the rest of it")]
mod wait;

use std::path::Path;
use std::process::Command;

use program::Program;
use serde_json::Value;
use wait::wait_until;

#[test]
fn a_provider_fails_and_recovers_and_nothing_is_lost() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/provider-failover/run");
    let output = Command::new(script)
        .env("STRUCTURED_PROMPT_BINARY", env!("CARGO_BIN_EXE_structured-prompt"))
        .output()
        .expect("the script runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    for line in ["lost 0\n", "called too early 0\n", "opened 2 times and closed 2 times\n"] {
        assert!(out.contains(line), "no {line:?} in {out}\n{err}");
    }
}

#[test]
fn a_real_models_recorded_answers_come_to_results() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = root.join("examples/local-model");
    let directory = tempfile::tempdir().expect("a directory");
    let tickets = std::fs::read_to_string(root.join("examples/support-triage/events.jsonl")).expect("the tickets");
    let first: String = tickets.split_inclusive('\n').take(20).collect();
    let input = directory.path().join("tickets.jsonl");
    std::fs::write(&input, first).expect("a file");
    let results = directory.path().join("results.jsonl");
    let output = Command::new(env!("CARGO_BIN_EXE_structured-prompt"))
        .env_clear()
        .arg("demo")
        .args(["--json", "--config"])
        .arg(example.join("structured-prompt.yaml"))
        .arg("--connector")
        .arg(example.join("connector.yaml"))
        .arg("--input")
        .arg(&input)
        .arg("--results")
        .arg(&results)
        .env("STRUCTURED_PROMPT_LLM__REPLAY", example.join("cassettes"))
        .output()
        .expect("the program runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}\nrecord again: make demo-model ARGS=--record");
    let summary: serde_json::Value = serde_json::from_str(&out).expect("a summary");
    assert_eq!((summary["received"].as_u64(), summary["results"].as_u64()), (Some(20), Some(20)), "{out}\n{err}");
    for line in std::fs::read_to_string(&results).expect("results").lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("an event");
        assert_eq!((&event["provider"], &event["model"]), (&"local".into(), &"gemma-3-270m".into()), "{line}");
        assert!(event["data"]["about"].as_str().is_some_and(|about| (3..=60).contains(&about.len())), "{line}");
    }
}

/// The fenced blocks of a page that are in one of these languages, each with its language.
fn blocks<'a>(page: &'a str, languages: &[&str]) -> Vec<(&'a str, &'a str)> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).filter(|(language, _)| languages.contains(language)).collect()
}

/// Members that are another each time.
const EACH_TIME: [&str; 4] = ["request_id", "processing_time_ms", "created_at", "updated_at"];

/// The same without what is another each time.
fn lasting(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(members) => {
            members.retain(|name, _| !EACH_TIME.contains(&name.as_str()));
            members.values_mut().for_each(|value| *value = lasting(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = lasting(item.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    answer
}

#[test]
fn the_calls_of_the_http_page_have_the_answers_that_it_shows() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/http-quickstart/README.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let blocks = blocks(&page, &["sh", "json"]);
    let (start, calls) = blocks.split_first().expect("blocks");
    assert_eq!(start.1, "export KEY=$(structured-prompt key create --name me)\nstructured-prompt run &");
    let program = Program::start("http: { listen: \"127.0.0.1:0\" }\nstore: { url: \"sqlite://data.db\" }\n");
    let key = program.command(&["key", "create", "--name", "me"]);
    assert!(calls.len() >= 8, "{}", calls.len());
    for pair in calls.chunks(2) {
        let [("sh", call), ("json", shown)] = pair else { panic!("a call and its answer take turns: {pair:?}") };
        let call = call.replace("127.0.0.1:8080", program.address());
        let output = Command::new("bash").args(["-c", &call]).env("KEY", &key).output().expect("bash");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let shown: Value = serde_json::from_str(shown).expect("JSON");
        assert_eq!(lasting(answer.clone()), lasting(shown), "{answer:#}");
    }
}
