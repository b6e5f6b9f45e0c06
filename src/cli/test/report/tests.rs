use super::*;

/// Texts that each format has to escape.
const NASTY: &str = "a <b> & \"c\" 'd' # todo \\ \u{1b}[31m\n\u{0} ü 😀 ]]>";

fn report() -> Report {
    let test = |name: &str, line, failures: &[&str]| TestReport {
        name: name.to_owned(),
        line,
        failures: failures.iter().map(|failure| (*failure).to_owned()).collect(),
        took: Duration::from_millis(1500),
    };
    let file = |path: &str, tests| FileReport { path: path.into(), tests };
    let first = vec![test("good", 2, &[]), test(NASTY, 9, &["/x: expected 1, got 2", NASTY])];
    Report { files: vec![file("connectors/a_test.yaml", first), file("b & c_test.yaml", vec![test("good", 3, &[])])] }
}

fn written(format: Format) -> String {
    let mut out = Vec::new();
    report().write(format, &mut out).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn the_text_has_a_line_for_each_test_and_the_failures_with_their_place() {
    let text = written(Format::Text);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(&lines[..2], ["connectors/a_test.yaml", "  ok    good"]);
    assert!(lines[2].starts_with("  FAIL  a <b>") && lines[2].ends_with("(connectors/a_test.yaml:9)"), "{text}");
    assert_eq!(lines[3], "        /x: expected 1, got 2");
    assert_eq!(lines.last(), Some(&"1 of 3 tests failed"));
    assert!(!text.contains('\u{1b}') && !text.contains('\u{0}'), "{text:?}");
}

#[test]
fn a_parser_of_xml_finds_the_same_in_the_junit_document() {
    let text = written(Format::Junit);
    let document = roxmltree::Document::parse(&text).expect("well-formed XML");
    let root = document.root_element();
    assert_eq!(
        (root.tag_name().name(), root.attribute("tests"), root.attribute("failures")),
        ("testsuites", Some("3"), Some("1"))
    );
    assert_eq!(root.attribute("time"), Some("4.500"));
    let suites: Vec<_> = root.children().filter(roxmltree::Node::is_element).collect();
    let names: Vec<_> = suites.iter().filter_map(|suite| suite.attribute("name")).collect();
    assert_eq!(names, ["connectors/a_test.yaml", "b & c_test.yaml"]);
    let cases: Vec<_> = suites[0].children().filter(roxmltree::Node::is_element).collect();
    // XML 1.0 has no control characters but white space.
    let possible = NASTY.replace(['\u{1b}', '\u{0}'], "\u{fffd}");
    assert_eq!(cases[1].attribute("name"), Some(possible.as_str()));
    assert_eq!((cases[1].attribute("file"), cases[1].attribute("line")), (Some("connectors/a_test.yaml"), Some("9")));
    assert!(cases[0].first_element_child().is_none());
    let failure = cases[1].first_element_child().expect("its failure");
    assert_eq!(failure.attribute("message"), Some("/x: expected 1, got 2"));
    assert_eq!(failure.text(), Some(format!("connectors/a_test.yaml:9\n/x: expected 1, got 2\n{possible}").as_str()));
}

#[test]
fn tap_has_a_plan_and_a_numbered_line_for_each_test() {
    let text = written(Format::Tap);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(&lines[..3], ["TAP version 14", "1..3", "ok 1 - connectors/a_test.yaml: good"]);
    assert!(lines[3].starts_with("not ok 2 - connectors/a_test.yaml: a <b> & \"c\" 'd' \\# todo \\\\ "), "{text}");
    assert_eq!(&lines[4..7], ["  ---", "  at: \"connectors/a_test.yaml:9\"", "  failures:"]);
    let failures: Vec<String> = lines[7..9]
        .iter()
        .map(|line| serde_json::from_str(line.strip_prefix("    - ").expect("an item")).expect("a text"))
        .collect();
    assert_eq!(failures, ["/x: expected 1, got 2", NASTY]);
    assert_eq!(&lines[9..], ["  ...", "ok 3 - b & c_test.yaml: good"]);
}
