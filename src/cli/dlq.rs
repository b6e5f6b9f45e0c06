//! `dlq`: records without a result.

mod changed;
mod filter;
mod letters;
mod name;
mod replay;
mod show;
mod stats;

use std::io::{self, BufWriter, Write};

use super::{Exit, log_panics, say};
use crate::app::errors::AppError;
use crate::config::Findings;
use crate::kafka::dead_letters::LettersError;
use crate::telemetry::logging;
use crate::telemetry::settings::{LogFormat, LogSettings};
use letters::LetterArgs;

/// See which records became dead letters, and send them again
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List dead letters: place, time, code, how often replayed, the record's place and key
    List(ReadArgs),
    /// Show dead letters in full: failure, calls, and the record with its headers
    Show(ReadArgs),
    /// Count dead letters by code, stage, connector, topic, provider and replays
    Stats(ReadArgs),
    /// Say which records would be sent again and where to; with --execute, send them
    Replay(replay::ReplayArgs),
}

#[derive(Debug, clap::Args)]
struct ReadArgs {
    #[command(flatten)]
    letters: LetterArgs,
    /// Only letters of records about which this provider was asked
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
}

/// How a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// For a person
    Table,
    /// For a program: one object, or one a line
    Json,
}

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("{0}")]
    WrongUse(String),
    #[error("{0}")]
    Configuration(#[from] Findings),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Letters(#[from] LettersError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl CommandError {
    fn exit(&self) -> Exit {
        match self {
            Self::WrongUse(_) | Self::Configuration(_) | Self::App(_) => Exit::WrongUse,
            Self::Letters(_) | Self::Io(_) => Exit::Failed,
        }
    }
}

/// Does what the arguments say, and prints to `out`. Exit code: 0 done; 1 it was not done, or letters that were meant
/// were not sent; 2 wrong arguments or configuration.
pub fn run(args: &Args, out: &mut dyn Write) -> Exit {
    // A replay that asks by itself may wait for a provider, and should say so.
    let filter = if matches!(args.command, Command::Replay(_)) { "warn" } else { "error" };
    let log = LogSettings { format: LogFormat::Text, filter: filter.to_owned() };
    if let Err(error) = logging::init(&log, logging::Target::Stderr) {
        say(error);
        return Exit::WrongUse;
    }
    log_panics();
    let mut out = BufWriter::new(out);
    let done = match &args.command {
        Command::List(args) => show::list(args, &mut out),
        Command::Show(args) => show::show(args, &mut out),
        Command::Stats(args) => stats::stats(args, &mut out),
        Command::Replay(args) => replay::replay(args, &mut out),
    };
    match done.and_then(|exit| Ok(out.flush().map(|()| exit)?)) {
        Ok(exit) => exit,
        // Who reads the beginning has what they want.
        Err(CommandError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            say(&error);
            error.exit()
        }
    }
}
