//! `healthcheck`: the health endpoint from the inside, for images without curl.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use super::{Exit, say};
use crate::config::Environment;
use crate::config::runtime;

const TIMEOUT: Duration = Duration::from_secs(2);

/// Ask the running service whether it is ready; exit 0 if it is.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Runtime configuration, for the address [default: config/structured-prompt.yaml if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address of the service; overrides the configuration.
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// Ask only whether the process lives.
    #[arg(long)]
    live: bool,
}

/// Asks once.
pub fn run(args: &Args) -> Exit {
    let address = match &args.address {
        Some(address) => address.clone(),
        None => match runtime::load(super::run::config_file(args.config.as_deref()), &Environment::of_process()) {
            Ok(config) => reachable(config.http.listen).to_string(),
            Err(findings) => {
                say(findings);
                return Exit::WrongUse;
            }
        },
    };
    let path = if args.live { "/v1/health/live" } else { "/v1/health/ready" };
    match get(&address, path) {
        Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => Exit::Done,
        Ok(answer) => {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
            say(format_args!("{address} answers {}: {body}", head.lines().next().unwrap_or("nothing")));
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

/// One request in HTTP/1.1. The whole answer is small, and a client library would be most of this command.
fn get(address: &str, path: &str) -> io::Result<String> {
    let unresolved = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let resolved = address.to_socket_addrs()?.next().ok_or_else(unresolved)?;
    let mut stream = TcpStream::connect_timeout(&resolved, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 << 10).read_to_string(&mut answer)?;
    Ok(answer)
}
