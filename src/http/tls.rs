//! The certificate that encrypted connections show, read again when its files change: TLS 1.3, and HTTP/1.1 in it.
//! No error and no log line quotes a file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::http::{HeaderValue, header};
use axum::response::Response;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig, version};

use super::settings::TlsFiles;
use crate::domain::health::{Component, Status};
use crate::file_watch::{FromFiles, Unreadable};
use crate::ports::health::Health;

/// For a year browsers ask for nothing of this host without encryption.
const ONLY_ENCRYPTED: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Why a certificate and a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// No certificate is in the file.
    #[error("{} has no certificate; it must be in PEM form, the server's own first", .0.display())]
    NoCertificate(PathBuf),
    /// No key is in the file.
    #[error("{} has no private key; it must be in PEM form and not encrypted", .0.display())]
    NoKey(PathBuf),
    /// The key is that of another certificate, or of a kind that is not known.
    #[error("the key in {} does not fit the certificate in {}: {why}", .files.key_file.display(), .files.cert_file.display())]
    NoPair {
        /// Both files.
        files: Box<TlsFiles>,
        /// What the library says, which knows neither.
        why: String,
    },
}

/// Reads a certificate with its key.
///
/// # Errors
/// [`TlsError`].
pub fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let read =
        |path: &Path| std::fs::read(path).map_err(|error| Unreadable { path: path.to_owned(), why: error.to_string() });
    pair(files, &read(&files.cert_file)?, &read(&files.key_file)?)
}

/// The certificate in use.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
    /// Why what is in the files now is not in use.
    problem: Mutex<Option<TlsError>>,
}

fn pair(files: &TlsFiles, certificates: &[u8], key: &[u8]) -> Result<CertifiedKey, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| TlsError::NoCertificate(files.cert_file.clone()))?;
    // The library's error would quote the line.
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey(files.key_file.clone()))?;
    CertifiedKey::from_der(chain, key, &cryptography())
        .map_err(|error| TlsError::NoPair { files: Box::new(files.clone()), why: error.to_string() })
}

fn cryptography() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

impl Certificate {
    /// Reads it for the first time.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = RwLock::new(Arc::new(read(&files)?));
        Ok(Self { files, current, problem: Mutex::default() })
    }

    /// Encrypts connections with it.
    ///
    /// # Errors
    /// Never with the cryptography that is built in: it knows TLS 1.3.
    pub fn acceptor(self: Arc<Self>) -> Result<TlsAcceptor, rustls::Error> {
        let config = ServerConfig::builder_with_provider(Arc::new(cryptography()));
        let config = config.with_protocol_versions(&[&version::TLS13])?.with_no_client_auth();
        let mut config = config.with_cert_resolver(self);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn replace(&self, read: Result<CertifiedKey, TlsError>) {
        let problem = match read {
            Ok(pair) => {
                let pair = Arc::new(pair);
                let former = std::mem::replace(
                    &mut *self.current.write().unwrap_or_else(PoisonError::into_inner),
                    Arc::clone(&pair),
                );
                if former.cert != pair.cert {
                    tracing::info!(file = %self.files.cert_file.display(), "new connections show a new certificate");
                }
                None
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate cannot be used; the former one stays in use");
                Some(error)
            }
        };
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }
}

impl FromFiles for Certificate {
    fn paths(&self) -> Vec<PathBuf> {
        vec![self.files.cert_file.clone(), self.files.key_file.clone()]
    }

    fn take(&self, contents: Result<Vec<Vec<u8>>, Unreadable>) {
        self.replace(contents.map_err(TlsError::from).and_then(|contents| match contents.as_slice() {
            [certificates, key] => pair(&self.files, certificates, key),
            _ => Err(TlsError::NoCertificate(self.files.cert_file.clone())),
        }));
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Health for Certificate {
    fn components(&self) -> Vec<Component> {
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        vec![Component {
            kind: "http",
            name: "certificate".to_owned(),
            status: if problem.is_some() { Status::Degraded } else { Status::Up },
            latency: None,
            detail: problem.map(|problem| format!("{problem}; the former certificate stays in use")),
            facts: Vec::new(),
            is_ready: true,
            is_alive: true,
        }]
    }
}

/// Tells browsers that the host is to be asked over encrypted connections only (HSTS).
pub async fn only_encrypted(mut response: Response) -> Response {
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, ONLY_ENCRYPTED);
    response
}

#[cfg(test)]
mod tests;
