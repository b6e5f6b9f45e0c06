use std::fs;

use serde_json::json;

use super::*;
use crate::domain::failure::Code;

/// Reads a test file beside an empty connector; findings without the directory.
fn read_file(text: &str) -> Result<TestFile, String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [("reviews.yaml", ""), ("reviews_test.yaml", text)] {
        fs::write(directory.path().join(name), text).unwrap();
    }
    fs::create_dir(directory.path().join("answers")).unwrap();
    let prefix = format!("{}/", directory.path().display());
    load(&directory.path().join("reviews_test.yaml")).map_err(|found| found.to_string().replace(&prefix, ""))
}

fn findings(test: &str) -> String {
    read_file(&format!("tests:\n  - {test}\n")).expect_err("there should be findings")
}

#[test]
fn a_test_is_read_with_its_line_and_all_that_it_gives() {
    let text = "tests:
  - name: a refund
    event: { id: '1', data: { text: Money back! } }
    key: 42
    headers: { tenant: acme, retry: 1 }
    answer: { sentiment: negative, stars: 1.50 }
    expect: { data: { sentiment: negative }, headers: { ce_validation: passed, ce_flags: null } }

  - name: no text
    event: { id: '2' }
    expect: { dead_letter: prompt_empty, snapshot: true }
";
    let file = read_file(text).unwrap();
    let [refund, no_text] = file.tests.as_slice() else { panic!("{file:?}") };
    assert!(file.connector.ends_with("reviews.yaml"));
    assert_eq!((refund.name.as_str(), refund.line, no_text.line), ("a refund", 2, 9));
    assert_eq!(refund.event, json!({ "id": "1", "data": { "text": "Money back!" } }));
    assert_eq!(refund.key.as_deref(), Some("42"));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(refund.headers, [header("tenant", "acme"), header("retry", "1")]);
    let answer = r#"{"sentiment":"negative","stars":1.50}"#;
    assert_eq!(refund.answers, Answers::Written(vec![answer.to_owned()]), "numbers keep their digits");
    let at_least = Some(json!({ "sentiment": "negative" }));
    assert_eq!(refund.expected.outcome, ExpectedOutcome::Result { at_least, exactly: None, is_for_review: false });
    let headers = [("ce_validation".to_owned(), Some("passed".to_owned())), ("ce_flags".to_owned(), None)];
    assert_eq!((refund.expected.headers.as_slice(), refund.expected.snapshot), (headers.as_slice(), false));
    assert_eq!(no_text.answers, Answers::Written(Vec::new()));
    assert_eq!(no_text.expected.outcome, ExpectedOutcome::DeadLetter(Code::PromptEmpty));
    assert!(no_text.expected.snapshot);
}

#[test]
fn an_answer_is_data_or_text_or_one_of_these_for_each_call_or_a_directory() {
    let answers = |given: &str| {
        let text = format!("tests:\n  - {{ name: a, event: {{}}, {given}, expect: {{ review: true }} }}\n");
        read_file(&text).unwrap_or_else(|found| panic!("{given}: {found}")).tests.remove(0).answers
    };
    let written = |texts: &[&str]| Answers::Written(texts.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(answers("answer: [{ n: 1 }, { n: 2 }]"), written(&[r#"{"n":1}"#, r#"{"n":2}"#]));
    assert_eq!(answers("raw: ''"), written(&[""]));
    assert_eq!(answers("raw: [I do not know, '{}', 12]"), written(&["I do not know", "{}", "12"]));
    assert!(matches!(answers("cassette: answers"), Answers::Recorded(directory) if directory.ends_with("answers")));
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_to_write() {
    let test = |rest: &str| format!("{{ name: a, event: {{}}, {rest} }}");
    let expect = |rest: &str| test(&format!("expect: {{ {rest} }}"));
    for (written, parts) in [
        (
            "{ event: {} }".to_owned(),
            vec!["reviews_test.yaml:2:5: tests[0].name: is missing", "docs/testing-connectors.md"],
        ),
        ("{ name: a, expect: { review: true } }".to_owned(), vec!["tests[0].event: is missing"]),
        (test("answr: {}"), vec!["tests[0].answr: there is no such key", "did you mean `answer`?"]),
        (test("answer: yes it is"), vec!["answer: expected a mapping, found text"]),
        (test("answer: {}, raw: x"), vec!["raw: there is answer already"]),
        (test("cassette: nowhere"), vec!["cassette: nowhere is not a directory", "eval --record"]),
        (test("headers: { a: [1] }"), vec!["tests[0].headers.a: expected text, found a list"]),
        (test("key: b"), vec!["tests[0].expect: is missing"]),
        (expect(""), vec!["tests[0].expect: nothing is expected"]),
        (expect("deadletter: x"), vec!["expect.deadletter: there is no such key", "did you mean `dead_letter`?"]),
        (expect("dead_letter: prompt_emty"), vec!["there is no code `prompt_emty`", "did you mean `prompt_empty`?"]),
        (expect("dead_letter: provider_overloaded"), vec!["provider_overloaded is never a dead letter"]),
        (expect("dead_letter: prompt_empty, exactly: {}"), vec!["expect.exactly: a dead letter has none of this"]),
        (expect("data: 3"), vec!["expect.data: expected a mapping, found a number"]),
    ] {
        let found = findings(&written);
        parts.iter().for_each(|part| assert!(found.contains(part), "{written}\nno {part:?} in\n{found}"));
    }
}

#[test]
fn each_test_of_a_file_has_a_name_of_its_own() {
    let test = "{ name: a, event: {}, expect: { review: true } }";
    let found = read_file(&format!("tests: [{test}, {test}]")).expect_err("the name stands twice");
    assert!(found.contains("tests[1]: another test has the same name"), "{found}");
}

#[test]
fn a_file_without_tests_is_a_finding() {
    for text in ["", "tests: []", "tests:", "name: reviews"] {
        let found = read_file(text).expect_err("there is no test");
        assert!(found.contains("tests: "), "{text}: {found}");
    }
}

#[test]
fn a_test_stands_beside_the_connector_whose_name_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lost_test.yaml");
    fs::write(&file, "tests: [{ name: a, event: {}, expect: { review: true } }]").unwrap();
    let found = load(&file).expect_err("there is no connector").to_string();
    assert!(found.contains("there is no connector that it tests") && found.contains("lost.yml"), "{found}");
    fs::write(directory.path().join("lost.yml"), "").unwrap();
    assert!(load(&file).unwrap().connector.ends_with("lost.yml"));
}

#[test]
fn directories_are_searched_with_all_that_is_below_them() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for name in ["b/c/x_test.yml", "a_test.yaml", "b/test.yaml", "b/x.yaml", ".git/y_test.yaml", "b/x_test.json"] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let found = find(&[root.to_path_buf(), root.join("a_test.yaml")]).unwrap();
    assert_eq!(found, [root.join("a_test.yaml"), root.join("b/c/x_test.yml")]);
    let wrong = |path: &str| find(&[root.join(path)]).expect_err("nothing to find").to_string();
    assert!(wrong("b/x.yaml").contains("this is no test file"));
    assert!(wrong("nowhere").contains("cannot be read"));
    assert!(wrong(".git/nothing").contains("cannot be read"));
    fs::create_dir(root.join("empty")).unwrap();
    assert!(wrong("empty").contains("there is no test: no file is named *_test.yaml"));
}

#[test]
fn the_page_names_every_key() {
    let page = include_str!("../../../docs/testing-connectors.md");
    let keys = ["name", "event", "key", "headers", "answer", "raw", "cassette", "expect"];
    let expected =
        ["data", "exactly", "headers", "review", "dead_letter", "snapshot"].map(|key| format!("expect.{key}"));
    for key in keys.map(str::to_owned).iter().chain(&expected) {
        assert!(page.contains(&format!("\n| `{key}` |")), "{key}");
    }
}
