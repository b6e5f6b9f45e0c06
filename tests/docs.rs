//! The documentation says what the program says.

#![allow(clippy::expect_used, reason = "in a test it is an assertion")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use structured_prompt::domain::answer::Usage;
use structured_prompt::domain::failure::{Code, Kind};
use structured_prompt::domain::health::{Component, Status};
use structured_prompt::domain::quotes::QuoteOutcome;
use structured_prompt::http::error_status::{RequestCode, status_of};
use structured_prompt::http::v1::openai::other_parameters::{IGNORED, REFUSED};
use structured_prompt::telemetry::metrics::{EndedRequest, Metrics, TextFormat};

fn read(path: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a page")
}

#[test]
fn every_error_code_has_a_section_and_every_section_a_code() {
    let page = read("docs/errors.md");
    let documented: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let of_requests = RequestCode::ALL.iter().map(|code| code.as_str());
    let existing: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).chain(of_requests).collect();
    assert_eq!(documented.iter().copied().collect::<BTreeSet<_>>(), existing);
    assert_eq!(documented.len(), existing.len(), "a section stands twice");
}

#[test]
fn the_page_says_which_status_each_code_has_over_http() {
    let of_pipeline = Code::ALL.iter().map(|code| (status_of(*code).as_u16(), code.as_str()));
    let of_requests = RequestCode::ALL.iter().map(|code| (code.status().as_u16(), code.as_str()));
    let mut statuses: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for (status, code) in of_pipeline.chain(of_requests) {
        assert!(statuses.entry(status).or_default().insert(code), "{code} stands twice");
    }
    let table: Vec<String> = statuses
        .iter()
        .map(|(status, codes)| {
            let codes: Vec<_> = codes.iter().copied().collect();
            format!("| {status} | {} |", codes.join(", "))
        })
        .collect();
    assert!(read("docs/errors.md").contains(&format!("\n{}\n", table.join("\n"))), "{}", table.join("\n"));
}

#[test]
fn the_page_says_which_codes_are_never_a_dead_letter() {
    let page = read("docs/errors.md");
    for code in Code::ALL {
        let section = page.split("### ").find(|section| section.lines().next() == Some(code.as_str()));
        let says_never = section.expect("a section").contains("Never a dead letter");
        assert_eq!(says_never, code.kind() == Kind::Unavailable, "{code}");
    }
}

#[test]
fn the_page_says_what_is_ignored_and_refused_of_openais_parameters() {
    let page = read("docs/openai.md");
    let listed = |row: &str| -> Vec<String> {
        let row = page.lines().find(|line| line.starts_with(&format!("| {row}"))).expect("its row");
        let list = row.split(['|', ';']).nth(2).expect("its list");
        let names = list.split("unless").next().unwrap_or_default().split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect()
    };
    assert_eq!(listed("ignored"), IGNORED);
    assert_eq!(listed("refused"), REFUSED.map(|(name, _)| name));
}

#[test]
fn every_metric_is_documented_and_every_documented_metric_exists() {
    let metrics = Metrics::default();
    // Families appear with their first member.
    let connector = metrics.connector("c");
    connector.dead_letter(Code::Tombstone);
    connector.set_lag("t", 0, 1);
    let provider = metrics.provider("p");
    provider.call(Ok(Usage::default()), 0.0, Duration::ZERO, None);
    let caller = metrics.caller("c");
    caller.decided("priority", "p");
    caller.step("ask");
    caller.suspicious("sql-union");
    caller.budget(0.0, 1.0);
    caller.agreement.compared("p", "sample", "compared");
    caller.agreement.field("/intent", "sample", true);
    caller.agreement.paid("p", Usage::default(), 0.0);
    let fields = metrics.fields("c");
    fields.evidence("/intent", "judged");
    fields.value("/intent", "refund");
    fields.quote(QuoteOutcome::Used);
    metrics.table("request_log");
    let (name, facts) = ("p".to_owned(), Vec::new());
    let (latency, detail, is_ready, is_alive) = (None, None, true, true);
    let part = Component { kind: "provider", name, status: Status::Up, latency, detail, facts, is_ready, is_alive };
    metrics.health().show(true, vec![part]);
    metrics.audit().held_back("rate_limit");
    let took = Duration::ZERO;
    metrics.http().ended(EndedRequest { method: "GET", endpoint: "/v1/health", status: 200, took, exemplar: None });
    let text = metrics.encode(TextFormat::OpenMetrics).expect("text");
    let existing: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    let page = read("docs/metrics.md");
    let documented: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(documented, existing);
}
