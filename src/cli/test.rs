//! `test`: do connectors make of their records what their tests say? Offline.
//!
//! - `try_all`: runs the tests of all files; `compare`: what came against what was expected; `difference`: two JSON
//!   values; `snapshot`: records that were kept to compare with;
//! - `report`: the outcomes, in three formats; `watch`: when to run again.

mod compare;
mod difference;
mod report;
mod snapshot;
mod try_all;
mod watch;

use std::io::{self, Write};
use std::path::PathBuf;

use self::report::Format;
use self::try_all::try_all;
use self::watch::Watched;
use super::{Exit, log_panics, runtime, say};
use crate::app::errors::AppError;
use crate::config::Findings;
use crate::telemetry::logging;
use crate::telemetry::settings::{LogFormat, LogSettings};

const DEFAULT_PATH: &str = "connectors";

/// Run the tests beside connector files (*_test.yaml), without Kafka, network and keys
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Test files, and directories that are searched for them with all that is below
    #[arg(value_name = "PATH", default_value = DEFAULT_PATH)]
    paths: Vec<PathBuf>,
    /// Runtime configuration: its providers stand behind answers, and its store has schemas and templates
    /// [default: config/structured-prompt.yaml if it is there, without its store]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep what the tests with `snapshot: true` publish now, to compare later runs with
    #[arg(long)]
    update: bool,
    /// Run again whenever a file changes that stands below the paths, or beside a test
    #[arg(long)]
    watch: bool,
    /// How the outcomes are written: for people, or for a CI server
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Why tests could not be run.
#[derive(Debug, thiserror::Error)]
enum TestError {
    #[error("{0}")]
    Findings(#[from] Findings),
    #[error(transparent)]
    App(#[from] AppError),
    #[error("{0}")]
    Snapshot(String),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Runs the tests and prints their outcomes to `out`. Exit code: 0 all pass, 1 some fail, 2 wrong arguments, tests or
/// configuration. While it watches it ends with the process.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> io::Result<Exit> {
    let log = LogSettings { format: LogFormat::Text, filter: "error".to_owned() };
    if let Err(error) = logging::init(&log, logging::Target::Stderr) {
        say(error);
        return Ok(Exit::WrongUse);
    }
    log_panics();
    if !args.watch {
        return once(args, out);
    }
    if args.format != Format::Text {
        say("--watch has no end, so its outcomes are for people: leave --format out");
        return Ok(Exit::WrongUse);
    }
    loop {
        let before = Watched::look(args);
        once(args, out)?;
        out.flush()?;
        say("\nwaiting for a change; Ctrl-C ends");
        before.wait_for_change(args);
    }
}

fn once(args: &Args, out: &mut dyn Write) -> io::Result<Exit> {
    let report = match runtime()?.block_on(try_all(args)) {
        Ok(report) => report,
        Err(error) => {
            say(&error);
            return Ok(if matches!(error, TestError::Io(_)) { Exit::Failed } else { Exit::WrongUse });
        }
    };
    report.write(args.format, out)?;
    Ok(if report.failed() == 0 { Exit::Done } else { Exit::Failed })
}

#[cfg(test)]
mod tests;
