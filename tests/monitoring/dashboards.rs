//! Each panel of the dashboards shows something of a real run.

use std::time::Duration;

use serde_json::{Value, json};

use super::broker::{self, TestRecord, block_on};
use super::monitoring::{Monitoring, check_metrics};
use super::service::{Setup, Topics};
use super::stub_provider::StubProvider;
use super::webhook::Webhook;
use super::{path, read, triage, wait_until};

/// What one panel asks Prometheus for.
#[derive(Debug)]
struct Query {
    place: String,
    expression: String,
    /// Labels that its legend names.
    labels: Vec<String>,
}

/// All dashboards by file name.
pub(super) fn dashboards() -> Vec<(String, Value)> {
    let directory = "deploy/grafana/dashboards";
    let files = path(directory).read_dir().expect("the dashboards").map(|entry| entry.expect("a file").file_name());
    let names = files.map(|name| name.into_string().expect("a name in UTF-8"));
    let read = |name: String| {
        let text = read(&format!("{directory}/{name}"));
        let dashboard = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, dashboard)
    };
    names.map(read).collect()
}

/// The queries of all panels, with the values that Grafana would put in for its variables.
fn queries() -> Vec<Query> {
    let mut queries = Vec::new();
    for (file, dashboard) in dashboards() {
        for panel in dashboard["panels"].as_array().expect("panels") {
            for target in panel["targets"].as_array().expect("targets") {
                let expression = target["expr"].as_str().expect("an expression");
                let expression = expression.replace("$job", "structured-prompt").replace("$__rate_interval", "1m");
                assert!(!expression.contains('$'), "{file}: an unknown variable in {expression}");
                let legend = target["legendFormat"].as_str().expect("a legend");
                let labels = legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
                queries.push(Query {
                    place: format!("{file}, {}", panel["title"]),
                    expression,
                    labels: labels.map(|(label, _)| label.to_owned()).collect(),
                });
            }
        }
    }
    queries
}

/// Why a panel would be empty, or have a legend with gaps.
fn lacks(query: &Query, monitoring: &Monitoring) -> Option<String> {
    let Query { place, expression, labels } = query;
    let series = match monitoring.query(expression) {
        Ok(series) => series,
        Err(error) => return Some(format!("{place}: {error}")),
    };
    if !series.iter().any(|series| series["value"][1] != "NaN") {
        return Some(format!("{place}: {expression}: {series:?}"));
    }
    let metric = &series[0]["metric"];
    let unnamed = labels.iter().find(|label| metric.get(label).is_none());
    unnamed.map(|label| format!("{place}: {expression}: no label {label} in {metric}"))
}

/// Records and requests of every kind: new ones, one that was there before, and one without an outcome.
fn send_some(topics: &Topics, address: &str, round: usize) {
    let text = format!("Order 48213 came broken, for the {round}. time.");
    broker::produce(
        &topics.source,
        1,
        &[
            TestRecord::event(&format!("new-{round}"), &text),
            TestRecord::event(&format!("same-{round}"), "Order 48213 came broken."),
            TestRecord { value: None, ..TestRecord::event(&format!("empty-{round}"), "") },
        ],
    );
    let body = json!({ "prompt": text, "schema_id": "support-intent" });
    let status = block_on(async {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let sent = client.post(format!("http://{address}/v1/analyze")).json(&body).send().await?;
        Ok::<_, reqwest::Error>(sent.status())
    });
    assert!(status.as_ref().is_ok_and(reqwest::StatusCode::is_success), "{status:?}");
}

#[test]
fn every_panel_has_data_of_a_real_run() {
    let stub = StubProvider::start(triage());
    let topics = Topics::create(1);
    let providers = format!(
        "providers:\n  stub: {{ kind: openai, base_url: \"{}\", model: stub-1, api_key_env: null, timeout: 120s, \
         price: {{ input_per_1k: 0.01, output_per_1k: 0.03 }} }}\nrouting: {{ fallback: [stub] }}",
        stub.base_url()
    );
    let setup = Setup::with_providers(&providers).connector(&topics, "options: { budget: { usd: 1000 } }");
    let service = setup.spawn_with(&[("STRUCTURED_PROMPT_HTTP__AUTH", "off")]);
    service.wait_ready();
    let monitoring = Monitoring::start(service.address(), Webhook::start().address());
    let queries = queries();
    assert!(queries.len() > 40, "{}", queries.len());
    let mut round = 0;
    wait_until("data in every panel", Duration::from_secs(90), || {
        round += 1;
        send_some(&topics, service.address(), round);
        let empty: Vec<_> = queries.iter().filter_map(|query| lacks(query, &monitoring)).collect();
        if empty.is_empty() { Ok(()) } else { Err(empty.join("\n")) }
    });
}

#[test]
fn promtool_has_nothing_to_say_against_the_metrics_of_a_real_run() {
    let stub = StubProvider::start(triage());
    let topics = Topics::create(1);
    let setup = Setup::openai(&stub.base_url()).connector(&topics, "options: { budget: { usd: 1000 } }");
    let service = setup.spawn_with(&[("STRUCTURED_PROMPT_HTTP__AUTH", "off")]);
    service.wait_ready();
    send_some(&topics, service.address(), 1);
    wait_until("a result", Duration::from_secs(30), || match broker::count(&topics.sink) {
        0 => Err(service.log_text()),
        _ => Ok(()),
    });
    let (status, text) = service.get_text("/v1/metrics");
    assert_eq!(status, 200, "{text}");
    for line in ["sp_ready 1", "# TYPE process_cpu_seconds_total counter", "# TYPE sp_http_request_seconds histogram"] {
        assert!(text.lines().any(|is| is == line), "no line {line} in\n{text}");
    }
    check_metrics(&text);
}

#[test]
fn dashboards_are_found_under_names_of_their_own_and_ask_the_source_that_is_chosen() {
    let dashboards = dashboards();
    let mut identities: Vec<_> = dashboards.iter().map(|(_, dashboard)| dashboard["uid"].to_string()).collect();
    identities.sort();
    identities.dedup();
    assert_eq!(identities.len(), 3);
    let chosen = json!({ "type": "prometheus", "uid": "${datasource}" });
    for (file, dashboard) in &dashboards {
        // What Grafana finds by its number in another installation would be another dashboard.
        assert_eq!(dashboard["id"], Value::Null, "{file}");
        let variables = dashboard["templating"]["list"].as_array().expect("variables");
        let names: Vec<_> = variables.iter().filter_map(|variable| variable["name"].as_str()).collect();
        assert_eq!(names, ["datasource", "job"], "{file}");
        for panel in dashboard["panels"].as_array().expect("panels") {
            let of_targets = panel["targets"].as_array().expect("targets").iter().map(|target| &target["datasource"]);
            for source in of_targets.chain([&panel["datasource"]]) {
                assert_eq!(source, &chosen, "{file}: {}", panel["title"]);
            }
        }
    }
}
