//! The command line, one file per command.

pub mod cache;
pub mod demo;
pub mod dlq;
mod entries;
pub mod eval;
pub mod healthcheck;
pub mod key;
pub mod lint;
pub mod migrate;
pub mod openapi;
pub mod plan;
pub mod review;
pub mod run;
pub mod schema;
mod stored;
pub mod template;
mod terminal_text;
pub mod test;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The work is done.
    Done = 0,
    /// The work failed.
    Failed = 1,
    /// Wrong use: arguments or configuration.
    WrongUse = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Streams CloudEvents from Kafka through an LLM and back as validated, typed records.
#[derive(Debug, Parser)]
#[command(name = "structured-prompt", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Demo(demo::Args),
    Lint(lint::Args),
    Test(test::Args),
    Plan(plan::Args),
    Eval(eval::Args),
    Review(review::Args),
    Dlq(Box<dlq::Args>),
    Schema(schema::Args),
    Template(template::Args),
    Cache(cache::Args),
    Key(key::Args),
    Migrate(migrate::Args),
    Openapi(openapi::Args),
    Healthcheck(healthcheck::Args),
}

/// Runs the command that the arguments name. Exit codes: 0 done, 1 the work failed, 2 wrong use.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // clap's own text for --help, --version (standard output, 0) and wrong use (standard error, 2).
        Err(error) => {
            let is_help = error.exit_code() == 0;
            let exit = if is_help { Exit::Done } else { Exit::WrongUse };
            return if error.print().is_ok() { exit } else { Exit::Failed }.into();
        }
    };
    let exit = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Lint(args) => {
            let environment = crate::config::Environment::of_process();
            lint::run(&args, Path::new(""), &environment, &mut io::stdout()).unwrap_or(Exit::Failed)
        }
        Command::Test(args) => test::run(&args, &mut io::stdout()).unwrap_or(Exit::Failed),
        Command::Plan(args) => plan::run(&args, &mut io::stdout()).unwrap_or(Exit::Failed),
        Command::Eval(args) => eval::run(&args, &mut io::stdout()).unwrap_or(Exit::Failed),
        Command::Review(args) => review::run(&args, &mut io::stdout()),
        Command::Dlq(args) => dlq::run(&args, &mut io::stdout()),
        Command::Schema(args) => schema::run(&args, &mut io::stdout(), &mut io::stderr()).unwrap_or(Exit::Failed),
        Command::Cache(args) => cache::run(&args, &mut io::stdout(), &mut io::stderr()).unwrap_or(Exit::Failed),
        Command::Template(args) => template::run(&args, &mut io::stdout(), &mut io::stderr()).unwrap_or(Exit::Failed),
        Command::Key(args) => key::run(&args, &mut io::stdout(), &mut io::stderr()).unwrap_or(Exit::Failed),
        Command::Migrate(args) => migrate::run(&args, &mut io::stdout(), &mut io::stderr()).unwrap_or(Exit::Failed),
        Command::Openapi(args) => openapi::run(&args, &mut io::stdout()).unwrap_or(Exit::Failed),
        Command::Healthcheck(args) => healthcheck::run(&args),
    };
    exit.into()
}

/// Says something to the person at the terminal. A terminal that is gone is no reason to fail.
fn say(text: impl std::fmt::Display) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// The stack of a worker, in bytes: what threads have by default, whatever `RUST_MIN_STACK` says. A worker polls calls,
/// routers and ladders within each other, and a debug build needs a sixth of this for it.
const WORKER_STACK: usize = 2 << 20;

/// A runtime with one worker per core.
///
/// # Errors
/// When the system has no threads to give.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(WORKER_STACK).build()
}

/// Turns panics into log lines. The message of a panic may quote data, so its place has to do.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}
