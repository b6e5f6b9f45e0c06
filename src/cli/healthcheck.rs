//! `healthcheck`: the health endpoint from the inside, for images without curl.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::StatusCode;

use super::{Exit, runtime as async_runtime, say};
use crate::config::Environment;
use crate::config::runtime;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Ask the running service whether it is ready; exit 0 if it is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Runtime configuration, for the address [default: config/structured-prompt.yaml if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address of the service, with https:// if it encrypts; overrides the configuration.
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// Ask only whether the process lives.
    #[arg(long)]
    live: bool,
}

/// Asks once.
pub fn run(args: &Args) -> Exit {
    let address = match &args.address {
        Some(address) if address.starts_with("https://") => address.clone(),
        Some(address) => format!("http://{address}"),
        None => match runtime::load(super::run::config_file(args.config.as_deref()), &Environment::of_process()) {
            Ok(config) => {
                let scheme = if config.http.tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{}", reachable(config.http.listen))
            }
            Err(findings) => {
                say(findings);
                return Exit::WrongUse;
            }
        },
    };
    let path = if args.live { "/v1/health/live" } else { "/v1/health/ready" };
    let answered = match async_runtime() {
        Ok(runtime) => runtime.block_on(get(&format!("{address}{path}"))),
        Err(error) => {
            say(error);
            return Exit::Failed;
        }
    };
    match answered {
        Ok((StatusCode::OK, _)) => Exit::Done,
        Ok((status, body)) => {
            say(format_args!("{address} answers {status}: {body}"));
            Exit::Failed
        }
        Err(error) => {
            say(format_args!("{address} does not answer: {error}"));
            Exit::Failed
        }
    }
}

/// A service that listens on every address is asked on the loopback one.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let is_v4 = listen.is_ipv4();
    match (listen.ip().is_unspecified(), is_v4) {
        (false, _) => listen,
        (true, true) => SocketAddr::from(([127, 0, 0, 1], listen.port())),
        (true, false) => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, listen.port())),
    }
}

/// Asks once, for status and body.
async fn get(url: &str) -> reqwest::Result<(StatusCode, String)> {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        // A service is asked by an address that its certificate does not name, and is told nothing.
        .tls_danger_accept_invalid_certs(true)
        .build()?;
    let answer = client.get(url).send().await?;
    Ok((answer.status(), answer.text().await?))
}
