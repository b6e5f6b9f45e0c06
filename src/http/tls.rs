//! The certificate that encrypted connections show, read again when its files change: TLS 1.3, and HTTP/1.1 in it.
//! No error and no log line quotes a file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig, version};
use tokio_util::sync::CancellationToken;

use super::settings::TlsFiles;
use crate::domain::health::{Component, Status};
use crate::ports::health::Health;

/// How often the files are looked at. Whatever replaces them does so rarely, and waits for nobody.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// For a year browsers ask for nothing of this host without encryption.
const ONLY_ENCRYPTED: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Why a certificate and a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read: {why}; check the path and its permissions", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
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
    let read = |path: &Path| std::fs::read(path).map_err(|error| unreadable(path, &error));
    Contents { certificates: read(&files.cert_file)?, key: read(&files.key_file)? }.pair(files)
}

/// The certificate in use.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
    /// Why what is in the files now is not in use.
    problem: Mutex<Option<TlsError>>,
}

/// What stands in both files.
struct Contents {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl Contents {
    /// Read beside the workers of the runtime: a disk may be slow, or at the other end of a network.
    async fn of(TlsFiles { cert_file, key_file }: &TlsFiles) -> Result<Self, TlsError> {
        let read = async |path: &Path| tokio::fs::read(path).await.map_err(|error| unreadable(path, &error));
        Ok(Self { certificates: read(cert_file).await?, key: read(key_file).await? })
    }

    /// Tells contents apart without keeping them.
    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.certificates.len().to_le_bytes());
        digest.update(&self.certificates);
        digest.update(&self.key);
        digest.finalize().into()
    }

    fn pair(&self, files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificates).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| TlsError::NoCertificate(files.cert_file.clone()))?;
        // The library's error would quote the line.
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| TlsError::NoKey(files.key_file.clone()))?;
        CertifiedKey::from_der(chain, key, &cryptography())
            .map_err(|error| TlsError::NoPair { files: Box::new(files.clone()), why: error.to_string() })
    }
}

fn unreadable(path: &Path, error: &io::Error) -> TlsError {
    TlsError::Unreadable { path: path.to_owned(), why: error.to_string() }
}

fn cryptography() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

impl Certificate {
    /// Reads it for the first time.
    ///
    /// # Errors
    /// [`TlsError`].
    pub async fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = RwLock::new(Arc::new(Contents::of(&files).await?.pair(&files)?));
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

    /// Takes what is in the files whenever that has changed, until `stop`. What cannot be used is said, and the former
    /// certificate stays.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let (mut taken, mut seen) = (None, None);
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            let contents = Contents::of(&self.files).await;
            let digest = contents.as_ref().ok().map(Contents::digest);
            // Two files are not replaced at once, so a change is believed when it has lasted from one look to the next.
            let has_lasted = seen.replace(digest) == Some(digest);
            if has_lasted && taken != Some(digest) {
                taken = Some(digest);
                self.take(contents.and_then(|contents| contents.pair(&self.files)));
            }
        }
    }

    fn take(&self, read: Result<CertifiedKey, TlsError>) {
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
