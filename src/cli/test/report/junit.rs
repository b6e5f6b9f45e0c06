//! Outcomes as JUnit's XML, as Jenkins, GitLab and most other CI servers read it.

use super::{FileReport, Report, TestReport};
use crate::http::v1::xml::escape;

/// The whole document: a suite for each file, a case for each test.
pub(super) fn document(report: &Report) -> String {
    let took = report.files.iter().map(FileReport::took).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    open(&mut xml, "testsuites", &[("name", "structured-prompt test".to_owned())]);
    counts(&mut xml, report.tests(), report.failed(), took);
    xml.push_str(">\n");
    for file in &report.files {
        open(&mut xml, "testsuite", &[("name", file.path.display().to_string())]);
        counts(&mut xml, file.tests.len(), file.failed(), file.took());
        xml.push_str(">\n");
        file.tests.iter().for_each(|test| case(&mut xml, file, test));
        xml.push_str("</testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn case(xml: &mut String, file: &FileReport, test: &TestReport) {
    let path = file.path.display().to_string();
    let attributes = [
        ("classname", path.clone()),
        ("name", test.name.clone()),
        ("file", path),
        ("line", test.line.to_string()),
        ("time", seconds(test.took)),
    ];
    open(xml, "testcase", &attributes);
    let Some(first) = test.failures.first() else {
        xml.push_str("/>\n");
        return;
    };
    xml.push('>');
    open(xml, "failure", &[("message", first.clone())]);
    xml.push('>');
    let lines = [file.place(test)].into_iter().chain(test.failures.iter().cloned());
    escape(xml, &lines.collect::<Vec<_>>().join("\n"));
    xml.push_str("</failure></testcase>\n");
}

/// A start tag with these attributes, not closed yet.
fn open(xml: &mut String, name: &str, attributes: &[(&str, String)]) {
    xml.push('<');
    xml.push_str(name);
    for (name, value) in attributes {
        attribute(xml, name, value);
    }
}

fn attribute(xml: &mut String, name: &str, value: &str) {
    xml.push(' ');
    xml.push_str(name);
    xml.push_str("=\"");
    escape(xml, value);
    xml.push('"');
}

fn counts(xml: &mut String, tests: usize, failed: usize, took: std::time::Duration) {
    attribute(xml, "tests", &tests.to_string());
    attribute(xml, "failures", &failed.to_string());
    attribute(xml, "errors", "0");
    attribute(xml, "time", &seconds(took));
}

fn seconds(took: std::time::Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}
