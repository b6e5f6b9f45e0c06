//! The `http` section.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::config::section::Section;
use crate::config::values::{integer, socket_address};
use crate::http::settings::HttpSettings;

/// Health, metrics and the API listen here: reachable from this machine only, until someone decides otherwise.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Some 100 MB of buffers when all of them are used, and far more than one process answers.
const DEFAULT_CONNECTIONS: u32 = 8192;
/// A mebibyte holds the prompts of a batch of ordinary size.
const DEFAULT_BODY_KB: u32 = 1024;

pub(super) fn read(mut section: Section<'_>) -> HttpSettings {
    let listen = section.get("listen", socket_address).unwrap_or(DEFAULT_LISTEN);
    let max_connections = section.get("max_connections", integer(1..=1_000_000)).unwrap_or(DEFAULT_CONNECTIONS);
    let max_body_kb = section.get("max_body_kb", integer(1..=102_400)).unwrap_or(DEFAULT_BODY_KB);
    section.finish();
    HttpSettings { listen, max_connections: max_connections as usize, max_body_bytes: max_body_kb as usize * 1024 }
}
