//! The examples that run by themselves do what their pages say.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "in a test they are assertions")]

#[path = "support/broker.rs"]
#[allow(clippy::disallowed_methods, unreachable_pub, reason = "other tests use the rest of it")]
mod broker;
#[path = "http/program.rs"]
#[allow(dead_code, clippy::disallowed_methods, unreachable_pub, reason = "another test uses the rest of it")]
mod program;
#[path = "support/wait.rs"]
#[allow(dead_code, unreachable_pub, reason = "another test uses the rest of it")]
mod wait;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use broker::TestRecord;
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

/// How `test` ended, with what it printed.
fn test_command(directory: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
    let output = command.arg("test").args(args).current_dir(directory).env_clear().output().expect("the program runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), format!("{out}{err}"))
}

#[test]
fn the_tests_of_shipped_connectors_pass_and_notice_a_change() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = "examples/connector-tests";
    let page = std::fs::read_to_string(root.join(example).join("README.md")).expect("the page");
    let (code, out) = test_command(root, &[example]);
    assert_eq!(code, Some(0), "{out}");
    assert!(page.contains(&out), "the page shows something else than\n{out}");
    let (code, out) = test_command(root, &[]);
    assert_eq!((code, out.ends_with("3 tests passed\n")), (Some(0), true), "{out}");

    let copy = tempfile::tempdir().expect("a directory");
    let connectors = copy.path().join(example).join("connectors");
    std::fs::create_dir_all(&connectors).expect("a directory");
    for name in ["reviews.yaml", "reviews_test.yaml", "reviews_test.snapshot.json"] {
        let text = std::fs::read_to_string(root.join(example).join("connectors").join(name)).expect("a file");
        let changed = text.replace("on_ungrounded: review", "on_ungrounded: flag");
        std::fs::write(connectors.join(name), changed).expect("a file");
    }
    let (code, out) = test_command(copy.path(), &[example]);
    assert_eq!(code, Some(1), "{out}");
    let start = out.find("  FAIL  ").expect("a failure");
    let failure = &out[start..out[start..].find("\n  ok").expect("the next test") + start + 1];
    assert!(page.contains(failure), "the page shows something else than\n{failure}");
}

#[test]
fn a_test_takes_recorded_answers_without_a_key_or_a_network() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = root.join("examples/local-model");
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("a file");
    write("tickets.yaml", &std::fs::read_to_string(example.join("connector.yaml")).expect("the connector"));
    let tickets = std::fs::read_to_string(root.join("examples/support-triage/events.jsonl")).expect("the tickets");
    let (ticket, cassettes) = (tickets.lines().next().expect("a ticket"), example.join("cassettes"));
    let test = |id: &str, body: &str, expect: &str| {
        let event = format!("{{ id: '{id}', source: /s, type: t, data: {{ body: {body} }} }}");
        let cassette = cassettes.display();
        format!("  - {{ name: '{id}', event: {event}, cassette: {cassette}, expect: {{ {expect} }} }}\n")
    };
    let ticket: Value = serde_json::from_str(ticket).expect("JSON");
    let known = test(
        "known",
        &ticket["data"]["body"].to_string(),
        "headers: { ce_model: gemma-3-270m, ce_validation: passed }",
    );
    let unknown = test("unknown", "nobody recorded this", "dead_letter: not_recorded");
    write("tickets_test.yaml", &format!("tests:\n{known}{unknown}"));
    let config = example.join("structured-prompt.yaml").display().to_string();
    let (code, out) = test_command(directory.path(), &[".", "--config", &config]);
    assert_eq!(code, Some(0), "{out}\nrecord again: make demo-model ARGS=--record");
    assert!(out.ends_with("2 tests passed\n"), "{out}");
    assert!(!example.join("data").exists(), "a test makes no database");
}

/// A program that ends with the test.
struct Watcher(Child);

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn tests_that_are_watched_run_again_when_a_file_changes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors");
    let directory = tempfile::tempdir().expect("a directory");
    let connectors = directory.path().join("connectors");
    std::fs::create_dir(&connectors).expect("a directory");
    for name in ["support-triage.yaml", "support-triage_test.yaml"] {
        std::fs::copy(root.join(name), connectors.join(name)).expect("a file");
    }
    let output = directory.path().join("output.txt");
    let stdout = std::fs::File::create(&output).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
    command.args(["test", "--watch"]).current_dir(directory.path()).env_clear().stdout(stdout);
    let _watcher = Watcher(command.spawn().expect("the program runs"));
    let shows = |line: &str| {
        wait_until(line, Duration::from_secs(60), || {
            let seen = std::fs::read_to_string(&output).expect("the output");
            if seen.lines().any(|seen| seen == line) { Ok(()) } else { Err(seen) }
        });
    };
    shows("3 tests passed");
    let file = connectors.join("support-triage.yaml");
    let changed = std::fs::read_to_string(&file).expect("the connector").replace("data.body", "data.subject");
    std::fs::write(&file, changed).expect("a file");
    shows("3 of 3 tests failed");
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

/// The example's directory in a place of its own, with topics of its own.
struct ReplayExample {
    directory: tempfile::TempDir,
    name: String,
}

impl ReplayExample {
    fn new(example: &Path) -> Self {
        let (directory, name) = (tempfile::tempdir().expect("a directory"), broker::unique("reviews"));
        for file in ["connector.yaml", "structured-prompt.yaml"] {
            let text = std::fs::read_to_string(example.join(file)).expect("a file");
            std::fs::write(directory.path().join(file), text.replace("reviews", &name)).expect("a file");
        }
        for topic in ["", ".structured", ".dlq"] {
            broker::create_topic(&format!("{name}{topic}"), 1, &[]);
        }
        let events = std::fs::read_to_string(example.join("events.jsonl")).expect("the events");
        broker::produce(&name, 1, &events.lines().map(TestRecord::new).collect::<Vec<_>>());
        Self { directory, name }
    }

    /// What a block of the page prints.
    fn shell(&self, commands: &str) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_structured-prompt")).parent().expect("its directory");
        let commands = format!("export PATH=\"{}:$PATH\"\n{commands}", program.display());
        let output = Command::new("bash")
            .args(["-euc", &commands])
            .current_dir(self.directory.path())
            .env("STRUCTURED_PROMPT_KAFKA__BROKERS", broker::brokers())
            .output()
            .expect("bash");
        assert!(output.status.success(), "{commands}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs the connector until its topics have so many results and letters.
    fn run_until(&self, results: usize, letters: usize) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_structured-prompt"))
            .args(["run", "--config", "structured-prompt.yaml", "--connectors", "connector.yaml"])
            .current_dir(self.directory.path())
            .env("STRUCTURED_PROMPT_KAFKA__BROKERS", broker::brokers())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program");
        let count = |topic: &str| broker::read(&format!("{}{topic}", self.name)).len();
        wait_until("the outcomes", Duration::from_secs(60), || match (count(".structured"), count(".dlq")) {
            found if found == (results, letters) => Ok(()),
            found => Err(format!("{found:?}")),
        });
        let stopped = Command::new("kill").arg(child.id().to_string()).status().expect("kill");
        assert!(stopped.success() && child.wait().expect("its end").success());
    }
}

#[test]
fn records_that_a_mistake_has_cost_come_back_when_it_is_mended() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dead-letter-replay");
    let page = std::fs::read_to_string(example.join("README.md")).expect("the page");
    let blocks: Vec<&str> = blocks(&page, &["sh"]).into_iter().map(|(_, block)| block).collect();
    let &[look, mend, plan, first, rest] = &blocks[..] else { panic!("five blocks: {blocks:?}") };
    let example = ReplayExample::new(&example);
    example.run_until(1, 4);
    let shown = example.shell(look);
    assert!(shown.contains("\"by_code\":{\"not_a_cloudevent\":1,\"template_failed\":3}"), "{shown}");
    assert!(shown.contains("value      {\"specversion\":\"1.0\",\"id\":\"r-2\""), "{shown}");
    assert!(example.shell(mend).contains("1 file, no findings"));
    let planned = example.shell(plan);
    assert!(planned.contains("\"matched\":3,\"sent\":0,"), "{planned}");
    assert!(planned.contains(&format!("\"by_topic\":{{\"{}\":3}}", example.name)), "{planned}");
    let sent = example.shell(first);
    assert!(sent.contains("\"matched\":3,\"sent\":1,\"skipped\":0,\"remaining\":2,"), "{sent}");
    example.run_until(2, 4);
    let sent = example.shell(rest);
    assert!(sent.contains("\"matched\":2,\"sent\":2,"), "{sent}");
    example.run_until(4, 4);
    assert!(example.shell(rest).contains("\"matched\":0,"));
}
