//! The real binary as a child process.
#![allow(dead_code, reason = "each test includes it and uses its part")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::broker;

/// Configuration files of one test.
pub struct Setup {
    directory: TempDir,
    brokers: String,
    providers: String,
    client: String,
    store: String,
    consumers: Option<usize>,
    binary: PathBuf,
}

/// Topics of one connector.
#[derive(Debug, Clone)]
pub struct Topics {
    pub source: String,
    pub sink: String,
    pub dead_letters: String,
    pub group: String,
}

impl Topics {
    /// New topics, existing on the broker.
    pub fn create(partitions: i32) -> Self {
        let topics = Self::named();
        for topic in [&topics.source, &topics.sink, &topics.dead_letters] {
            broker::create_topic(topic, partitions, &[]);
        }
        topics
    }

    /// Names only.
    pub fn named() -> Self {
        let name = broker::unique("t");
        Self {
            source: format!("{name}-in"),
            sink: format!("{name}-out"),
            dead_letters: format!("{name}-dlq"),
            group: format!("{name}-group"),
        }
    }
}

impl Setup {
    /// A setup whose connectors ask the offline extractor.
    pub fn offline() -> Self {
        Self::with_providers("providers: { offline: { kind: offline } }\nrouting: { fallback: [offline] }")
    }

    /// A setup whose connectors ask an OpenAI-compatible server.
    pub fn openai(base_url: &str) -> Self {
        Self::with_timeout(base_url, "5s")
    }

    /// The same for tests of which a provider's timeout is no part, however busy the machine is.
    pub fn patient(base_url: &str) -> Self {
        Self::with_timeout(base_url, "120s")
    }

    fn with_timeout(base_url: &str, timeout: &str) -> Self {
        Self::with_providers(&format!(
            "providers:\n  stub: {{ kind: openai, base_url: \"{base_url}\", model: stub-1, api_key_env: null, \
             timeout: {timeout} }}\nrouting: {{ fallback: [stub] }}"
        ))
    }

    pub fn with_providers(providers: &str) -> Self {
        Self {
            directory: tempfile::tempdir().expect("a directory"),
            brokers: broker::brokers(),
            providers: providers.to_owned(),
            // The shortest that brokers allow: a killed instance's partitions must not idle for the usual 45 s.
            client: "session.timeout.ms: 6000, heartbeat.interval.ms: 1000".to_owned(),
            store: "sqlite://store.db".to_owned(),
            consumers: None,
            binary: PathBuf::from(env!("CARGO_BIN_EXE_structured-prompt")),
        }
    }

    /// Runs this program instead of the one that was built.
    pub fn binary(mut self, path: &Path) -> Self {
        self.binary = path.to_owned();
        self
    }

    /// Options of the Kafka client, instead of short sessions.
    pub fn client(mut self, options: &str) -> Self {
        self.client = options.to_owned();
        self
    }

    /// Another store than a file beside the configuration.
    pub fn store(mut self, url: &str) -> Self {
        self.store = url.to_owned();
        self
    }

    /// So many consumers for each connector that is added from now on.
    pub fn consumers(mut self, count: usize) -> Self {
        self.consumers = Some(count);
        self
    }

    pub fn brokers(mut self, brokers: &str) -> Self {
        self.brokers = brokers.to_owned();
        self
    }

    /// Adds a connector; `extra` are further top-level keys.
    pub fn connector(self, topics: &Topics, extra: &str) -> Self {
        let Topics { source, sink, dead_letters, group } = topics;
        let directory = self.directory.path().join("connectors");
        std::fs::create_dir_all(&directory).expect("a directory");
        let name = group.trim_end_matches("-group");
        let consumers = self.consumers.map(|count| format!(", consumers: {count}")).unwrap_or_default();
        let text = format!(
            "name: {name}\n\
             source: {{ kafka: {{ topics: [{source}], group: {group}, format: cloudevents{consumers} }} }}\n\
             prompt: {{ template: support-intent, parameters: {{ message: \"{{{{ data.body }}}}\" }} }}\n\
             schema: support-intent\n\
             sink: {{ kafka: {{ topic: {sink}, format: cloudevents }} }}\n\
             dead_letter: {{ kafka: {{ topic: {dead_letters} }} }}\n\
             {extra}\n"
        );
        std::fs::write(directory.join(format!("{name}.yaml")), text).expect("a file");
        self
    }

    /// The file of a connector that was added.
    pub fn connector_file(&self, topics: &Topics) -> PathBuf {
        self.directory.path().join("connectors").join(format!("{}.yaml", topics.group.trim_end_matches("-group")))
    }

    /// Writes the runtime configuration.
    pub fn write_runtime(&self) -> PathBuf {
        let path = self.directory.path().join("structured-prompt.yaml");
        let text = format!(
            "kafka: {{ brokers: [\"{}\"], client: {{ {} }} }}\nhttp: {{ listen: \"127.0.0.1:0\" }}\n\
             store: {{ url: \"{}\" }}\n{}\n",
            self.brokers.replace(',', "\", \""),
            self.client,
            self.store,
            self.providers
        );
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Starts an instance and waits for its HTTP address.
    pub fn start(&self) -> Service {
        let service = self.spawn();
        service.address();
        service
    }

    /// The same as a static member of the group.
    pub fn start_as(&self, name: &str) -> Service {
        let service = self.spawn_as(name);
        service.address();
        service
    }

    /// Starts an instance and does not wait for anything.
    pub fn spawn(&self) -> Service {
        self.spawn_with(&[])
    }

    /// The same as a static member of the group.
    pub fn spawn_as(&self, name: &str) -> Service {
        self.spawn_with(&[("STRUCTURED_PROMPT_KAFKA__CLIENT__GROUP_INSTANCE_ID", name)])
    }

    /// The same with more environment variables.
    pub fn spawn_with(&self, environment: &[(&str, &str)]) -> Service {
        let mut child = Command::new(&self.binary)
            .envs(environment.iter().copied())
            .arg("run")
            .arg("--config")
            .arg(self.write_runtime())
            .arg("--connectors")
            .arg(self.directory.path().join("connectors"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let entry = serde_json::from_str(&line).expect("a JSON log line");
                written.lock().expect("the log").push(entry);
            }
        });
        Service { child, address: OnceLock::new(), log }
    }
}

/// A running instance. Killed when dropped.
pub struct Service {
    child: Child,
    address: OnceLock<String>,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Service {
    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where its HTTP listens, which it says when it has started.
    pub fn address(&self) -> &str {
        self.address.get_or_init(|| {
            let mut address = String::new();
            super::wait_until("the line that says `started`", Duration::from_secs(20), || {
                let log = self.log.lock().expect("the log");
                let Some(entry) = log.iter().find(|entry| entry["message"] == "started") else {
                    return Err(format!("{log:?}"));
                };
                entry["http"].as_str().expect("its address").clone_into(&mut address);
                Ok(())
            });
            address
        })
    }

    /// How it has ended, if it has within this time.
    pub fn wait_for_end(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            let ended = self.child.try_wait().expect("its state");
            if ended.is_some() || Instant::now() > deadline {
                return ended;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().expect("a running process");
        self.child.wait().expect("its end");
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill");
        assert!(sent.success());
    }

    /// SIGTERM, and the time until it has ended.
    pub fn terminate(&mut self) -> (ExitStatus, Duration) {
        let began_at = Instant::now();
        self.signal("TERM");
        super::wait_until("the end after SIGTERM", Duration::from_secs(40), || {
            self.child.try_wait().expect("its state").map(drop).ok_or_else(|| "still running".to_owned())
        });
        (self.child.wait().expect("its end"), began_at.elapsed())
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("its state")
    }

    /// Status code and JSON body of a GET.
    pub fn get(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.get_text(path);
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    pub fn get_text(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address()).expect("its HTTP");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
        (head[9..12].parse().expect("a status"), body.to_owned())
    }

    /// The sum over all series of a metric.
    pub fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get_text("/v1/metrics");
        let series =
            text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        series.map(|line| line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()).expect("a value")).sum()
    }

    /// Log messages so far.
    pub fn messages(&self) -> Vec<String> {
        let log = self.log.lock().expect("the log");
        log.iter().filter_map(|entry| entry["message"].as_str().map(str::to_owned)).collect()
    }

    /// The whole log as text.
    pub fn log_text(&self) -> String {
        self.log.lock().expect("the log").iter().map(|entry| format!("{entry}\n")).collect()
    }

    pub fn wait_ready(&self) {
        super::wait_until("readiness", Duration::from_secs(40), || match self.get("/v1/health/ready") {
            (200, _) => Ok(()),
            (status, body) => Err(format!("{status} {body}")),
        });
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
