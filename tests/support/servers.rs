//! Servers that a test may stop: its own.
#![allow(dead_code, reason = "each test includes it and uses its part")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The address of a service that `scripts/with-services.sh` has started.
pub fn shared(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run `make test`, or `scripts/with-services.sh cargo test`"))
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn run(command: &mut Command) {
    // Nothing of ours may stay open in a server that goes on.
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(output.as_ref().is_ok_and(std::process::ExitStatus::success), "{command:?}: {output:?}");
}

fn output(program: &str, args: &[&str]) -> String {
    String::from_utf8(Command::new(program).args(args).output().unwrap().stdout).unwrap()
}

/// Sends a signal to each of some processes.
fn signal(name: &str, ids: &[String]) {
    for id in ids {
        run(Command::new("kill").args([&format!("-{name}"), id]));
    }
}

/// A Postgres of its own. Stopped when dropped.
pub struct Postgres {
    home: PathBuf,
    port: u16,
    settings: String,
    _directory: TempDir,
}

impl Postgres {
    pub fn start() -> Self {
        Self::with_settings(&[])
    }

    /// One with our tables.
    pub fn migrated() -> Self {
        let server = Self::start();
        let mut migrate = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
        run(migrate.arg("migrate").current_dir("/").env("STRUCTURED_PROMPT_STORE__URL", server.url()));
        server
    }

    /// One with these settings, each as `name=value`.
    pub fn with_settings(settings: &[&str]) -> Self {
        let settings: String = settings.iter().map(|setting| format!(" -c {setting}")).collect();
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("data");
        let server = Self { home, port: free_port(), settings, _directory: directory };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(server.home.parent().unwrap()));
        }
        run(as_owner("initdb").arg("-D").arg(&server.home).args(["-U", "tester", "-A", "trust", "-N"]));
        server.resume();
        server
    }

    pub fn url(&self) -> String {
        format!("postgres://tester@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it again after [`Postgres::stop`].
    pub fn resume(&self) {
        let settings = "-c listen_addresses=127.0.0.1 -c unix_socket_directories=";
        let options = format!("-p {} {settings}{}", self.port, self.settings);
        let log = self.home.join("log");
        run(as_owner("pg_ctl").args(["-w", "-D"]).arg(&self.home).arg("-l").arg(log).args(["-o", &options, "start"]));
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("log")).unwrap()
    }

    /// Ends it without a word to its clients, as a crash does.
    pub fn stop(&self) {
        run(as_owner("pg_ctl").args(["-w", "-m", "immediate", "-D"]).arg(&self.home).arg("stop"));
    }

    /// Sends a signal to the server and to all of its sessions.
    pub fn signal(&self, name: &str) {
        let file = std::fs::read_to_string(self.home.join("postmaster.pid")).unwrap();
        let server = file.lines().next().unwrap().to_owned();
        let children = output("ps", &["-o", "pid=", "--ppid", &server]);
        let ids: Vec<String> = children.split_whitespace().map(str::to_owned).chain([server]).collect();
        signal(name, &ids);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stop = as_owner("pg_ctl").args(["-w", "-m", "immediate", "-D"]).arg(&self.home).arg("stop").output();
        drop(stop);
    }
}

fn is_root() -> bool {
    output("id", &["-u"]).trim() == "0"
}

/// A program of Postgres, which refuses to run as root; Debian keeps it out of the path.
fn as_owner(program: &str) -> Command {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = debian.map(|version| version.path().join("bin").join(program)).filter(|path| path.exists()).max();
    let program = newest.unwrap_or_else(|| PathBuf::from(program));
    let mut command = if is_root() { Command::new("runuser") } else { Command::new(&program) };
    if is_root() {
        command.args(["-u", "postgres", "--"]).arg(program);
    }
    command.current_dir(Path::new("/"));
    command
}

/// A Redis of its own. Killed when dropped.
pub struct Redis {
    directory: TempDir,
    port: u16,
    options: Vec<&'static str>,
}

impl Redis {
    pub fn start(options: &[&'static str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = Self { directory, port: free_port(), options: options.to_vec() };
        server.resume();
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again after [`Redis::kill`], with what it has on disk.
    pub fn resume(&self) {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--daemonize", "yes", "--pidfile"]).arg(self.pid_file());
        command.arg("--dir").arg(self.directory.path()).args(["--port", &self.port.to_string()]).args(&self.options);
        run(&mut command);
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() || self.id().is_none() {
            assert!(Instant::now() < deadline, "Redis did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, name: &str) {
        signal(name, &[self.id().unwrap()]);
    }

    /// What it answers to a command.
    pub fn command(&self, command: &[&str]) -> redis::Value {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        redis::cmd(command[0]).arg(&command[1..]).query(&mut connection).unwrap()
    }

    /// Puts garbage in the place of every value whose key matches a pattern, and returns how many there were.
    pub fn poison(&self, keys: &str) -> u64 {
        const POISON: &str = "
            local keys = redis.call('KEYS', ARGV[1])
            for _, key in ipairs(keys) do redis.call('SET', key, string.char(0, 255, 123), 'KEEPTTL') end
            return #keys";
        redis::from_redis_value(self.command(&["EVAL", POISON, "0", keys])).unwrap()
    }

    /// SIGKILL, and its end.
    pub fn kill(&self) {
        let id = self.id().unwrap();
        signal("KILL", std::slice::from_ref(&id));
        std::fs::remove_file(self.pid_file()).unwrap();
        // A zombie that nobody has reaped yet has no memory any more.
        while std::fs::read_to_string(format!("/proc/{id}/statm")).is_ok_and(|pages| !pages.starts_with("0 ")) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn pid_file(&self) -> PathBuf {
        self.directory.path().join("pid")
    }

    fn id(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.pid_file()).ok()?;
        Some(text.trim().to_owned()).filter(|id| !id.is_empty())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(id) = self.id() {
            drop(Command::new("kill").args(["-KILL", &id]).status());
        }
    }
}
