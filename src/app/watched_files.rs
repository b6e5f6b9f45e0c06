//! Secrets and certificates that stand in files: they are read again when those change.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::lifecycle::Service;
use crate::config::runtime::RuntimeConfig;
use crate::file_watch::current_secret::CurrentSecret;
use crate::file_watch::{self, FromFiles};
use crate::ports::health::Health;
use crate::tasks::Tasks;

/// What is made of files.
pub(super) struct WatchedFiles {
    secrets: Vec<Arc<CurrentSecret>>,
    certificate: Option<Arc<dyn FromFiles>>,
}

impl WatchedFiles {
    /// The secrets of a configuration, and the certificate of HTTP, if there is one.
    pub(super) fn of(runtime: &RuntimeConfig, certificate: Option<Arc<dyn FromFiles>>) -> Self {
        Self { secrets: runtime.secrets().filter_map(CurrentSecret::watched).collect(), certificate }
    }

    /// How the secrets are. The certificate tells for itself.
    pub(super) fn health(&self) -> impl Iterator<Item = Arc<dyn Health>> {
        self.secrets.iter().map(|secret| Arc::clone(secret) as Arc<dyn Health>)
    }

    /// Begins to look at them.
    pub(super) fn watch(self, tasks: &Tasks) -> Service {
        let secrets = self.secrets.into_iter().map(|secret| secret as Arc<dyn FromFiles>);
        let stop = CancellationToken::new();
        let watch = file_watch::watch(secrets.chain(self.certificate).collect(), stop.clone());
        Service::new("file watch", tasks.service(watch), stop, Ok)
    }
}
