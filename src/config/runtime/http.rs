//! The `http` section.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::config::section::Section;
use crate::config::values::socket_address;
use crate::http::settings::HttpSettings;

/// Health, metrics and the API listen here: reachable from this machine only, until someone decides otherwise.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

pub(super) fn read(mut section: Section<'_>) -> HttpSettings {
    let listen = section.get("listen", socket_address).unwrap_or(DEFAULT_LISTEN);
    section.finish();
    HttpSettings { listen }
}
