//! Throughput on a real Kafka: records per second, CPU time per record and memory, of this program and of two others
//! that do the same job; and what the HTTP API adds to a call, beside other gateways ([`gateways`]). `make bench` starts
//! the broker; `make bench ARGS='S1 S2'` measures single scenarios, of S1 to S3 and S5 only this program.
//!
//! Broker, stub provider and each contender are processes of their own and share the machine. Each figure is taken
//! between the first and the last tenth of the results on a topic that was filled before, so it leaves out joining the
//! group and warming up. A run that lost or repeated a record, or made another number of calls than it should, ends the
//! program.

#![allow(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a benchmark stops at the first thing that is wrong, and prints what it measured"
)]

mod connector;
mod contender;
mod copy_loop;
mod gateways;
mod idle;
mod outcome;
mod page;
mod process;
mod rounds;
mod run;
mod scenario;
mod stub;
mod summary;
mod topics;

use std::cell::Cell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser as _;

use contender::Contender;
use run::Bench;
use scenario::Scenario;
use topics::Cluster;

/// Measures throughput against a real Kafka.
#[derive(Debug, clap::Parser)]
struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    /// S1, S2, S2j, S3, S4, S5, S7; by default all of them, with the peers.
    #[arg(value_parser = selected)]
    scenarios: Vec<Selected>,
    /// Half the records, and one run of each.
    #[arg(long)]
    quick: bool,
    /// Runs of each; the median counts.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Another program than the one that was just built, to compare two versions.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Class path of the peer on Parallel Consumer.
    #[arg(long, value_name = "PATH")]
    parallel_consumer: Option<OsString>,
    /// Interpreter for the peer in Python.
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    #[command(flatten)]
    gateways: gateways::Peers,
    /// Write docs/benchmarks.md and docs/benchmarks-http.md.
    #[arg(long)]
    write: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Parts of a run that are processes of their own.
#[derive(Debug, clap::Subcommand)]
enum Part {
    #[command(hide = true)]
    Stub { latency_ms: u64 },
    #[command(hide = true)]
    Copy { brokers: String, group: String, source: String, sink: String, records: usize },
}

/// A scenario of the command line.
#[derive(Debug, Clone, Copy)]
enum Selected {
    Load(Scenario),
    Gateways,
    Idle,
}

fn selected(name: &str) -> Result<Selected, String> {
    if name.eq_ignore_ascii_case(idle::NAME) {
        return Ok(Selected::Idle);
    }
    if name.eq_ignore_ascii_case(gateways::NAME) {
        return Ok(Selected::Gateways);
    }
    let found = scenario::ALL.iter().find(|scenario| scenario.name.eq_ignore_ascii_case(name));
    let names: Vec<&str> = scenario::ALL.iter().map(|scenario| scenario.name).collect();
    found
        .copied()
        .map(Selected::Load)
        .ok_or_else(|| format!("the scenarios are {}, {}, {}", names.join(", "), gateways::NAME, idle::NAME))
}

fn main() {
    let args = Args::parse();
    match &args.part {
        Some(Part::Stub { latency_ms }) => stub::serve(Duration::from_millis(*latency_ms)),
        Some(Part::Copy { brokers, group, source, sink, records }) => {
            copy_loop::run(brokers, group, source, sink, *records);
        }
        None => measure(&args),
    }
}

fn measure(args: &Args) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    let binary = args.binary.clone().unwrap_or_else(|| env!("CARGO_BIN_EXE_structured-prompt").into());
    let all =
        || scenario::ALL.iter().copied().map(Selected::Load).chain([Selected::Gateways, Selected::Idle]).collect();
    let selected = if args.scenarios.is_empty() { all() } else { args.scenarios.clone() };
    let repeats = if args.quick { 1 } else { args.repeats };
    let are_gateways_wanted = selected.iter().any(|selected| matches!(selected, Selected::Gateways));
    let gateways = are_gateways_wanted.then(|| {
        let seconds = if args.quick { 5 } else { 10 };
        gateways::measure(directory.clone(), binary.clone(), args.gateways.clone(), repeats, seconds)
    });
    let (measured, idle) = measure_on_kafka(args, &selected, directory, binary);
    let summary = summary::Summary { measured, idle, gateways };
    println!("\n{summary}");
    if args.write {
        page::write(&summary, repeats, args.quick);
    }
}

/// What needs a broker.
fn measure_on_kafka(
    args: &Args,
    selected: &[Selected],
    directory: PathBuf,
    binary: PathBuf,
) -> (Vec<rounds::Measured>, Option<Vec<idle::Idle>>) {
    let scenarios: Vec<Scenario> = selected
        .iter()
        .filter_map(|selected| match selected {
            Selected::Load(scenario) => Some(*scenario),
            Selected::Gateways | Selected::Idle => None,
        })
        .collect();
    let is_idle_wanted = selected.iter().any(|selected| matches!(selected, Selected::Idle));
    if scenarios.is_empty() && !is_idle_wanted {
        return (Vec::new(), None);
    }
    let variable = |name| std::env::var(name).expect("run `make bench`: it starts a Kafka");
    let bench = Bench {
        cluster: Cluster { brokers: variable("STRUCTURED_PROMPT_TEST_BROKERS") },
        broker_id: variable("STRUCTURED_PROMPT_TEST_BROKER_PIDS").parse().expect("one broker"),
        directory,
    };
    let mut contenders = vec![Contender::Connector(binary.clone()), Contender::CopyLoop];
    contenders.extend(args.parallel_consumer.clone().map(Contender::ParallelConsumer));
    contenders.extend(args.python.clone().map(Contender::Python));
    let repeats = if args.quick { 1 } else { args.repeats };
    let part = if args.quick { 2 } else { 1 };
    let rounds = rounds::Rounds { bench: &bench, contenders: &contenders, repeats, part, is_warm: Cell::new(false) };
    let measured = rounds.measure(&scenarios);
    let idle = is_idle_wanted.then(|| idle::measure(&bench, &binary, repeats));
    (measured, idle)
}
