//! What a user chooses about HTTP.

use std::net::SocketAddr;

/// The `http` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpSettings {
    /// Address to listen on. Port 0 takes a free one.
    pub listen: SocketAddr,
}
