//! Where HTTP listens, and the certificate that encrypted connections show.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::errors::AppError;
use super::lifecycle::Service;
use crate::file_watch::FromFiles;
use crate::http::server::{self, Listener};
use crate::http::settings::HttpSettings;
use crate::http::state::ApiState;
use crate::http::tls::Certificate;
use crate::http::{redirect, router};
use crate::open_files::OpenFiles;
use crate::ports::health::Health;
use crate::tasks::Tasks;

/// Administrators are few.
const ADMIN_CONNECTIONS: usize = 64;
/// Each is there for one short answer.
const REDIRECT_CONNECTIONS: usize = 256;

/// Addresses that are ours, and not served yet.
pub(super) struct Listeners {
    api: Listener,
    /// Where the API listens, with the port that the system chose if the configuration has none.
    pub(super) address: SocketAddr,
    admin: Option<Listener>,
    /// The same of administrators, if they have an address of their own.
    pub(super) admin_address: Option<SocketAddr>,
    redirect: Option<Listener>,
    /// The same of clients that do not encrypt, where they are sent to where they must.
    pub(super) redirect_address: Option<SocketAddr>,
    /// The port that they are sent to.
    public_port: u16,
    certificate: Option<Arc<Certificate>>,
    serves_api: bool,
}

impl Listeners {
    /// Takes the addresses: without the API only that of health and metrics. No more connections are served than there are
    /// files for.
    pub(super) async fn bind(settings: &HttpSettings, files: OpenFiles, serves_api: bool) -> Result<Self, AppError> {
        let refused = |error: &dyn std::fmt::Display| AppError::Certificate(error.to_string());
        let certificate = match &settings.tls {
            Some(tls) => Some(Arc::new(Certificate::load(tls.files.clone()).map_err(|error| refused(&error))?)),
            None => None,
        };
        let tls = certificate.clone().map(Certificate::acceptor).transpose().map_err(|error| refused(&error))?;
        let (api, address) = bind("listen", settings.listen, tls.clone(), files.http_connections()).await?;
        let (mut admin, mut admin_address) = (None, None);
        if let Some(wanted) = settings.admin_listen.filter(|_| serves_api) {
            let (listener, address) = bind("admin_listen", wanted, tls, ADMIN_CONNECTIONS).await?;
            (admin, admin_address) = (Some(listener), Some(address));
            if settings.admin_key.is_none() {
                tracing::warn!("http.admin_listen serves nothing without a key; set STRUCTURED_PROMPT_HTTP__ADMIN_KEY");
            }
        }
        let (mut redirect, mut redirect_address) = (None, None);
        if let Some(wanted) = settings.redirect_listen.filter(|_| serves_api) {
            let (listener, address) = bind("redirect_listen", wanted, None, REDIRECT_CONNECTIONS).await?;
            (redirect, redirect_address) = (Some(listener), Some(address));
        }
        let public_port = settings.tls.as_ref().and_then(|tls| tls.public_port).unwrap_or(address.port());
        Ok(Self {
            api,
            address,
            admin,
            admin_address,
            redirect,
            redirect_address,
            public_port,
            certificate,
            serves_api,
        })
    }

    /// How the certificate is, if there is one.
    pub(super) fn health(&self) -> Option<Arc<dyn Health>> {
        self.certificate.clone().map(|certificate| certificate as Arc<dyn Health>)
    }

    /// The certificate, which is shown anew when its files change.
    pub(super) fn watched(&self) -> Option<Arc<dyn FromFiles>> {
        self.certificate.clone().map(|certificate| certificate as Arc<dyn FromFiles>)
    }

    /// Whether requests of clients are answered here, or only health and metrics shown.
    pub(super) fn serves_api(&self) -> bool {
        self.serves_api
    }

    /// Whether connections of clients and administrators are encrypted.
    pub(super) fn are_encrypted(&self) -> bool {
        self.certificate.is_some()
    }

    /// Begins to answer.
    pub(super) fn serve(self, state: &ApiState, tasks: &Tasks) -> Vec<Service> {
        let serve = |name, listener, router| {
            let stop = CancellationToken::new();
            let server = server::serve(listener, router, tasks.clone(), stop.clone());
            Service::new(name, tasks.service(server), stop, Ok)
        };
        let routes = if self.serves_api { router::router } else { router::operations_router };
        let mut services = vec![serve("HTTP server", self.api, routes(Arc::clone(state)))];
        services.extend(self.admin.map(|it| serve("admin server", it, router::admin_router(Arc::clone(state)))));
        services.extend(self.redirect.map(|it| serve("redirect server", it, redirect::router(self.public_port))));
        services
    }
}

/// Takes one address, which a setting of this key has.
async fn bind(
    key: &'static str,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    max_connections: usize,
) -> Result<(Listener, SocketAddr), AppError> {
    let refused = |source| AppError::Listen { key, address, source };
    let socket = server::bind(address).await.map_err(refused)?;
    let address = socket.local_addr().map_err(refused)?;
    Ok((Listener { socket, tls, max_connections }, address))
}
