//! What a user chooses about HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;

use crate::file_watch::current_secret::CurrentSecret;
use crate::pipeline::spec::PatternPolicy;

/// The `http` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Address to listen on. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address for `/admin` alone, which is then not at the other one.
    pub admin_listen: Option<SocketAddr>,
    /// How connections are encrypted, if they are.
    pub tls: Option<TlsSettings>,
    /// Address from which clients that do not encrypt are sent to the other one.
    pub redirect_listen: Option<SocketAddr>,
    /// Who may ask.
    pub auth: Auth,
    /// What opens `/admin`; without it there is none.
    pub admin_key: Option<CurrentSecret>,
    /// Which web pages may ask from a browser; without it none may.
    pub cors: Option<CorsSettings>,
    /// Connections at once; others wait to be accepted.
    pub max_connections: usize,
    /// Largest body of a request.
    pub max_body_bytes: usize,
    /// Longest prompt in characters, after normalisation.
    pub max_prompt_chars: usize,
    /// How long a request waits for its answer that does not say.
    pub timeout: Duration,
    /// Where requests of keys are counted.
    pub rate_limits: RateLimitStore,
    /// What to do with suspicious input.
    pub patterns: PatternPolicy,
}

/// How connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// What they show.
    pub files: TlsFiles,
    /// The port of URLs that lead to the encrypted address, where something in between maps it.
    pub public_port: Option<u16>,
    /// Whether browsers are told to ask for nothing of the host without encryption (HSTS).
    pub hsts: bool,
}

/// A certificate with its chain, and its key: two PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those between it and its root.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Whoever has a key.
    Keys,
    /// Everybody who reaches the address, which must be a loopback one.
    Off,
}

/// Which web pages may ask from a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsSettings {
    /// Where they come from.
    pub origins: Origins,
    /// Whether a browser may send what it keeps for its user: cookies, certificates, passwords.
    pub credentials: bool,
    /// How long a browser remembers what it may ask.
    pub max_age: Duration,
}

/// Where web pages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// From anywhere.
    Any,
    /// From one of these, each written as browsers write it: `https://app.example.com`.
    These(Vec<HeaderValue>),
}

/// Where requests of keys are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimitStore {
    /// In the Redis of the cache for all processes together, where there is one.
    Auto,
    /// In each process for itself.
    Memory,
}
