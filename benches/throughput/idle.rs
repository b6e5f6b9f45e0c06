//! The time from the start until the process is ready, and what it uses when there is nothing to do.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::contender::Job;
use crate::process::{Process, cpu_us, http_address, resident_mib};
use crate::run::Bench;
use crate::{connector, scenario};

/// As the command line has it.
pub const NAME: &str = "S7";
const LIMIT: Duration = Duration::from_secs(30);
/// What happens only once after the start is over by then.
const SETTLED: Duration = Duration::from_secs(5);
const OBSERVED: Duration = Duration::from_secs(20);

/// A connector without work.
#[derive(Debug, Clone, Copy)]
pub struct Idle {
    pub ready_ms: f64,
    pub core_percent: f64,
    pub resident_mib: u64,
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ready_ms, core_percent, resident_mib } = self;
        write!(f, "ready after {ready_ms:.0} ms, idle {core_percent:.2} % of a core, {resident_mib} MiB")
    }
}

/// Measures it several times.
pub fn measure(bench: &Bench, binary: &Path, repeats: usize) -> Vec<Idle> {
    println!("{NAME}: a process without work");
    let once = |repeat| {
        let idle = observe(bench, binary, &format!("{}-idle-{repeat}", std::process::id()));
        println!("  {NAME}  {idle}");
        idle
    };
    (0..repeats).map(once).collect()
}

/// Starts the connector on topics without records, with the SQLite journal, and looks at it for a while.
fn observe(bench: &Bench, binary: &Path, name: &str) -> Idle {
    let topics = ["in", "out", "dlq"].map(|topic| format!("{name}-{topic}"));
    topics.iter().for_each(|topic| bench.cluster.create(topic));
    let directory = bench.directory.join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    let job = Job {
        scenario: &scenario::JOURNAL,
        directory: &directory,
        brokers: &bench.cluster.brokers,
        base_url: "http://127.0.0.1:9/v1",
        group: name,
        source: &topics[0],
        sink: &topics[1],
        dead_letters: &topics[2],
    };
    let log = directory.join("log");
    let mut command = connector::command(binary, &job);
    let started = Instant::now();
    let mut process = Process::start(&mut command, &log);
    let deadline = started + LIMIT;
    while !is_ready(&log) {
        assert!(process.is_running() && Instant::now() < deadline, "it is not ready; see {}", log.display());
        sleep(Duration::from_millis(2));
    }
    let ready = started.elapsed();
    sleep(SETTLED);
    let before = cpu_us(process.id()).expect("its CPU time");
    sleep(OBSERVED);
    let used = cpu_us(process.id()).expect("its CPU time") - before;
    let resident_mib = resident_mib(process.id()).expect("its memory");
    process.stop(LIMIT);
    Idle {
        ready_ms: ready.as_secs_f64() * 1000.0,
        core_percent: used as f64 / OBSERVED.as_micros() as f64 * 100.0,
        resident_mib,
    }
}

/// Asks the readiness probe at the address that the log names.
fn is_ready(log: &Path) -> bool {
    let Some(address) = http_address(log) else { return false };
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut response = String::new();
    stream.write_all(b"GET /v1/health/ready HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n").is_ok()
        && stream.read_to_string(&mut response).is_ok()
        && response.starts_with("HTTP/1.1 200")
}
