//! What can be said of the files without a run.

use std::collections::BTreeSet;

use super::dashboards::dashboards;
use super::monitoring::check;
use super::{path, read};

const ALERTS: &str = "deploy/prometheus/alerting.rules.yml";
const RECORDED: &str = "deploy/prometheus/recording.rules.yml";

/// The names of all alerts.
fn alerts() -> BTreeSet<String> {
    let rules = read(ALERTS);
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).map(str::to_owned);
    names.collect()
}

/// The unit tests of the rules, by path.
fn rule_tests() -> Vec<String> {
    let directory = "deploy/prometheus/tests";
    let files = path(directory).read_dir().expect("the tests").map(|entry| entry.expect("a file").file_name());
    files.map(|name| format!("{directory}/{}", name.to_str().expect("a name in UTF-8"))).collect()
}

#[test]
fn prometheus_and_the_alertmanager_take_their_configurations() {
    check("promtool", &["check", "config"], &["deploy/prometheus/prometheus.yml"]);
    check("amtool", &["check-config"], &["deploy/alertmanager/alertmanager.yml"]);
}

/// The discovery of pods is not in every build of Prometheus, so that these targets stand for it.
#[test]
fn the_job_for_kubernetes_finds_what_the_alerts_know() {
    let job = read("deploy/prometheus/kubernetes.yml");
    let (before, rest) = job.split_once("    kubernetes_sd_configs:\n").expect("its discovery");
    let (_, after) = rest.split_once("    tls_config: ").expect("what follows it");
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("prometheus.yml");
    let job = format!("{before}    static_configs: [{{ targets: [pod] }}]\n    tls_config: {after}");
    std::fs::write(&file, job).expect("a file");
    check("promtool", &["check", "config"], &[file.to_str().expect("a path in UTF-8")]);

    let line = |file: &str, start: &str| {
        let text = read(file);
        let found = text.lines().map(str::trim).find(|line| line.starts_with(start)).map(str::to_owned);
        found.unwrap_or_else(|| panic!("{file} has no {start}"))
    };
    for start in ["- job_name: ", "metrics_path: "] {
        assert_eq!(line("deploy/prometheus/kubernetes.yml", start), line("deploy/prometheus/prometheus.yml", start));
    }
}

#[test]
fn alerts_fire_when_they_should_and_not_otherwise() {
    let tests = rule_tests();
    check("promtool", &["test", "rules"], &tests.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() {
    let text: String = rule_tests().iter().map(|file| read(file)).collect();
    for alert in alerts() {
        assert!(text.contains(&format!("alertname: {alert}, exp_alerts: [] }}")), "{alert}: never silent");
        let fires = format!("alertname: {alert}\n        exp_alerts:\n          - exp_labels:");
        assert!(text.contains(&fires), "{alert}: never fires");
    }
}

#[test]
fn every_alert_says_how_bad_it_is_what_happened_and_what_to_do() {
    let rules = read(ALERTS);
    for rule in rules.split("- alert: ").skip(1) {
        let name = rule.lines().next().expect("its name");
        let severity = ["critical", "warning"].map(|severity| format!("severity: {severity}"));
        assert!(severity.iter().any(|severity| rule.contains(severity)), "{name}: no severity");
        assert!(rule.contains("\n          summary: ") && rule.contains("\n          description: "), "{name}");
        let runbook = format!("runbook_url: docs/operations.md#{}\n", name.to_lowercase());
        assert!(rule.contains(&runbook), "{name}: no {runbook}");
    }
}

#[test]
fn every_alert_has_a_runbook_and_a_row_in_the_table() {
    let page = read("docs/operations.md");
    let sections = page.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned);
    assert_eq!(sections.collect::<BTreeSet<_>>(), alerts());
    let rows = page.lines().filter_map(|line| line.strip_prefix("| [")?.split(']').next()).map(str::to_owned);
    assert_eq!(rows.collect::<BTreeSet<_>>(), alerts());
}

#[test]
fn rules_and_dashboards_name_metrics_that_exist() {
    let documented = read("docs/metrics.md");
    let documented: BTreeSet<&str> =
        documented.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut texts = vec![(ALERTS.to_owned(), read(ALERTS)), (RECORDED.to_owned(), read(RECORDED))];
    texts.extend(dashboards().into_iter().map(|(file, dashboard)| (file, dashboard.to_string())));
    for (file, text) in texts {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
        for word in words.filter(|word| word.starts_with("sp_")) {
            let metric = ["_total", "_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end));
            assert!(documented.contains(metric.unwrap_or(word)), "{file}: there is no metric {word}");
        }
    }
}

#[test]
fn recorded_series_that_are_used_are_recorded() {
    let rules = read(RECORDED);
    let recorded: BTreeSet<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- record: ")).collect();
    let without_names: Vec<&str> = rules.lines().filter(|line| !line.contains("- record: ")).collect();
    let mut texts = vec![read(ALERTS), without_names.join("\n")];
    texts.extend(dashboards().into_iter().map(|(_, dashboard)| dashboard.to_string()));
    let words = texts.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':'));
    let used: BTreeSet<&str> = words.filter(|word| word.starts_with("job") && word.contains(":sp_")).collect();
    assert_eq!(used, recorded, "each that is used is there, and each that is there is used");
}

#[test]
fn what_the_services_of_compose_mount_is_there() {
    let compose = read("docker-compose.yml");
    let mounted: Vec<&str> =
        compose.lines().filter_map(|line| line.trim().strip_prefix("- ./")?.split(':').next()).collect();
    assert!(mounted.contains(&"deploy/prometheus"), "{mounted:?}");
    for file in mounted {
        assert!(path(file).exists(), "there is no {file}");
    }
}
