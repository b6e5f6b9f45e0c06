//! Who is measured, and the one job that all of them do: events from a topic, each asked of the stub provider, the
//! answer parsed and held against the schema, valid ones to the sink, the others to the dead letters.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::connector;
use crate::scenario::{self, Load, Scenario};

/// One run of one contender.
pub struct Job<'a> {
    pub scenario: &'a Scenario,
    /// Where it may write.
    pub directory: &'a Path,
    pub brokers: &'a str,
    /// Of the stub provider, as OpenAI's clients take it.
    pub base_url: &'a str,
    pub group: &'a str,
    pub source: &'a str,
    pub sink: &'a str,
    pub dead_letters: &'a str,
}

/// A program that does the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contender {
    /// structured-prompt, this binary of it.
    Connector(PathBuf),
    /// What any consume-produce program could reach: no work in between.
    CopyLoop,
    /// A Java program on Confluent's Parallel Consumer, with this class path.
    ParallelConsumer(OsString),
    /// What is written by hand in Python, with this interpreter.
    Python(PathBuf),
}

impl Contender {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connector(_) => "structured-prompt",
            Self::CopyLoop => "copy loop",
            Self::ParallelConsumer(_) => "Parallel Consumer",
            Self::Python(_) => "Python",
        }
    }

    /// Whether it can do what a scenario is about. The peers have no cache, no journal and no transactions.
    pub fn takes_part_in(&self, scenario: &Scenario) -> bool {
        match self {
            Self::Connector(_) => true,
            Self::CopyLoop => *scenario == scenario::CACHE_HITS,
            Self::ParallelConsumer(_) => [scenario::ZERO_LATENCY, scenario::ONE_SECOND].contains(scenario),
            // Its HTTP client looks through all of its connections at each call, so that 10,000 of them take minutes.
            Self::Python(_) => *scenario == scenario::ZERO_LATENCY,
        }
    }

    /// Its part of a load. The slowest gets fewer records, so that a run does not take minutes.
    pub fn load(&self, load: Load) -> Load {
        match self {
            Self::Python(_) => load.part(8),
            Self::Connector(_) | Self::CopyLoop | Self::ParallelConsumer(_) => load,
        }
    }

    /// Calls that it has to make.
    pub fn calls(&self, load: &Load) -> usize {
        match self {
            Self::Connector(_) => load.texts,
            Self::CopyLoop => 0,
            Self::ParallelConsumer(_) | Self::Python(_) => load.records,
        }
    }

    /// The command that does a job.
    pub fn command(&self, job: &Job<'_>) -> Command {
        match self {
            Self::Connector(binary) => connector::command(binary, job),
            Self::CopyLoop => {
                let mut command = Command::new(std::env::current_exe().expect("this program"));
                command.args(["copy", job.brokers, job.group, job.source, job.sink]);
                command.arg(job.scenario.load.records.to_string());
                command
            }
            Self::ParallelConsumer(class_path) => {
                let mut command = Command::new("java");
                command.arg("-cp").arg(class_path).arg("Peer").args(peer_arguments(job));
                command
            }
            Self::Python(interpreter) => {
                let mut command = Command::new(interpreter);
                command.arg(repository("benches/peers/python/peer.py")).args(peer_arguments(job));
                command
            }
        }
    }
}

fn peer_arguments(job: &Job<'_>) -> Vec<OsString> {
    let texts = [job.brokers, job.base_url, job.group, job.source, job.sink, job.dead_letters];
    let in_flight = job.scenario.load.in_flight.to_string();
    let schema = repository("src/schema/library/support-intent@1.0.0.json");
    texts.map(OsString::from).into_iter().chain([in_flight.into(), schema.into()]).collect()
}

/// A file of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
