//! Why the process cannot start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::kafka::member::StartError;
use crate::llm::BuildError;

/// Why the process could not start. Each is a wrong configuration: waiting does not help.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A provider cannot be built.
    #[error(transparent)]
    Provider(#[from] BuildError),
    /// A connector names a provider that is not usable here.
    #[error("{}: {key}: provider `{provider}` is not usable; set its key, or name another", .path.display())]
    NoSuchProvider {
        /// The connector's file.
        path: PathBuf,
        /// The setting that names it.
        key: &'static str,
        /// The name that it gives.
        provider: String,
    },
    /// No provider is usable at all.
    #[error("routing.fallback: no provider is usable; set the key of one, or name `offline`, which needs none")]
    NobodyToAsk,
    /// No provider of a connector, or not its second one, can answer once for the connector's whole budget.
    #[error(
        "{}: options.budget.usd: an answer of {provider} may cost {need} USD, more than the budget; raise it, or lower \
         max_tokens",
        .path.display()
    )]
    BudgetTooSmall {
        /// The connector's file.
        path: PathBuf,
        /// The cheapest that is asked.
        provider: Arc<str>,
        /// What an answer of full length costs there, in US dollars.
        need: f64,
    },
    /// A connector names a schema or a template that is not there.
    #[error("{}: {message}", .path.display())]
    Definition {
        /// The connector's file.
        path: PathBuf,
        /// Which, and what to do.
        message: String,
    },
    /// A connector cannot start.
    #[error(transparent)]
    Connector(#[from] StartError),
    /// The database is not one that this program can work with; the sentence says what to do.
    #[error("store.url: {0}")]
    Store(String),
    /// Security events cannot be written where the user wants them; the sentence says which setting.
    #[error("{0}")]
    Audit(String),
    /// Traces cannot be exported; the sentence says which variable.
    #[error("{0}")]
    Traces(String),
    /// There is no cache that could be filled.
    #[error(
        "cache.redis_url: none is set, and the answers in memory end with this command; set it to the Redis that the service uses"
    )]
    NoSharedCache,
    /// The shared cache does not answer.
    #[error("cache.redis_url: {0}")]
    SharedCacheAway(String),
    /// The certificate of HTTP cannot be used.
    #[error("http.tls: {0}")]
    Certificate(String),
    /// An HTTP address cannot be bound.
    #[error("http.{key}: {address} cannot be bound: {source}; choose another address or stop what uses it")]
    Listen {
        /// The setting that has it.
        key: &'static str,
        /// The address as configured.
        address: SocketAddr,
        /// The system's words.
        source: std::io::Error,
    },
}
