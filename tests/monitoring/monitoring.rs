//! A Prometheus and an Alertmanager with the files of `deploy/`, in which only addresses and times differ.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::broker::block_on;
use super::servers::free_port;
use super::{path, read, wait_until};

/// Both servers. Killed when dropped.
pub struct Monitoring {
    prometheus: Server,
    _alertmanager: Server,
    _directory: TempDir,
}

struct Server {
    child: Child,
    address: String,
}

impl Monitoring {
    /// Starts both. They scrape and evaluate once a second, and what is to be told goes to `webhook` at once, under the
    /// name of its receiver.
    pub fn start(connector: &str, webhook: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("alertmanager.yml"), alertmanager_configuration(webhook)).expect("a file");
        let mut alertmanager = Command::new(alertmanager_program());
        alertmanager.arg(option("--config.file", &at("alertmanager.yml"))).arg("--cluster.listen-address=");
        alertmanager.arg(option("--storage.path", &at("alertmanager")));
        let alertmanager = Server::start(alertmanager, &at("alertmanager.log"));

        let configuration = prometheus_configuration(connector, &alertmanager.address);
        std::fs::write(at("prometheus.yml"), configuration).expect("a file");
        let rules = read("deploy/prometheus/recording.rules.yml");
        std::fs::write(at("recording.rules.yml"), rules).expect("a file");
        let rules = without_patience(&read("deploy/prometheus/alerting.rules.yml"));
        std::fs::write(at("alerting.rules.yml"), rules).expect("a file");
        let mut prometheus = Command::new("prometheus");
        prometheus.arg(option("--config.file", &at("prometheus.yml")));
        prometheus.arg(option("--storage.tsdb.path", &at("prometheus")));
        let prometheus = Server::start(prometheus, &at("prometheus.log"));

        let monitoring = Self { prometheus, _alertmanager: alertmanager, _directory: directory };
        wait_until("the first scrape", Duration::from_secs(30), || {
            match monitoring.query("up{job=\"structured-prompt\"} == 1") {
                Ok(series) if !series.is_empty() => Ok(()),
                answer => Err(format!("{answer:?}")),
            }
        });
        monitoring
    }

    /// The series that an expression has now, or what Prometheus says against it.
    pub fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("query", expression).finish();
        let (_, answer) = get(&format!("http://{}/api/v1/query?{query}", self.prometheus.address))?;
        let body: Value = serde_json::from_str(&answer).map_err(|error| format!("{error}: {answer}"))?;
        body["data"]["result"].as_array().cloned().ok_or_else(|| format!("{expression}: {answer}"))
    }
}

impl Server {
    fn start(mut command: Command, log: &Path) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let output = File::create(log).expect("a file");
        command.arg(format!("--web.listen-address={address}")).stdin(Stdio::null());
        command.stdout(output.try_clone().expect("the same file")).stderr(output);
        let child =
            command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}; run `make test`, which installs it"));
        let server = Self { child, address };
        wait_until("an answer to its readiness probe", Duration::from_secs(30), || {
            match get(&format!("http://{}/-/ready", server.address)) {
                Ok((true, _)) => Ok(()),
                answer => Err(format!("{answer:?}: {}", std::fs::read_to_string(log).expect("its log"))),
            }
        });
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

/// Debian names it otherwise than its authors do.
fn alertmanager_program() -> &'static str {
    let is_there = |name: &str| Command::new(name).arg("--version").output().is_ok();
    if is_there("alertmanager") { "alertmanager" } else { "prometheus-alertmanager" }
}

fn prometheus_configuration(connector: &str, alertmanager: &str) -> String {
    let text = read("deploy/prometheus/prometheus.yml");
    let text = replaced(&text, "scrape_interval: 15s", "scrape_interval: 1s");
    let text = replaced(&text, "scrape_timeout: 10s", "scrape_timeout: 1s");
    let text = replaced(&text, "evaluation_interval: 15s", "evaluation_interval: 1s");
    let text = replaced(&text, "connector:8080", connector);
    replaced(&text, "alertmanager:9093", alertmanager)
}

/// Alerts that fire a second after their condition holds. Those about targets keep their time: a scrape that is late
/// on a busy machine is no instance that is gone.
fn without_patience(rules: &str) -> String {
    let mut is_about_targets = false;
    let lines = rules.lines().map(|line| {
        is_about_targets = !line.trim_start().starts_with("- alert: ") && (is_about_targets || line.contains("up{"));
        match line.split_once("for: ") {
            Some((indent, _)) if indent.trim().is_empty() && !is_about_targets => format!("{indent}for: 1s\n"),
            _ => format!("{line}\n"),
        }
    });
    lines.collect()
}

/// The routes as they are, and in the place of each receiver a webhook of that name.
fn alertmanager_configuration(webhook: &str) -> String {
    let text = read("deploy/alertmanager/alertmanager.yml");
    let (routes, receivers) = text.split_once("\nreceivers:\n").expect("its receivers");
    let mut text = replaced(routes, "group_wait: 30s", "group_wait: 1s") + "\nreceivers:\n";
    for name in receivers.lines().filter_map(|line| line.strip_prefix("  - name: ")) {
        text += &format!("  - {{ name: {name}, webhook_configs: [{{ url: \"http://{webhook}/{name}\" }}] }}\n");
    }
    text
}

/// A text without one of its parts would be another test than it says.
fn replaced(text: &str, part: &str, by: &str) -> String {
    assert!(text.contains(part), "there is no {part} in\n{text}");
    text.replace(part, by)
}

/// Runs promtool or amtool on files of the project.
pub fn check(program: &str, arguments: &[&str], files: &[&str]) {
    let files = files.iter().map(|name| path(name));
    let output = Command::new(program).args(arguments).args(files).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run `make test`, which installs it"));
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    assert!(output.status.success(), "{program} {arguments:?}\n{said}");
}

/// Runs promtool on metrics in the classic format.
pub fn check_metrics(text: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().unwrap_or_else(|error| panic!("promtool: {error}; run `make test`, which installs it"));
    child.stdin.take().expect("its input").write_all(text.as_bytes()).expect("a pipe");
    let output = child.wait_with_output().expect("its end");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    assert!(output.status.success() && said.is_empty(), "promtool check metrics\n{said}\n{text}");
}

/// The answer to a GET, and whether it is a good one. No proxy that this machine may have is asked.
fn get(url: &str) -> Result<(bool, String), String> {
    let get = async {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        let response = client.get(url).send().await?;
        Ok::<_, reqwest::Error>((response.status().is_success(), response.text().await?))
    };
    block_on(get).map_err(|error| error.to_string())
}
