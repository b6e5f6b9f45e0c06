use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::*;

const CONNECTOR: &str = "
name: claims
source: { kafka: { topics: [claims] } }
prompt: { inline: 'What is claimed? {{ data.body }} {{ headers.tenant }} {{ key }}' }
schema:
  inline:
    type: object
    required: [kind, amount]
    properties:
      kind: { enum: [refund, repair] }
      amount: { type: [number, 'null'] }
sink: { kafka: { topic: claims.structured } }
dead_letter: { kafka: { topic: claims.dlq } }
";

/// A connector and its test file, whose tests have these lines.
fn directory(tests: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("a file");
    write("claims.yaml", CONNECTOR);
    write("claims_test.yaml", &format!("tests:\n{tests}"));
    directory
}

/// A test of a refund of 5, with these other keys.
fn test(name: &str, rest: &str) -> String {
    let event = "{ id: '1', source: /c, type: claim, data: { body: 'A refund of 5, please.' } }";
    format!("  - {{ name: {name}, event: {event}, key: k, headers: {{ tenant: acme }}, {rest} }}\n")
}

fn args(directory: &Path) -> Args {
    Args { paths: vec![directory.to_path_buf()], config: None, update: false, watch: false, format: Format::Text }
}

/// How it ended, and what it printed, without the directory.
fn run_with(directory: &TempDir, args: &Args) -> (Exit, String) {
    let mut out = Vec::new();
    let exit = once(args, &mut out).expect("memory");
    let prefix = format!("{}/", directory.path().display());
    (exit, String::from_utf8(out).expect("UTF-8").replace(&prefix, ""))
}

fn run_tests(tests: &str) -> (Exit, String) {
    let directory = directory(tests);
    run_with(&directory, &args(directory.path()))
}

#[test]
fn a_record_goes_through_the_connector_with_the_answers_of_its_test() {
    let passing = [
        test("data", "answer: { kind: refund, amount: 5 }, expect: { data: { kind: refund } }"),
        test("exactly", "answer: { kind: refund, amount: 5 }, expect: { exactly: { amount: 5.0, kind: refund } }"),
        test(
            "corrected",
            "raw: ['?', '{\"kind\":\"refund\",\"amount\":5}'], expect: { headers: { ce_attempts: 2, tenant: acme } }",
        ),
        test("never valid", "raw: [a, b, c], expect: { dead_letter: answer_not_json, headers: { sp-attempts: 3 } }"),
        test(
            "no header",
            "answer: { kind: refund, amount: 5 }, expect: { headers: { ce_flags: null, ce_costusd: 0.000000 } }",
        ),
    ];
    let (exit, out) = run_tests(&passing.concat());
    assert_eq!(exit, Exit::Done, "{out}");
    assert!(out.ends_with("5 tests passed\n"), "{out}");
}

#[test]
fn failures_say_where_the_test_stands_and_what_differs() {
    let answer = "answer: { kind: refund, amount: 5 }";
    for (rest, line) in [
        (format!("{answer}, expect: {{ data: {{ kind: repair }} }}"), "/kind: expected \"repair\", got \"refund\""),
        (format!("{answer}, expect: {{ exactly: {{ kind: refund }} }}"), "/amount: 5 is not expected"),
        (format!("{answer}, expect: {{ headers: {{ ce_type: x }} }}"), "header ce_type: expected \"x\", got \"com."),
        (format!("{answer}, expect: {{ headers: {{ nope: x }} }}"), "header nope: expected \"x\", and it is not there"),
        (format!("{answer}, expect: {{ headers: {{ tenant: null }} }}"), "header tenant: \"acme\" is not expected"),
        (format!("{answer}, expect: {{ review: true }}"), "expected a result that a person sees first"),
        (
            format!("{answer}, expect: {{ dead_letter: tombstone }}"),
            "expected the dead letter tombstone, got the result {",
        ),
        (
            "raw: [a, b, c], expect: { review: true }".to_owned(),
            "expected a result, got the dead letter answer_not_json: ",
        ),
        (
            "raw: [a, b, c], expect: { dead_letter: tombstone }".to_owned(),
            "expected the dead letter tombstone, got the dead letter answer_not_json: ",
        ),
    ] {
        let (exit, out) = run_tests(&test("wrong", &rest));
        assert_eq!(exit, Exit::Failed, "{rest}: {out}");
        assert!(out.contains("  FAIL  wrong  (claims_test.yaml:2)\n"), "{out}");
        assert!(out.contains(&format!("\n        {line}")), "{rest}: no {line:?} in {out}");
    }
}

#[test]
fn a_call_more_or_less_than_the_test_has_answers_fails_it() {
    for (rest, line) in [
        ("expect: { data: { kind: refund } }", "a provider was asked, and the test has no answer"),
        (
            "raw: a, expect: { dead_letter: answer_not_json }",
            "a provider was asked once more after the test's 1 answer",
        ),
        (
            "answer: [{ kind: refund, amount: 5 }, { kind: repair, amount: 5 }], expect: { data: { kind: refund } }",
            "the test has 2 answers, and a provider was asked 1 times",
        ),
    ] {
        let (exit, out) = run_tests(&test("calls", rest));
        assert_eq!(exit, Exit::Failed, "{rest}: {out}");
        assert!(out.contains(&format!("\n        {line}\n")), "{rest}: {out}");
    }
}

#[test]
fn a_snapshot_is_taken_on_request_and_then_compared() {
    let snapshot = "answer: { kind: refund, amount: 5 }, expect: { snapshot: true }";
    let directory = directory(&test("kept", snapshot));
    let (plain, update) = (args(directory.path()), Args { update: true, ..args(directory.path()) });
    let file = directory.path().join("claims_test.snapshot.json");
    let (exit, out) = run_with(&directory, &plain);
    assert!(exit == Exit::Failed && out.contains("there is no snapshot; take it with --update"), "{out}");
    assert_eq!(run_with(&directory, &update).0, Exit::Done);
    let taken = fs::read_to_string(&file).expect("the snapshot");
    let record = &serde_json::from_str::<Value>(&taken).expect("JSON")["kept"];
    assert_eq!((&record["topic"], &record["key"]), (&"claims.structured".into(), &"k".into()), "{taken}");
    assert_eq!(record["value"], serde_json::json!({ "kind": "refund", "amount": 5 }));
    assert_eq!(record["headers"]["ce_causationid"], "1");
    assert!(record["headers"].get("ce_time").is_none() && record["headers"].get("ce_confighash").is_none(), "{taken}");
    assert_eq!(run_with(&directory, &plain).0, Exit::Done);

    // Another prompt is another version of it, and the same record.
    let connector = directory.path().join("claims.yaml");
    fs::write(&connector, CONNECTOR.replace("What is claimed?", "What do they claim?")).expect("a file");
    assert_eq!(run_with(&directory, &plain).0, Exit::Done);
    fs::write(&connector, CONNECTOR.replace("claims.structured", "claims.other")).expect("a file");
    let (exit, out) = run_with(&directory, &plain);
    let line = "snapshot: /topic: expected \"claims.structured\", got \"claims.other\"";
    assert!(exit == Exit::Failed && out.contains(line), "{out}");
    assert_eq!(run_with(&directory, &update).0, Exit::Done);
    assert_ne!(fs::read_to_string(&file).expect("the snapshot"), taken);
    fs::write(
        directory.path().join("claims_test.yaml"),
        format!("tests:\n{}", test("other", "expect: { dead_letter: tombstone }")),
    )
    .expect("a file");
    run_with(&directory, &update);
    assert!(!file.exists(), "a snapshot without a test is removed");
}

#[test]
fn wrong_tests_and_connectors_stop_everything_before_it_runs() {
    let directory = directory(&test("fine", "answer: { kind: refund, amount: 5 }, expect: { snapshot: true }"));
    let args = Args { update: true, ..args(directory.path()) };
    fs::write(directory.path().join("z_test.yaml"), "tests: [{ nam: x }]").expect("a file");
    assert_eq!(run_with(&directory, &args), (Exit::WrongUse, String::new()));
    fs::remove_file(directory.path().join("z_test.yaml")).expect("the file");
    fs::write(directory.path().join("claims.yaml"), format!("{CONNECTOR}\nbogus: 1\n")).expect("a file");
    assert_eq!(run_with(&directory, &args), (Exit::WrongUse, String::new()));
    assert!(!directory.path().join("claims_test.snapshot.json").exists());
    let empty = tempfile::tempdir().expect("a directory");
    assert_eq!(run_with(&empty, &Args { paths: vec![empty.path().to_path_buf()], ..args }).0, Exit::WrongUse);
}
