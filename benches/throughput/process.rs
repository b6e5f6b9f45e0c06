//! A process that is measured: its start, its end, and what it uses meanwhile.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often processes are looked at.
const INTERVAL: Duration = Duration::from_millis(20);
/// The unit of CPU time in `/proc/PID/stat`, the same on every Linux.
const TICK_US: u64 = 10_000;

/// A child process, killed when dropped.
pub struct Process(Child);

impl Process {
    /// Starts it, with all that it writes in a file.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file = File::create(log).expect("a log file");
        let errors = file.try_clone().expect("the same file");
        let child = command.stdout(file).stderr(errors).spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}")))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// True until it has ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("its state").is_none()
    }

    /// Asks it to end, and waits.
    pub fn stop(&mut self, limit: Duration) {
        let asked = Command::new("kill").arg(self.id().to_string()).status().expect("kill");
        assert!(asked.success(), "the process has ended before it was told to");
        let deadline = Instant::now() + limit;
        while self.is_running() {
            assert!(Instant::now() < deadline, "the process does not end within {limit:?}");
            std::thread::sleep(INTERVAL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// CPU time that a process has used, in microseconds.
pub fn cpu_us(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in parentheses, may contain anything; what follows it are numbers.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some((ticks(11)? + ticks(12)?) * TICK_US)
}

/// CPU time that a process and all processes below it have used, in microseconds.
pub fn tree_cpu_us(id: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let children = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let below: u64 = children
        .flat_map(|ids| ids.split_whitespace().filter_map(|id| id.parse().ok()).map(tree_cpu_us).collect::<Vec<_>>())
        .sum();
    cpu_us(id).unwrap_or(0) + below
}

/// Where the log of this program says that it listens.
pub fn http_address(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    let mut entries = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    entries.find_map(|entry| Some(entry.get("http")?.as_str()?.to_owned()))
}

/// The largest resident memory that a process has had, in MiB.
pub fn peak_mib(id: u32) -> Option<u64> {
    memory_mib(id, "VmHWM:")
}

/// The resident memory that a process has, in MiB.
pub fn resident_mib(id: u32) -> Option<u64> {
    memory_mib(id, "VmRSS:")
}

fn memory_mib(id: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

/// Milliseconds of the wall clock, which is also that of the broker.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    u64::try_from(since.as_millis()).expect("a time that fits")
}

/// CPU time of processes over time.
pub struct Sampler {
    samples: Arc<Mutex<Vec<Sample>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Sample {
    at_ms: u64,
    cpu_us: Vec<u64>,
}

impl Sampler {
    /// Looks at these processes from now on.
    pub fn start(ids: Vec<u32>) -> Self {
        let (samples, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (taken, end) = (Arc::clone(&samples), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                if let Some(cpu_us) = ids.iter().map(|id| cpu_us(*id)).collect() {
                    taken.lock().expect("the samples").push(Sample { at_ms: now_ms(), cpu_us });
                }
                std::thread::sleep(INTERVAL);
            }
        });
        Self { samples, is_over, thread: Some(thread) }
    }

    /// CPU time that each process used between two moments, in microseconds.
    pub fn between(&self, from_ms: u64, to_ms: u64) -> Vec<u64> {
        let samples = self.samples.lock().expect("the samples");
        let at = |ms: u64| samples.iter().find(|sample| sample.at_ms >= ms).or(samples.last()).expect("a sample");
        at(to_ms).cpu_us.iter().zip(&at(from_ms).cpu_us).map(|(later, earlier)| later - earlier).collect()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the sampler ends");
        }
    }
}
