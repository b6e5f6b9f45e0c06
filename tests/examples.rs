//! The examples that run by themselves do what their pages say.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "in a test they are assertions")]

use std::path::Path;
use std::process::Command;

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
