//! The real binary without connectors, and a client for it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::wait_until;

/// The running program. Killed when dropped.
pub struct Program {
    child: Child,
    address: String,
    log: Arc<Mutex<Vec<Value>>>,
    directory: Arc<TempDir>,
}

/// An answer. A body that is no JSON is a string.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Value,
}

impl Answer {
    /// A header, in lower case.
    pub fn header(&self, name: &str) -> &str {
        let prefix = format!("\r\n{name}: ");
        let value = self.headers.split_once(&prefix).map_or("", |(_, rest)| rest);
        value.split("\r\n").next().unwrap_or_default()
    }
}

impl Program {
    /// Starts it with this configuration in a directory of its own, and waits until it says where it listens.
    pub fn start(configuration: &str) -> Self {
        Self::start_with(configuration, &[])
    }

    /// The same with these environment variables.
    pub fn start_with(configuration: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_in(Arc::new(directory(configuration)), environment)
    }

    /// Starts another one beside it, with the same configuration.
    pub fn start_beside(other: &Self) -> Self {
        Self::start_in(Arc::clone(&other.directory), &[])
    }

    /// Starts it with other files beside the configuration, each by name and text.
    pub fn start_with_files(files: &[(&str, &str)], configuration: &str) -> Self {
        let directory = directory(configuration);
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).expect("a file");
        }
        Self::start_in(Arc::new(directory), &[])
    }

    fn start_in(directory: Arc<TempDir>, environment: &[(&str, &str)]) -> Self {
        let mut child = binary(&directory)
            .envs(environment.iter().copied())
            .args(["run", "--config", "runtime.yaml"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let log = Arc::new(Mutex::new(Vec::<Value>::new()));
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let entry = serde_json::from_str(&line).expect("a JSON log line");
                written.lock().expect("the log").push(entry);
            }
        });
        let mut address = String::new();
        wait_until("the line that says `started`", Duration::from_secs(20), || {
            let log = log.lock().expect("the log");
            let started = log.iter().find(|entry| entry["message"] == "started").ok_or_else(|| format!("{log:?}"))?;
            started["http"].as_str().expect("its address").clone_into(&mut address);
            Ok(())
        });
        Self { child, address, log, directory }
    }

    /// How it ends with a configuration that it refuses, and what it says.
    pub fn refused(configuration: &str) -> (ExitStatus, String) {
        let directory = directory(configuration);
        let output = binary(&directory).args(["run", "--config", "runtime.yaml"]).output().expect("the binary");
        (output.status, String::from_utf8([output.stdout, output.stderr].concat()).expect("text"))
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it listens for administrators.
    pub fn admin_address(&self) -> String {
        let log = self.log.lock().expect("the log");
        let started = log.iter().find(|entry| entry["message"] == "started").expect("it has started");
        started["admin"].as_str().expect("an address").to_owned()
    }

    /// A file in its directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Asks for a path.
    pub fn get(&self, path: &str) -> Answer {
        send(&self.address, "GET", path, "", "")
    }

    /// Asks for a path with a key.
    pub fn get_with_key(&self, path: &str, key: &str) -> Answer {
        send(&self.address, "GET", path, &authorization(key), "")
    }

    /// All metrics as text.
    pub fn metrics(&self) -> String {
        exchange(&self.address, "GET", "/v1/metrics", "", "").1
    }

    /// Sends JSON to a path.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with_key(path, "", body)
    }

    /// Sends JSON to a path with a key.
    pub fn post_with_key(&self, path: &str, key: &str, body: &Value) -> Answer {
        send(&self.address, "POST", path, &authorization(key), &body.to_string())
    }

    /// Sends JSON to a path with a key and an idempotency key.
    pub fn post_once(&self, path: &str, key: &str, idempotency_key: &str, body: &Value) -> Answer {
        let headers = format!("{}idempotency-key: {idempotency_key}\r\n", authorization(key));
        send(&self.address, "POST", path, &headers, &body.to_string())
    }

    /// Deletes what is at a path, with a key.
    pub fn delete_with_key(&self, path: &str, key: &str) -> Answer {
        send(&self.address, "DELETE", path, &authorization(key), "")
    }

    /// What another command of the program prints, with the same configuration.
    pub fn command(&self, args: &[&str]) -> String {
        let output =
            binary(&self.directory).args(args).args(["--config", "runtime.yaml"]).output().expect("the binary");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// Runs another command of the program by itself, with this configuration and these environment variables.
    pub fn command_with(configuration: &str, environment: &[(&str, &str)], args: &[&str]) {
        let directory = directory(configuration);
        let mut command = binary(&directory);
        command.envs(environment.iter().copied()).args(args).args(["--config", "runtime.yaml"]);
        let output = command.output().expect("the binary");
        assert!(output.status.success(), "{output:?}");
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits until it has ended.
    pub fn end(&mut self) -> ExitStatus {
        wait_until("the end", Duration::from_secs(40), || {
            self.child.try_wait().expect("its state").map(drop).ok_or_else(|| "still running".to_owned())
        });
        self.child.wait().expect("its end")
    }

    /// The whole log as text.
    pub fn log_text(&self) -> String {
        self.log.lock().expect("the log").iter().map(|entry| format!("{entry}\n")).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A directory of its own with this configuration.
fn directory(configuration: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("runtime.yaml"), configuration).expect("a file");
    directory
}

fn binary(directory: &TempDir) -> Command {
    let mut binary = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
    binary.current_dir(directory.path()).env_clear();
    binary
}

/// The header that brings a key.
pub fn authorization(key: &str) -> String {
    format!("authorization: Bearer {key}\r\n")
}

/// One request on a connection of its own. Each of `headers` ends its line.
pub fn send(address: &str, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    read(exchange(address, method, path, headers, body))
}

/// The same for a request as it is written here.
pub fn send_text(address: &str, request: &str) -> Answer {
    read(exchange_text(address, request))
}

fn read((headers, body): (String, String)) -> Answer {
    let (status, headers) = (headers[9..12].parse().expect("a status"), headers.to_ascii_lowercase());
    let is_json = headers.contains("content-type: application/json") || headers.contains("+json");
    let read = |body| serde_json::from_str(body).unwrap_or_else(|_| panic!("{headers}\n{body}"));
    let body = if is_json { read(&body) } else { body.into() };
    Answer { status, headers, body }
}

/// What comes back: status and headers, and the body.
fn exchange(address: &str, method: &str, path: &str, headers: &str, body: &str) -> (String, String) {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         {headers}content-length: {}\r\nx-request-id: the-test\r\n\r\n{body}",
        body.len()
    );
    exchange_text(address, &request)
}

/// The answer ends with its body, and not with the connection: a server goes on reading what a client has announced.
fn exchange_text(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("its HTTP");
    stream.write_all(request.as_bytes()).expect("a request");
    let (mut reader, mut headers, mut body) = (BufReader::new(stream), String::new(), String::new());
    while !headers.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut headers).expect("an answer") > 0, "a whole answer: {headers}");
    }
    headers.truncate(headers.len() - 4);
    let length =
        headers.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    reader.take(length.unwrap_or(u64::MAX)).read_to_string(&mut body).expect("its body");
    (headers, body)
}
