//! What a user chooses about HTTP.

use std::net::SocketAddr;

/// The `http` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpSettings {
    /// Address to listen on. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Connections at once; others wait to be accepted.
    pub max_connections: usize,
    /// Largest body of a request.
    pub max_body_bytes: usize,
}
