//! `review`: results that wait for a person.

mod connector;
mod decide;
mod label;
mod show;

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use super::{Exit, log_panics, say};
use crate::app::errors::AppError;
use crate::config::Findings;
use crate::kafka::review_queue::{PassedOver, ReviewError, ReviewPlace};
use crate::telemetry::logging;
use crate::telemetry::settings::{LogFormat, LogSettings};
use connector::ReviewedConnector;

/// See which results wait for a person, and decide about them
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the results that wait: place, event, reason, confidence, fields that do not stand in the record's text
    List {
        #[command(flatten)]
        connector: ConnectorArgs,
        /// Print one JSON object a line, with the data
        #[arg(long)]
        json: bool,
    },
    /// Show one result beside the record that it answers, with the places of its values
    Show(ResultArgs),
    /// Publish a result as it is
    Accept(decide::AcceptArgs),
    /// Publish other data in a result's place
    Correct(decide::CorrectArgs),
    /// Dead-letter the record that a result answers
    Reject(decide::RejectArgs),
}

// A flattened doc comment would replace that of the command.
#[derive(Debug, clap::Args)]
struct ConnectorArgs {
    /// The connector's file
    #[arg(value_name = "CONNECTOR")]
    file: PathBuf,
    /// Runtime configuration, which names the cluster [default: config/structured-prompt.yaml if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct ResultArgs {
    #[command(flatten)]
    connector: ConnectorArgs,
    /// Where it waits, as `review list` has it: partition and offset, for example 0/17
    #[arg(value_name = "PLACE", value_parser = parse_place)]
    place: ReviewPlace,
}

fn parse_place(text: &str) -> Result<ReviewPlace, String> {
    let numbers = text.split_once('/').and_then(|(partition, offset)| {
        Some(ReviewPlace { partition: partition.parse().ok()?, offset: offset.parse().ok()? })
    });
    numbers.ok_or_else(|| "expected partition and offset, for example 0/17".to_owned())
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
    Queue(#[from] ReviewError),
    #[error("the result is published, but {} has no label of it: {why}", .path.display())]
    NoLabel { path: PathBuf, why: String },
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl CommandError {
    fn exit(&self) -> Exit {
        match self {
            Self::WrongUse(_) | Self::Configuration(_) | Self::App(_) => Exit::WrongUse,
            Self::Queue(_) | Self::NoLabel { .. } | Self::Io(_) => Exit::Failed,
        }
    }
}

/// Does what the arguments say, and prints to `out`. Exit code: 0 done; 1 it was not done, or not all of it; 2 wrong
/// arguments, data or configuration.
pub fn run(args: &Args, out: &mut dyn Write) -> Exit {
    let log = LogSettings { format: LogFormat::Text, filter: "error".to_owned() };
    if let Err(error) = logging::init(&log, logging::Target::Stderr) {
        say(error);
        return Exit::WrongUse;
    }
    log_panics();
    let done = match &args.command {
        Command::List { connector, json } => list(connector, *json, out),
        Command::Show(of) => show(of, out),
        Command::Accept(args) => decide::accept(args, out),
        Command::Correct(args) => decide::correct(args, out),
        Command::Reject(args) => decide::reject(args, out),
    };
    match done {
        Ok(()) => Exit::Done,
        Err(error) => {
            say(&error);
            error.exit()
        }
    }
}

fn list(args: &ConnectorArgs, is_json: bool, out: &mut dyn Write) -> Result<(), CommandError> {
    let connector = ReviewedConnector::read(args)?;
    let queue = connector.queue()?;
    let waiting = queue.waiting()?;
    if waiting.results.is_empty() {
        say(format_args!("no result of connector {} waits", connector.config.name));
    } else if !waiting.has_decisions {
        say(ReviewError::NothingDecided(queue.group().to_owned()));
    }
    if let PassedOver { count, first: Some(first) } = &waiting.passed_over {
        say(format_args!("{count} record(s) of the topic are not for reviewers of this connector. The first: {first}"));
    }
    Ok(show::list(&waiting.results, is_json, out)?)
}

fn show(of: &ResultArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let connector = ReviewedConnector::read(&of.connector)?;
    let waiting = connector.queue()?.find(of.place)?;
    let event = connector.event(&waiting);
    Ok(show::one(&waiting, event.as_ref(), io::stdout().is_terminal(), out)?)
}
