//! `eval` as a user types it: what it prints and writes, and how it exits.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "in a test they are assertions")]

mod figures;
#[path = "../support/stub_provider.rs"]
mod stub_provider;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use stub_provider::{Fault, Script, StubProvider, When};
use tempfile::TempDir;

const CONNECTOR: &str = "
name: claims
source: { kafka: { topics: [claims] } }
prompt: { inline: 'What is claimed? {{ data.body }}' }
schema:
  inline:
    type: object
    required: [kind, amount]
    properties:
      kind: { enum: [refund, repair] }
      amount: { type: [number, 'null'], x-eval: { number: { tolerance: 0.01 } } }
options: { temperature: 0 }
sink: { kafka: { topic: claims.structured } }
dead_letter: { kafka: { topic: claims.dlq } }
";
/// Enough for a difference on all of them to be more than noise.
const LABELS: usize = 12;

/// A directory with a connector, labels, and a configuration whose `llama` is the stub.
fn directory(stub: Option<&StubProvider>) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let labels: Vec<String> = (0..LABELS).map(label).collect();
    let base_url = stub.map_or_else(|| "http://127.0.0.1:9/v1".to_owned(), StubProvider::base_url);
    let config = format!("providers: {{ llama: {{ base_url: '{base_url}', model: good, max_retries: 0 }} }}\n");
    for (name, text) in [("claims.yaml", CONNECTOR), ("labels.jsonl", &labels.join("\n")), ("runtime.yaml", &config)] {
        std::fs::write(directory.path().join(name), text).expect("a file");
    }
    directory
}

fn label(index: usize) -> String {
    let (kind, amount) = (["refund", "repair"][index % 2], 100 + index);
    let data = json!({ "body": format!("I want a {kind} of {amount} euros.") });
    let event =
        json!({ "specversion": "1.0", "id": format!("c-{index}"), "source": "/c", "type": "claim", "data": data });
    let expected = json!({ "kind": kind, "amount": amount });
    json!({ "event": event, "expected": expected, "evidence": { "/amount": amount.to_string() } }).to_string()
}

/// The right answer to a label, and one with a wrong amount from the model `bad`.
fn stub() -> StubProvider {
    StubProvider::start(Script::default().answer(|request, _| {
        let text = request["messages"].to_string();
        let asked = text.rsplit("I want a ").next().expect("the claim");
        let mut words = asked.split(' ');
        let (kind, amount) = (words.next().expect("its kind"), words.nth(1).expect("its amount"));
        let amount: u32 = amount.parse().expect("a number");
        let wrong = if request["model"] == "bad" { 1 } else { 0 };
        json!({ "kind": kind, "amount": amount + wrong }).to_string()
    }))
}

/// How it ended, with what it said: its code, standard output and standard error.
fn eval(directory: &TempDir, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
    command.args(["eval", "labels.jsonl", "--connector", "claims.yaml"]).args(args);
    let output = command.current_dir(directory.path()).env_clear().output().expect("the binary");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("a code"), text(&output.stdout), text(&output.stderr))
}

fn report(directory: &TempDir, path: &str) -> Value {
    let text = std::fs::read_to_string(directory.path().join(path)).expect("a report");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_offline_extractor_is_measured_without_a_configuration_and_nothing_else_is_written() {
    let directory = directory(None);
    let (code, out, err) = eval(&directory, &["--output", "out", "--fail-under", "0.5"]);
    assert_eq!(code, 0, "{out}\n{err}");
    assert!(out.starts_with("claims: fields right "), "{out}");
    assert!(err.contains("asks offline (rules, no model); that costs nothing"), "{err}");
    assert!(err.contains("claims: 12 of 12 labels"), "{err}");
    let report = report(&directory, "out/report.json");
    let variant = &report["variants"][0];
    assert_eq!(variant["summary"]["labels"], LABELS);
    assert!(variant["settings"]["schema"].as_str().expect("its schema").starts_with("claims@"), "{variant:#}");
    assert_eq!(variant["labels"].as_array().expect("labels").len(), LABELS);
    let page = std::fs::read_to_string(directory.path().join("out/report.html")).expect("the page");
    assert!(page.contains("I want a refund of ") && page.ends_with("</html>\n"));
    let mut files: Vec<_> =
        std::fs::read_dir(directory.path()).expect("files").map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["claims.yaml", "labels.jsonl", "out", "runtime.yaml"]);
}

#[test]
fn variants_are_compared_and_a_second_run_asks_nobody() {
    let stub = stub();
    let directory = directory(Some(&stub));
    let (good, bad) = ("good=provider:llama", "bad=provider:llama,model:bad");
    let args =
        ["--config", "runtime.yaml", "--record", "answers", "--output", "out", "--variant", good, "--variant", bad];
    let (code, out, err) = eval(&directory, &args);
    assert_eq!(code, 0, "{out}\n{err}");
    assert_eq!(stub.calls(), 2 * LABELS as u64);
    assert!(err.contains("good: 12 answers were asked for and recorded"), "{err}");
    assert!(out.contains("bad against good: 50.0 % instead of 100.0 %") && out.contains(": more than noise"), "{out}");
    assert!(out.contains("\n  /amount: 0.0 % instead of 100.0 %"), "{out}");
    assert!(out.contains("right by evidence: exact 100.0 % "), "{out}");
    assert!(out.contains("right by evidence: none 0.0 % "), "an amount that is in no text is wrong: {out}");
    let first = report(&directory, "out/report.json");
    assert!(first["variants"][0]["summary"]["latency"]["p50_ms"].is_f64(), "{first:#}");
    let [good, bad] = [0, 1].map(|index| &first["variants"][index]["summary"]);
    assert_eq!((&good["ungrounded"]["count"], &bad["ungrounded"]["count"]), (&0.into(), &LABELS.into()));
    assert_eq!((&good["at_their_place"]["count"], &good["at_their_place"]["of"]), (&LABELS.into(), &LABELS.into()));

    let (code, again, err) = eval(&directory, &args);
    assert_eq!((code, stub.calls()), (0, 2 * LABELS as u64), "{again}\n{err}");
    assert!(err.contains("bad: all 12 answers were recorded before: nothing was sent, and nothing paid"), "{err}");
    let second = report(&directory, "out/report.json");
    let scores = |report: &Value| report["variants"][1]["scores"].clone();
    assert_eq!(scores(&first), scores(&second));
    assert!(second["variants"][0]["summary"]["latency"].is_null(), "times of recordings say nothing");
    assert_eq!(stub.protocol_errors(), 0);
}

#[test]
fn what_is_not_good_enough_ends_with_1() {
    let stub = stub();
    let directory = directory(Some(&stub));
    let run = |model: &str, more: &[&str]| {
        let variant = format!("v=provider:llama,model:{model}");
        eval(&directory, &[&["--config", "runtime.yaml", "--variant", &variant], more].concat())
    };
    let (code, out, err) = run("good", &["--fail-under", "1", "--output", "before"]);
    assert_eq!(code, 0, "{out}\n{err}");
    let (code, _, err) = run("bad", &["--fail-under", "0.9"]);
    assert_eq!(code, 1);
    assert!(err.ends_with("v: 50.0 % of fields are right, less than 90.0 %\n"), "{err}");
    let (code, out, err) = run("bad", &["--baseline", "before/report.json"]);
    assert_eq!(code, 1);
    assert!(out.contains("v against v of the baseline: 50.0 % instead of 100.0 %"), "{out}");
    assert!(err.ends_with("v is worse than the baseline, by more than chance would make it\n"), "{err}");
    let (code, _, err) = run("good", &["--baseline", "before/report.json"]);
    assert_eq!(code, 0, "{err}");
}

#[test]
fn an_evaluation_that_nobody_answers_is_incomplete_and_says_why() {
    let stub = StubProvider::start(Script::default().fault(When::Every(1), Fault::Error(503)));
    let directory = directory(Some(&stub));
    let args = ["--config", "runtime.yaml", "--variant", "v=provider:llama", "--timeout", "2s", "--concurrency", "64"];
    let (code, out, err) = eval(&directory, &args);
    assert_eq!(code, 1, "{out}\n{err}");
    assert!(err.contains("v: nobody could be asked about 12 labels ("), "{err}");
}

#[test]
fn wrong_use_ends_with_2_and_says_what_to_do() {
    let directory = directory(None);
    let wrong = |args: &[&str], part: &str| {
        let (code, out, err) = eval(&directory, args);
        assert_eq!(code, 2, "{args:?}: {out}\n{err}");
        assert!(err.contains(part), "{args:?}: {err}");
        assert!(!err.contains("labels\n"), "nothing is asked before everything is right: {err}");
    };
    wrong(&["--variant", "a=provder:gpt"], "did you mean provider?");
    wrong(&["--variant", "a", "--variant", "a"], "there are two variants a");
    wrong(&["--variant", "a=model:x"], "the offline extractor has no model");
    wrong(&["--variant", "a", "--variant", "b=temperature:9"], "--variant b: options.temperature: ");
    wrong(&["--variant", "a=provider:gpt"], "OPENAI_API_KEY is not set");
    wrong(&["--variant", "a", "--variant", "b", "--calibration", "c.json"], "--calibration is of one variant");
    wrong(&["--baseline", "claims.yaml"], "it is no report of eval");
    wrong(&["--fail-under", "90"], "from 0 to 1");
    wrong(&["nowhere.jsonl"], "nowhere.jsonl: ");
    std::fs::write(directory.path().join("more.jsonl"), "{\"event\":{},\"expected\":{\"kind\":\"gift\"}}\n\nx\n")
        .unwrap();
    wrong(&["more.jsonl"], "more.jsonl:3: it is not valid JSON");
    std::fs::write(directory.path().join("more.jsonl"), "{\"event\":{},\"expected\":{\"kind\":\"gift\"}}\n").unwrap();
    wrong(&["more.jsonl"], "more.jsonl:1: no answer can be as expected, by the schema claims: ");
}

#[test]
fn without_its_key_a_provider_is_evaluated_from_its_recordings() {
    let stub = stub();
    let directory = directory(Some(&stub));
    let config = format!("providers: {{ gpt: {{ base_url: '{}', model: good }} }}\n", stub.base_url());
    std::fs::write(directory.path().join("runtime.yaml"), config).expect("a file");
    let args = ["--config", "runtime.yaml", "--variant", "v=provider:gpt", "--record", "answers"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
    command.args(["eval", "labels.jsonl", "--connector", "claims.yaml"]).args(args).env_clear();
    let with_key = command.current_dir(directory.path()).env("OPENAI_API_KEY", "sk-test").output().expect("the binary");
    assert!(with_key.status.success(), "{}", String::from_utf8_lossy(&with_key.stderr));
    let (code, out, err) = eval(&directory, &args);
    assert_eq!(code, 0, "{out}\n{err}");
    assert!(err.contains("recorded answers are used and nothing is sent"), "{err}");
    assert!(out.contains("v: fields right 100.0 %"), "{out}");
    assert_eq!(stub.calls(), LABELS as u64);
}

/// The code blocks of a page that begin with this fence.
fn blocks(page: &str, fence: &str) -> Vec<String> {
    let fence = format!("\n```{fence}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("\n```").next().expect("its end").to_owned()).collect()
}

#[test]
fn the_page_on_evaluation_works_as_it_is_printed() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/evaluation.md")).expect("the page");
    let directory = tempfile::tempdir().expect("a directory");
    for (name, fence) in [("labels.jsonl", "json"), ("claims.yaml", "yaml")] {
        std::fs::write(directory.path().join(name), &blocks(&page, fence)[0]).expect("a file");
    }
    let commands = blocks(&page, "sh");
    assert_eq!(commands.len(), 2);
    let script = format!("structured-prompt() {{ \"$BINARY\" \"$@\"; }}\n{}", commands.join("\n"));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(directory.path())
        .env("BINARY", env!("CARGO_BIN_EXE_structured-prompt"))
        .output()
        .expect("bash");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("claims against claims of the baseline: "), "{out}");
    for name in ["report.json", "report.md", "report.html"] {
        assert!(directory.path().join("report").join(name).exists(), "{name}");
    }
}

#[test]
fn a_calibration_says_how_often_each_field_was_right_by_its_evidence() {
    let stub = stub();
    let directory = directory(Some(&stub));
    let variant = ["--config", "runtime.yaml", "--variant", "v=provider:llama"];
    let (code, out, err) = eval(&directory, &[&variant[..], &["--calibration", "calibration.json"]].concat());
    assert_eq!(code, 0, "{out}\n{err}");
    let calibration = report(&directory, "calibration.json");
    let of = |field: &str, state: &str| calibration["fields"][field][state]["n"].clone();
    assert_eq!((of("/amount", "exact"), of("/kind", "judged")), (LABELS.into(), LABELS.into()));
    assert_eq!(calibration["fields"]["/amount"]["exact"]["p"], 1.0);
    let off = "v=provider:llama,evidence:off";
    let args = ["--config", "runtime.yaml", "--variant", off, "--calibration", "calibration.json"];
    let (code, _, err) = eval(&directory, &args);
    assert!(code == 0 && err.contains("no evidence was looked for"), "{code} {err}");
}

#[test]
fn records_that_are_no_events_are_labelled_by_their_bare_value() {
    let stub = stub();
    let directory = directory(Some(&stub));
    let connector =
        CONNECTOR.replace("topics: [claims]", "topics: [claims], format: text").replace("data.body", "data");
    std::fs::write(directory.path().join("claims.yaml"), connector).expect("a file");
    let text = "Good day. I want a refund of 250 euros.";
    let label =
        json!({ "event": text, "expected": { "kind": "refund", "amount": 250 }, "evidence": { "/amount": "250" } });
    std::fs::write(directory.path().join("labels.jsonl"), label.to_string()).expect("a file");
    let args = ["--config", "runtime.yaml", "--variant", "v=provider:llama", "--output", "out"];
    let (code, out, err) = eval(&directory, &args);
    assert_eq!(code, 0, "{out}\n{err}");
    let variant = &report(&directory, "out/report.json")["variants"][0];
    assert_eq!(variant["labels"][0]["id"], "labels.jsonl:1");
    assert_eq!(
        variant["labels"][0]["fields"]["/amount"],
        json!({ "evidence": "exact", "source": "", "spans": [[29, 32]] })
    );
    assert_eq!(variant["summary"]["at_their_place"]["count"], 1);
    let page = std::fs::read_to_string(directory.path().join("out/report.html")).expect("the page");
    assert!(page.contains(">Good day. I want a refund of <mark data-v=\"1\">250</mark> euros.</pre>"), "{page}");
}

#[test]
fn the_labelled_events_of_the_examples_are_measured() {
    let directory = tempfile::tempdir().expect("a directory");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/eval");
    let output = Command::new(env!("CARGO_BIN_EXE_structured-prompt"))
        .arg("eval")
        .arg(examples.join("forms.jsonl"))
        .arg("--connector")
        .arg(examples.join("forms.yaml"))
        .args(["--output", "out", "--fail-under", "0.3"])
        .current_dir(directory.path())
        .env_clear()
        .output()
        .expect("the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = &report(&directory, "out/report.json")["variants"][0]["summary"];
    assert_eq!((&summary["unasked"], &summary["dead_letters"]), (&0.into(), &json!({})));
    assert!(summary["by_trap"]["instruction-in-text"]["of"].as_u64() > Some(0), "{summary:#}");
    let states = summary["by_state"].as_array().expect("states");
    assert!(states.iter().any(|one| one["state"] == "exact"), "{summary:#}");
}
