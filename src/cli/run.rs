//! `run`: the long-running service.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, log_panics, runtime, say};
use crate::app::roles::Role;
use crate::app::{App, LONGEST_AFTER_GRACE};
use crate::config::Environment;
use crate::config::connector::{ConnectorConfig, RuntimeDefaults, load_connectors};
use crate::config::runtime::{self, RuntimeConfig};
use crate::tasks;
use crate::telemetry::logging;

/// Time that records under way have to finish after SIGTERM. Kubernetes sends SIGKILL 30 s after it.
const GRACE: Duration = Duration::from_secs(20);

/// How long the process takes at most from SIGTERM to its end. Whoever stops it waits longer before SIGKILL.
pub const LONGEST_STOP: Duration = GRACE.saturating_add(LONGEST_AFTER_GRACE);

/// Signals within this time are one.
const SAME_SIGNAL: Duration = Duration::from_millis(500);

const DEFAULT_CONNECTORS: &str = "connectors";

const DEFAULT_CONFIG: &str = "config/structured-prompt.yaml";

/// Run the service, the HTTP API and every connector in one process, until SIGTERM or Ctrl-C.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Runtime configuration [default: config/structured-prompt.yaml if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Connector files, or directories of them [default: connectors if it is there; without any, HTTP only].
    #[arg(long, value_name = "PATH", num_args = 1..)]
    connectors: Vec<PathBuf>,
    /// The work of this process, so that each kind can be scaled by itself. Without `api` it serves health and metrics
    /// only; without `connectors` it reads no topic.
    #[arg(long, value_name = "ROLE", value_delimiter = ',', default_value = "connectors,api")]
    roles: Vec<Role>,
    /// For a process that must not outlive the one that started it.
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

/// Runs until it is told to stop. Exit code: 0 drained, 1 a part failed or the drain took too long, 2 wrong
/// configuration.
pub fn run(args: &Args) -> Exit {
    let (runtime_config, connectors) = match configure(args) {
        Ok(configured) => configured,
        Err(findings) => {
            say(findings);
            return Exit::WrongUse;
        }
    };
    if let Err(error) = logging::init(&runtime_config.log, logging::Target::Stdout) {
        say(error);
        return Exit::WrongUse;
    }
    log_panics();
    for (variable, meant) in Environment::of_process().misspelt() {
        tracing::warn!(
            variable,
            meant,
            "a variable is no setting and is ignored; two underscores stand between levels"
        );
    }
    if args.until_stdin_closes
        && let Err(error) = end_with_stdin()
    {
        tracing::error!(%error, "standard input cannot be watched");
        return Exit::Failed;
    }
    match runtime() {
        Ok(runtime) => runtime.block_on(serve(&args.roles, runtime_config, connectors)),
        Err(error) => {
            tracing::error!(%error, "the runtime cannot start");
            Exit::Failed
        }
    }
}

/// Ends the process, without a drain, when its standard input is closed, as it is when the process at its other end is
/// gone.
fn end_with_stdin() -> io::Result<()> {
    let watch = || {
        drop(io::copy(&mut io::stdin().lock(), &mut io::sink()));
        std::process::exit(Exit::Failed as i32);
    };
    tasks::thread("stdin", watch).map(drop)
}

/// The file that was named, or the one in the usual place.
pub(super) fn config_file(named: Option<&Path>) -> Option<&Path> {
    let default = Path::new(DEFAULT_CONFIG);
    named.or_else(|| default.exists().then_some(default))
}

/// The paths that were named, or the directory in the usual place.
fn connector_files(named: &[PathBuf]) -> Vec<PathBuf> {
    let default = Path::new(DEFAULT_CONNECTORS);
    if named.is_empty() && default.exists() { vec![default.to_path_buf()] } else { named.to_vec() }
}

/// The connector files of a process with these roles.
fn named_by(args: &Args) -> Result<Vec<PathBuf>, String> {
    if !args.roles.contains(&Role::Connectors) {
        let is_named = !args.connectors.is_empty();
        let why =
            "--connectors: this process is to have the role api alone; add the role connectors, or leave them out";
        return if is_named { Err(why.to_owned()) } else { Ok(Vec::new()) };
    }
    let named = connector_files(&args.connectors);
    if named.is_empty() && !args.roles.contains(&Role::Api) {
        return Err("--roles: there is no connector to run; name files with --connectors".to_owned());
    }
    Ok(named)
}

/// Every finding of all files at once.
fn configure(args: &Args) -> Result<(RuntimeConfig, Vec<ConnectorConfig>), String> {
    let runtime = runtime::load(config_file(args.config.as_deref()), &Environment::of_process());
    let defaults = runtime.as_ref().map(RuntimeDefaults::from).unwrap_or_default();
    let named = named_by(args)?;
    let connectors = if named.is_empty() { Ok(Vec::new()) } else { load_connectors(&named, &defaults) };
    match (runtime, connectors) {
        (Ok(runtime), Ok(connectors)) => Ok((runtime, connectors)),
        (runtime, connectors) => {
            let findings = [runtime.err(), connectors.err()];
            Err(findings.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
    }
}

async fn serve(roles: &[Role], runtime: RuntimeConfig, connectors: Vec<ConnectorConfig>) -> Exit {
    let mut app = match App::start(roles, runtime, connectors, None).await {
        Ok(app) => app,
        Err(error) => {
            tracing::error!(%error, "wrong configuration");
            return Exit::WrongUse;
        }
    };
    let failure = tokio::select! {
        () = stop_signal() => None,
        failure = app.failed() => Some(failure),
    };
    if let Some(failure) = &failure {
        tracing::error!(failure, "a part of the process ended");
    }
    tokio::select! {
        drained = app.drain(GRACE) => {
            if !drained {
                tracing::error!("the drain took too long; unfinished records will be consumed again");
            }
            if drained && failure.is_none() { Exit::Done } else { Exit::Failed }
        }
        () = second_signal() => {
            tracing::warn!("stopped at once by a second signal; unfinished records will be consumed again");
            Exit::Failed
        }
    }
}

/// Returns on a signal that a person sent after the first one: some tools signal a process and then its group.
async fn second_signal() {
    tokio::time::sleep(SAME_SIGNAL).await;
    stop_signal().await;
}

/// Returns on SIGTERM or SIGINT.
async fn stop_signal() {
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "signals cannot be received; stop with SIGKILL");
            std::future::pending::<()>().await;
        }
    }
}
