//! A program that runs the connectors of the fixtures: today's, or the one that the fixtures were made with.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::cluster::Cluster;
use super::fixtures::Fixtures;
use super::stub_provider::StubProvider;

/// A running program with a directory of its own. Killed when dropped.
pub struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it with the settings of the fixtures; only addresses are others.
    pub fn start(binary: &Path, fixtures: &Fixtures, cluster: &Cluster, stub: &StubProvider, directory: &Path) -> Self {
        let log = directory.join("log");
        let output = std::fs::File::create(&log).expect("a log");
        let child = Command::new(binary)
            .args(["run", "--config"])
            .arg(fixtures.path("settings/structured-prompt.yaml"))
            .arg("--connectors")
            .arg(fixtures.path("connectors"))
            .env_clear()
            .env("TMPDIR", directory)
            .env("STRUCTURED_PROMPT_KAFKA__BROKERS", cluster.brokers())
            .env("STRUCTURED_PROMPT_HTTP__LISTEN", "127.0.0.1:0")
            .env("STRUCTURED_PROMPT_STORE__URL", format!("sqlite://{}", store(directory).display()))
            .env("STRUCTURED_PROMPT_PROVIDERS__LLAMA__BASE_URL", stub.base_url())
            .env("STRUCTURED_PROMPT_PROVIDERS__LLAMA__TIMEOUT", "120s")
            .env("STRUCTURED_PROMPT_ROUTING__FALLBACK", "llama")
            .stdout(output.try_clone().expect("the same file"))
            .stderr(output)
            .spawn()
            .expect("the program starts");
        Self { child, log }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log")
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("a running process");
        self.child.wait().expect("its end");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The journal's file.
pub const STORE: &str = "journal.sqlite";

/// Where a program in this directory has its journal.
pub fn store(directory: &Path) -> PathBuf {
    directory.join(STORE)
}
