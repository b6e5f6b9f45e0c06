//! The figures of docs/evidence.md are what the program computes from the recorded answers of a real model.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const SETS: [&str; 3] = ["tickets", "invoices", "forms"];
/// Each variant with what the page calls it.
const VARIANTS: [(&str, &str); 2] = [("gemma=provider:local", "Gemma 3 270M"), ("rules=provider:offline", "rules")];
/// Without any recorded answer there is nothing to tell: Gemma has not read the invoices.
const ROWS: usize = 5;
const STATES: [&str; 6] = ["exact", "normalized", "ambiguous", "none", "absent", "judged"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The summaries of the variants on one set of labels. Nothing is sent; labels whose answer is not recorded do not count.
fn summaries(set: &str) -> Vec<Value> {
    let directory = tempfile::tempdir().expect("a directory");
    let examples = root().join("examples/eval");
    let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
    command.env_clear().env("STRUCTURED_PROMPT_LLM__REPLAY", examples.join("cassettes"));
    command.arg("eval").arg(examples.join(format!("{set}.jsonl")));
    command.arg("--connector").arg(examples.join(format!("{set}.yaml")));
    command.arg("--config").arg(root().join("examples/local-model/structured-prompt.yaml"));
    for (variant, _) in VARIANTS {
        command.args(["--variant", variant]);
    }
    let output = command.arg("--output").arg(directory.path()).output().expect("the binary");
    let err = String::from_utf8_lossy(&output.stderr);
    let report =
        std::fs::read_to_string(directory.path().join("report.json")).unwrap_or_else(|_| panic!("{set}: {err}"));
    let report: Value = serde_json::from_str(&report).expect("JSON");
    VARIANTS.iter().enumerate().map(|(index, _)| report["variants"][index]["summary"].clone()).collect()
}

/// `81 % of 123 (73–87)`: a share, of how many, and its interval.
fn share(share: &Value) -> String {
    let percent = |name: &str| format!("{:.0}", share[name].as_f64().expect("a number") * 100.0);
    if share["rate"].is_null() {
        return "–".to_owned();
    }
    format!("{} % of {} ({}–{})", percent("rate"), share["of"], percent("low"), percent("high"))
}

/// How often values were right, by the state of their evidence.
fn by_state(summary: &Value) -> Vec<String> {
    let states = summary["by_state"].as_array().expect("states");
    let of_state = |name: &&str| states.iter().find(|one| one["state"] == **name).map(|one| share(&one["right"]));
    STATES.iter().map(|name| of_state(name).unwrap_or_else(|| "–".to_owned())).collect()
}

/// What else was counted.
fn overview(summary: &Value) -> Vec<String> {
    let (labels, answered, cost) = (&summary["labels"], &summary["answered"]["count"], &summary["cost"]);
    let tokens = |name: &str| cost[name].as_u64().expect("tokens") / answered.as_u64().expect("answers").max(1);
    let counts = [labels.to_string(), answered.to_string()];
    let shares = ["fields_right", "ungrounded", "omitted", "invented"].map(|name| share(&summary[name]));
    let tokens = ["input_tokens", "output_tokens"].map(|name| tokens(name).to_string());
    counts.into_iter().chain(shares).chain(tokens).collect()
}

#[test]
fn the_page_on_evidence_has_the_figures_that_are_computed_from_the_recorded_answers() {
    let page = std::fs::read_to_string(root().join("docs/evidence.md")).expect("the page");
    let summaries = SETS.map(|set| (set, summaries(set)));
    for columns in [by_state, overview] {
        let rows = summaries.iter().flat_map(|(set, summaries)| {
            let rows = VARIANTS.iter().zip(summaries).filter(|(_, summary)| summary["labels"] != 0);
            rows.map(move |((_, name), summary)| format!("| {set} | {name} | {} |\n", columns(summary).join(" | ")))
        });
        let rows: Vec<String> = rows.collect();
        assert_eq!(rows.len(), ROWS, "recorded answers were not found, or are new: {rows:?}");
        let table = rows.concat();
        assert!(page.contains(&table), "docs/evidence.md should have these rows:\n{table}");
    }
}
