//! The delivery promise against faults: the real binary, three real brokers behind proxies, a judge that shares no code
//! with them. docs/faults.md explains it and has the results.
//!
//! ```text
//! cargo test --test faults                          the short selection, about three minutes
//! cargo test --test faults -- --all                 every row
//! cargo test --test faults -- --row 2,14 --seed 7   some rows, with the random choices of an earlier run
//!     --scale full                                  with the counts of the acceptance matrix
//!     --write docs/faults.md                        the results as a page
//! ```

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "in a test they are assertions and their explanation"
)]

mod arguments;
#[path = "../support/broker.rs"]
mod broker;
mod brokers;
mod by_event;
mod cluster;
mod commits;
mod crash;
mod files;
mod groups;
mod input;
mod logs;
mod members;
mod oracle;
mod process;
mod providers;
mod proxy;
mod raw;
mod repeats;
mod report;
mod row;
mod scene;
#[path = "../support/servers.rs"]
mod servers;
#[path = "../support/service.rs"]
mod service;
mod shutdown;
mod stores;
#[path = "../support/stub_provider.rs"]
mod stub_provider;
mod tally;
mod topics;
#[path = "../support/wait.rs"]
mod wait;
#[path = "../support/wire.rs"]
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use arguments::Arguments;
use cluster::Cluster;
use report::{Line, Verdict};
use row::{Bench, Row};
use tally::Tally;
use wait::wait_until;

/// Every row, by kind.
fn rows() -> Vec<Row> {
    let kinds = [
        crash::rows,
        brokers::rows,
        groups::rows,
        members::rows,
        providers::rows,
        stores::rows,
        repeats::rows,
        topics::rows,
        logs::rows,
        input::rows,
        shutdown::rows,
        files::rows,
    ];
    let mut rows: Vec<Row> = kinds.into_iter().flat_map(|rows| rows()).collect();
    rows.sort_by_key(|row| row.number);
    rows
}

fn main() -> ExitCode {
    let rows = rows();
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("faults: {why}");
            return ExitCode::from(2);
        }
    };
    let chosen: Vec<&Row> = rows.iter().filter(|row| arguments.chooses(row)).collect();
    if let Some(number) = arguments.unknown(&rows) {
        eprintln!("faults: there is no row {number}; --list names them");
        return ExitCode::from(2);
    }
    if chosen.is_empty() {
        return ExitCode::SUCCESS;
    }
    if arguments.is_listing {
        rows.iter().for_each(|row| println!("{} {} ({}): test", row.number, row.fault, row.guarantee));
        return ExitCode::SUCCESS;
    }
    println!("faults: {} rows, seed {}", chosen.len(), arguments.seed);
    stop_with_a_signal();
    let random = fastrand::Rng::with_seed(arguments.seed);
    let mut bench = Bench { cluster: Cluster::start(), random, scale: arguments.scale };
    let lines: Vec<Line<'_>> = chosen.into_iter().map(|row| run(row, &mut bench)).collect();
    drop(bench);
    println!("\n{}\n{}\n{}", report::table(&lines), report::shortcomings(&lines), report::notes(&lines));
    println!("faults: seed {}", arguments.seed);
    if let Some(path) = &arguments.write {
        std::fs::write(path, report::page(&lines, "make faults")).expect("the page");
    }
    let has_failed = lines.iter().any(|line| line.verdict == Verdict::Fails);
    if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run<'a>(row: &'a Row, bench: &mut Bench) -> Line<'a> {
    let began_at = Instant::now();
    println!("row {}: {} ({})", row.number, row.fault, row.guarantee);
    let tally = catch_unwind(AssertUnwindSafe(|| {
        Cluster::revive();
        (row.run)(bench)
    }));
    bench.cluster.heal();
    let tally = tally.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Tally { problems: vec![text.unwrap_or_default()], ..Tally::default() }
    });
    let holds = tally.problems.is_empty() && tally.runs > 0;
    let verdict = if holds { Verdict::Holds } else { Verdict::Fails };
    println!("row {}: {verdict:?} after {:.1?} {}", row.number, began_at.elapsed(), tally.complaint());
    Line { row, tally, verdict }
}

/// The brokers outlive whoever started them, so an interrupted run has to stop them.
fn stop_with_a_signal() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate()).expect("a handler");
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        });
        cluster::stop();
        std::process::exit(130);
    });
}
