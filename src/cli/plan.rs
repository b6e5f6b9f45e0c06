//! `plan`: what would a connector make of the records that wait for it, what would that cost, and how long would it
//! take? Nothing is consumed, and unless `--ask` says so, nobody is asked.
//!
//! - `records`: some of those that wait, or the lines of a file; `forecast`: what was found in them;
//! - `asked`: what asking about some of them showed; `show`: all of it, as a table and as JSON.

mod asked;
mod forecast;
mod records;
mod show;

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::PathBuf;

use self::forecast::Plan;
use super::run::config_file;
use super::{Exit, log_panics, runtime, say, stored};
use crate::app::errors::AppError;
use crate::app::plan::Planner;
use crate::config::connector::{ConnectorConfig, RuntimeDefaults, load_connectors};
use crate::config::runtime::{self as runtime_config, RuntimeConfig};
use crate::config::{Environment, Findings};
use crate::kafka::waiting_records::SampleError;
use crate::store::settings::StoreUrl;
use crate::telemetry::logging;
use crate::telemetry::settings::{LogFormat, LogSettings};

/// Say what a connector would make of the records that wait for it, and what that would cost, before it runs
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The connector's file
    #[arg(value_name = "CONNECTOR")]
    connector: PathBuf,
    /// Take the events of this file, one a line, instead of records that wait; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "records")]
    input: Option<PathBuf>,
    /// Records that are looked at
    #[arg(long, value_name = "NUMBER", default_value = "1000")]
    records: NonZeroU32,
    /// Ask about so many of them, which is paid, to see how many come to a valid answer
    #[arg(long, value_name = "NUMBER")]
    ask: Option<NonZeroU32>,
    /// Runtime configuration: brokers, providers with prices and ceilings, the shared cache, the store
    /// [default: config/structured-prompt.yaml if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    output: OutputFormat,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// For a person
    Table,
    /// For a program: one object
    Json,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
enum PlanError {
    #[error("{0}")]
    WrongUse(String),
    #[error("{0}")]
    Findings(#[from] Findings),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Sample(#[from] SampleError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl PlanError {
    fn exit(&self) -> Exit {
        match self {
            Self::Sample(_) | Self::Io(_) => Exit::Failed,
            Self::WrongUse(_) | Self::Findings(_) | Self::App(_) => Exit::WrongUse,
        }
    }
}

/// Plans, and prints the plan to `out`. Exit code: 0 done, 1 the records could not be read, 2 wrong arguments or
/// configuration.
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
    match runtime()?.block_on(plan(args)) {
        Ok(plan) => {
            match args.output {
                OutputFormat::Table => show::table(&plan, out)?,
                OutputFormat::Json => writeln!(out, "{:#}", show::json(&plan))?,
            }
            Ok(Exit::Done)
        }
        Err(error) => {
            say(&error);
            Ok(error.exit())
        }
    }
}

async fn plan(args: &Args) -> Result<Plan, PlanError> {
    let (runtime, connector) = configuration(args)?;
    let planner = Planner::start(runtime.clone(), connector.clone()).await?;
    let sample = records::read(args, &planner, &runtime, &connector)?;
    let mut plan = Plan::new(&runtime, &connector, sample.waiting);
    let mut questions = Vec::new();
    for record in sample.records {
        questions.extend(plan.note(planner.look(record).await));
    }
    if let Some(number) = args.ask {
        let number = usize::try_from(number.get()).unwrap_or(usize::MAX);
        plan.asked = Some(asked::ask(&planner, questions, number).await);
    }
    planner.finish().await;
    Ok(plan)
}

/// The files. Who is not asked needs no key.
fn configuration(args: &Args) -> Result<(RuntimeConfig, ConnectorConfig), PlanError> {
    let environment = Environment::of_process();
    let environment = if args.ask.is_some() { environment } else { environment.replaying(".") };
    let mut runtime = runtime_config::load(config_file(args.config.as_deref()), &environment)?;
    if !stored::may_exist(&runtime.store.url) {
        runtime.store.url = StoreUrl::Memory;
    }
    let has_store = !matches!(runtime.store.url, StoreUrl::Off | StoreUrl::Memory);
    let defaults = RuntimeDefaults { has_store, ..RuntimeDefaults::from(&runtime) };
    let mut connectors = load_connectors(std::slice::from_ref(&args.connector), &defaults)?;
    match (connectors.pop(), connectors.is_empty()) {
        (Some(connector), true) => Ok((runtime, connector)),
        _ => Err(PlanError::WrongUse("name the file of one connector, not a directory of several".to_owned())),
    }
}

#[cfg(test)]
mod tests;
