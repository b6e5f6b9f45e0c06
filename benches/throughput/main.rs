//! Throughput on a real Kafka: records per second, CPU time per record and memory of the connector. `make bench` starts
//! the broker; `make bench ARGS='S1 S2'` measures single scenarios.
//!
//! Connector, stub provider and broker are processes of their own and share the machine. Each figure is taken between the first and
//! the last tenth of a topic that was filled before, so it leaves out joining the group and warming up. A run
//! that lost or repeated a record, or made another number of calls than it should, ends the program.

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
mod idle;
mod outcome;
mod process;
mod run;
mod scenario;
mod stub;
mod topics;

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
    /// Scenarios: S1, S2, S2j, S3, S5, S7; all by default.
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
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Parts of a run that are processes of their own.
#[derive(Debug, clap::Subcommand)]
enum Part {
    #[command(hide = true)]
    Stub { latency_ms: u64 },
}

fn main() {
    let args = Args::parse();
    match args.part {
        Some(Part::Stub { latency_ms }) => stub::serve(Duration::from_millis(latency_ms)),
        None => measure(&args),
    }
}

/// A scenario of the command line.
#[derive(Debug, Clone, Copy)]
enum Selected {
    Load(Scenario),
    Idle,
}

fn selected(name: &str) -> Result<Selected, String> {
    if name.eq_ignore_ascii_case(idle::NAME) {
        return Ok(Selected::Idle);
    }
    let found = scenario::ALL.iter().find(|scenario| scenario.name.eq_ignore_ascii_case(name));
    let names: Vec<&str> = scenario::ALL.iter().map(|scenario| scenario.name).collect();
    found.copied().map(Selected::Load).ok_or_else(|| format!("the scenarios are {}, {}", names.join(", "), idle::NAME))
}

fn measure(args: &Args) {
    let variable = |name| std::env::var(name).expect("run `make bench`: it starts a Kafka");
    let bench = Bench {
        cluster: Cluster { brokers: variable("STRUCTURED_PROMPT_TEST_BROKERS") },
        broker_id: variable("STRUCTURED_PROMPT_TEST_BROKER_PIDS").parse().expect("one broker"),
        directory: Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench"),
    };
    let binary = args.binary.clone().unwrap_or_else(|| env!("CARGO_BIN_EXE_structured-prompt").into());
    let all = || scenario::ALL.iter().copied().map(Selected::Load).chain([Selected::Idle]).collect();
    let selected = if args.scenarios.is_empty() { all() } else { args.scenarios.clone() };
    let repeats = if args.quick { 1 } else { args.repeats };
    let run = std::process::id();
    for selected in selected {
        match selected {
            Selected::Load(scenario) => {
                let scenario = if args.quick { scenario.quick() } else { scenario };
                measure_load(&bench, &[Contender::Connector(binary.clone())], &scenario, repeats, run);
            }
            Selected::Idle => {
                println!("{}: a process without work", idle::NAME);
                for repeat in 0..repeats {
                    println!("  {}", idle::measure(&bench, &binary, &format!("{run}-idle-{repeat}")));
                }
            }
        }
    }
}

fn measure_load(bench: &Bench, contenders: &[Contender], scenario: &Scenario, repeats: usize, run: u32) {
    println!("{}: {}", scenario.name, scenario.title);
    let source = format!("{run}-{}-in", scenario.name);
    bench.cluster.create(&source);
    bench.cluster.fill(&source, scenario.records, scenario.texts);
    for repeat in 0..repeats {
        for contender in contenders {
            let name = format!("{run}-{}-{}-{repeat}", scenario.name, contender.name());
            println!("  {:<20}{}", contender.name(), bench.run(&name, contender, scenario, &source));
        }
    }
    bench.cluster.delete(&[&source]);
}
