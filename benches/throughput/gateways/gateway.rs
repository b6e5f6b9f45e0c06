//! Who is asked, and how each of them is started: as its users run it, in front of the same stub provider.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::client::Address;
use super::messages;
use crate::process::{Process, http_address};

/// LiteLLM takes the longest to start: a quarter of a minute on a quiet machine.
const STARTED_WITHIN: Duration = Duration::from_secs(120);

/// A gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gateway {
    /// `/v1/analyze` of this program.
    Analyze(PathBuf),
    /// `/v1/chat/completions` of this program.
    ChatCompletions(PathBuf),
    /// LiteLLM's proxy with two workers, with this interpreter.
    LiteLlm(PathBuf),
    /// Portkey's gateway, from this node_modules.
    Portkey(PathBuf),
    /// TensorZero's gateway within a program in Python, with this interpreter.
    TensorZero(PathBuf),
}

/// A gateway that answers.
pub struct Running {
    pub address: Address,
    pub process: Process,
}

impl Gateway {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Analyze(_) => "structured-prompt, /v1/analyze",
            Self::ChatCompletions(_) => "structured-prompt, /v1/chat/completions",
            Self::LiteLlm(_) => "LiteLLM proxy",
            Self::Portkey(_) => "Portkey",
            Self::TensorZero(_) => "TensorZero, embedded",
        }
    }

    /// A request to it.
    pub fn body(&self, number: usize) -> String {
        match self {
            Self::Analyze(_) => messages::analyze(number),
            Self::ChatCompletions(_) | Self::LiteLlm(_) | Self::Portkey(_) | Self::TensorZero(_) => {
                messages::chat_completion("stub", number)
            }
        }
    }

    /// Starts it before the stub at this port; TensorZero runs within the program that asks it.
    pub fn start(&self, directory: &Path, stub_port: u16) -> Option<Running> {
        match self {
            Self::Analyze(binary) => Some(start(binary, directory, stub_port, "/v1/analyze")),
            Self::ChatCompletions(binary) => Some(start(binary, directory, stub_port, "/v1/chat/completions")),
            Self::LiteLlm(python) => Some(start_litellm(python, directory, stub_port)),
            Self::Portkey(node_modules) => Some(start_portkey(node_modules, directory, stub_port)),
            Self::TensorZero(_) => None,
        }
    }
}

/// This program with keys, limits, cache and request log on, in SQLite.
pub fn start(binary: &Path, directory: &Path, stub_port: u16, path: &'static str) -> Running {
    let configuration = directory.join("structured-prompt.yaml");
    let text = format!(
        "http: {{ listen: \"127.0.0.1:0\" }}\n\
         store: {{ url: \"sqlite://{}/store.db\" }}\n\
         providers:\n  stub: {{ kind: openai, base_url: \"http://127.0.0.1:{stub_port}/v1\", model: stub-1, api_key_env: null }}\n\
         routing: {{ fallback: [stub] }}\n\
         log: {{ format: json }}\n",
        directory.display()
    );
    std::fs::write(&configuration, text).expect("a file");
    let command = |arguments: &[&str]| {
        let mut command = Command::new(binary);
        command.args(arguments).arg("--config").arg(&configuration).current_dir(directory);
        for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("STRUCTURED_PROMPT_")) {
            command.env_remove(variable);
        }
        command
    };
    // The highest that a key may have.
    let limit = "100000000";
    let made = command(&["key", "create", "--name", "bench", "--rate-limit", limit]).output().expect("the program");
    assert!(made.status.success(), "{made:?}");
    let key = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    let log = directory.join("log");
    let mut process = Process::start(&mut command(&["run"]), &log);
    let socket = await_some(&mut process, &log, || http_address(&log)?.parse().ok());
    Running { address: Address { socket, path, headers: format!("authorization: Bearer {key}\r\n") }, process }
}

fn start_litellm(python: &Path, directory: &Path, stub_port: u16) -> Running {
    let (configuration, socket) = (directory.join("litellm.yaml"), free_address());
    let text = format!(
        "model_list:\n- model_name: stub\n  litellm_params:\n    model: openai/stub-1\n    api_key: none\n    \
         api_base: \"http://127.0.0.1:{stub_port}/v1\"\n\
         router_settings: {{ num_retries: 0 }}\n\
         general_settings: {{ master_key: sk-bench }}\n"
    );
    std::fs::write(&configuration, text).expect("a file");
    let mut command = Command::new(python.with_file_name("litellm"));
    command.arg("--config").arg(configuration).args([
        "--host",
        "127.0.0.1",
        "--num_workers",
        "2",
        "--telemetry",
        "False",
    ]);
    command.args(["--port", &socket.port().to_string()]).current_dir(directory);
    // What it would otherwise fetch from the network when it starts.
    command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("LITELLM_LOG", "ERROR");
    let headers = "authorization: Bearer sk-bench\r\n".to_owned();
    run(command, Address { socket, path: "/v1/chat/completions", headers }, directory)
}

fn start_portkey(node_modules: &Path, directory: &Path, stub_port: u16) -> Running {
    let socket = free_address();
    let mut command = Command::new("node");
    command.arg(node_modules.join("@portkey-ai/gateway/build/start-server.js")).arg("--headless");
    command.arg(format!("--port={}", socket.port())).current_dir(directory);
    let headers = format!(
        "authorization: Bearer none\r\nx-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:{stub_port}/v1\r\n"
    );
    run(command, Address { socket, path: "/v1/chat/completions", headers }, directory)
}

fn run(mut command: Command, address: Address, directory: &Path) -> Running {
    let log = directory.join("log");
    let mut process = Process::start(&mut command, &log);
    await_some(&mut process, &log, || TcpStream::connect(address.socket).ok());
    Running { address, process }
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("its address")
}

/// Waits for something that a process does when it has started.
fn await_some<T>(process: &mut Process, log: &Path, look: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + STARTED_WITHIN;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(process.is_running() && Instant::now() < deadline, "it does not start; see {}", log.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}
