//! One run: a contender over a filled topic, measured from outside.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::contender::{Contender, Job};
use crate::outcome;
use crate::process::{Process, Sampler, peak_mib};
use crate::scenario::Scenario;
use crate::stub::Stub;
use crate::topics::Cluster;

/// A run that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(240);

/// Where runs happen.
pub struct Bench {
    pub cluster: Cluster,
    pub broker_id: u32,
    pub directory: PathBuf,
}

/// What a run used and reached, between the first and the last tenth of its results.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    pub records_per_s: f64,
    /// CPU time for one record, in microseconds: of the contender itself, of the broker, of the stub.
    pub cpu_us: f64,
    pub broker_us: f64,
    pub stub_us: f64,
    pub peak_mib: u64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>8.0} records/s {:>7.1} µs CPU/record {:>6} MiB   (broker {:.1} µs, stub {:.1} µs)",
            self.records_per_s, self.cpu_us, self.peak_mib, self.broker_us, self.stub_us
        )
    }
}

impl Bench {
    /// Runs a contender over `source` and checks what came out.
    pub fn run(&self, name: &str, contender: &Contender, scenario: &Scenario, source: &str) -> Figures {
        let (group, sink, dead_letters) = (format!("bench-{name}"), format!("{name}-out"), format!("{name}-dlq"));
        [&sink, &dead_letters].into_iter().for_each(|topic| self.cluster.create(topic));
        let directory = self.directory.join(name);
        std::fs::create_dir_all(&directory).expect("a directory");
        let stub = Stub::start(scenario.load.latency, &directory);
        let job = Job {
            scenario,
            directory: &directory,
            brokers: &self.cluster.brokers,
            base_url: &format!("http://127.0.0.1:{}/v1", stub.port),
            group: &group,
            source,
            sink: &sink,
            dead_letters: &dead_letters,
        };
        let log = directory.join("log");
        let mut process = Process::start(&mut contender.command(&job), &log);
        let sampler = Sampler::start(vec![process.id(), self.broker_id, stub.process.id()]);
        self.await_commit(&mut process, &group, source, scenario.load.records, &log);
        let peak = peak_mib(process.id()).expect("its memory");
        process.stop(Duration::from_secs(30));

        let published =
            outcome::check(&self.cluster, &sink, &dead_letters, scenario.load.records).unwrap_or_else(|problem| {
                panic!("{} {}: {problem}; see {}", scenario.name, contender.name(), log.display())
            });
        assert_eq!(stub.calls(), contender.calls(&scenario.load), "calls of {} in {}", contender.name(), scenario.name);
        self.cluster.delete(&[&sink, &dead_letters]);
        let (from, to) = published.measured_part();
        let results = published.measured_results() as f64;
        let cpu = sampler.between(from, to);
        let each = |index: usize| cpu[index] as f64 / results;
        Figures {
            records_per_s: results * 1000.0 / (to - from) as f64,
            cpu_us: each(0),
            broker_us: each(1),
            stub_us: each(2),
            peak_mib: peak,
        }
    }

    /// Waits until the group has committed all records.
    fn await_commit(&self, process: &mut Process, group: &str, source: &str, records: usize, log: &Path) {
        let progress = self.cluster.progress(group, source);
        let deadline = Instant::now() + LIMIT;
        loop {
            let committed = progress.committed();
            if committed >= records {
                return;
            }
            assert!(
                process.is_running(),
                "it has ended with {committed} of {records} committed; see {}",
                log.display()
            );
            assert!(Instant::now() < deadline, "{committed} of {records} within {LIMIT:?}; see {}", log.display());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
