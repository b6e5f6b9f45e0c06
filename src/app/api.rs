//! The API over HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::errors::AppError;
use super::lifecycle::{LEAVE, Part, Service};
use super::listeners::Listeners;
use super::providers::Providers;
use super::shared::Shared;
use super::storage::Storage;
use crate::http::admin::seen::AdminSeen;
use crate::http::auth::Authenticator;
use crate::http::health::show_in_metrics;
use crate::http::request_log::RequestLogger;
use crate::http::settings::{Auth, HttpSettings, RateLimitStore};
use crate::http::state::{ApiParts, ApiState};
use crate::http::v1::analyzer::Analyzer;
use crate::http::v1::specs::{SpecDefaults, Specs};
use crate::pipeline::definitions::Definitions;
use crate::pipeline::engine::Engine;
use crate::ports::health::Health;
use crate::ports::rate_limits::{MemoryRateLimits, RateLimits};
use crate::tasks::Tasks;
use crate::telemetry::logging;

/// How long requests under way may go on after the grace: as long as connectors commit and leave their groups, but for
/// the moment in which those that are given up are answered.
const BESIDE_LEAVING: Duration = LEAVE.saturating_sub(Duration::from_secs(1));

/// The API, which nobody can reach yet.
pub(super) struct Api(ApiState);

/// What the API is built from.
pub(super) struct Builder<'a> {
    pub(super) shared: &'a Shared,
    pub(super) engine: &'a Arc<Engine>,
    pub(super) providers: &'a Providers,
    pub(super) storage: &'a Storage,
    /// Whether requests are answered, or only health and metrics shown.
    pub(super) serves_api: bool,
}

impl Builder<'_> {
    /// Builds the API, which shows how these parts are doing.
    pub(super) fn build(&self, health: Arc<dyn Health>) -> Result<Api, AppError> {
        let state = self.state(health)?;
        show_in_metrics(&state);
        Ok(Api(state))
    }

    fn rate_limits(&self) -> Arc<dyn RateLimits> {
        let shared = match self.shared.runtime.http.rate_limits {
            RateLimitStore::Auto => self.storage.cache.rate_limits(),
            RateLimitStore::Memory => None,
        };
        shared.unwrap_or_else(|| Arc::new(MemoryRateLimits::default()))
    }

    /// What handlers share.
    fn state(&self, health: Arc<dyn Health>) -> Result<ApiState, AppError> {
        let Shared { runtime, clock, metrics, .. } = self.shared;
        let settings = runtime.http.clone();
        let kept = self.storage.repositories.as_ref();
        let keys = kept.map(|kept| Arc::clone(&kept.keys));
        let authenticator = match settings.auth {
            Auth::Off => Authenticator::off(Arc::clone(metrics)),
            Auth::Keys => {
                if keys.is_none() && self.serves_api {
                    tracing::warn!(
                        "the store keeps no keys, so nobody may ask over HTTP; set store.url to a database, or http.auth to off"
                    );
                }
                Authenticator::keys(keys.clone(), Arc::clone(clock), Arc::clone(metrics))
            }
        };
        Ok(Arc::new(ApiParts {
            settings,
            health,
            cache: self.storage.cache.tiers(),
            metrics: Arc::clone(metrics),
            clock: Arc::clone(clock),
            tracer: self.shared.tracer.clone(),
            audit: Arc::clone(&self.storage.audit),
            admin_seen: AdminSeen::default(),
            started_at: Instant::now(),
            authenticator: Arc::new(authenticator),
            keys,
            idempotency: kept.map(|kept| Arc::clone(&kept.idempotency)),
            tasks: self.shared.tasks.clone(),
            providers: self.providers.known(runtime),
            rate_limits: self.rate_limits(),
            request_log: kept.map(|kept| RequestLogger {
                log: Arc::clone(&kept.request_log),
                store_text: runtime.request_log.store_text,
            }),
            request_history: kept.map(|kept| Arc::clone(&kept.request_history)),
            open_requests: TaskTracker::new(),
            log_level: logging::installed(),
            requests_given_up: CancellationToken::new(),
            analyzer: analyzer(self.shared, self.engine, self.providers, &self.storage.definitions)?,
        }))
    }
}

/// What takes requests to their answers.
pub(super) fn analyzer(
    shared: &Shared,
    engine: &Arc<Engine>,
    providers: &Providers,
    definitions: &Arc<Definitions>,
) -> Result<Analyzer, AppError> {
    let runtime = &shared.runtime;
    let HttpSettings { max_prompt_chars, patterns, timeout, .. } = runtime.http;
    let defaults = SpecDefaults { max_prompt_chars, patterns, cache_ttl: runtime.cache.ttl };
    let specs = Specs::new(providers.asked_by_clients(&runtime.routing)?, defaults, shared.tasks.clone());
    Ok(Analyzer { engine: Arc::clone(engine), specs, definitions: Arc::clone(definitions), timeout })
}

impl Api {
    /// Requests under way.
    pub(super) fn open_requests(&self, tasks: &Tasks) -> OpenRequests {
        OpenRequests::new(self.0.open_requests.clone(), self.0.requests_given_up.clone(), tasks)
    }

    /// Begins to answer.
    pub(super) fn serve(self, listeners: Listeners, tasks: &Tasks) -> Vec<Service> {
        if !listeners.serves_api() {
            return listeners.serve(&self.0, tasks);
        }
        let stop = CancellationToken::new();
        let watch = Arc::clone(&self.0.authenticator).watch(stop.clone());
        let watch = Service::new("key watch", tasks.service(watch), stop, Ok);
        let mut services = listeners.serve(&self.0, tasks);
        services.push(watch);
        services
    }
}

/// Requests under way. Told to stop, no other is begun; those that are not answered in time are given up, so that their
/// clients hear of it before the process ends.
pub(super) struct OpenRequests {
    grace: watch::Sender<Option<Duration>>,
    ended: BoxFuture<'static, Result<(), String>>,
}

impl OpenRequests {
    fn new(requests: TaskTracker, given_up: CancellationToken, tasks: &Tasks) -> Self {
        let (grace, mut stopped) = watch::channel(None);
        let end = async move {
            let grace = stopped.wait_for(Option::is_some).await.ok().and_then(|grace| *grace).unwrap_or_default();
            requests.close();
            if timeout(grace + BESIDE_LEAVING, requests.wait()).await.is_err() {
                given_up.cancel();
                requests.wait().await;
            }
        };
        let ended = tasks.service(end).map(|end| end.map_err(|panic| panic.to_string())).boxed();
        Self { grace, ended }
    }
}

impl Part for OpenRequests {
    fn name(&self) -> String {
        "HTTP requests".to_owned()
    }

    fn stop(&self, grace: Duration) {
        self.grace.send_replace(Some(grace));
    }

    fn done(&mut self) -> BoxFuture<'_, Result<(), String>> {
        (&mut self.ended).boxed()
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;

    const GRACE: Duration = Duration::from_secs(20);

    fn part(requests: &TaskTracker, given_up: &CancellationToken) -> OpenRequests {
        OpenRequests::new(requests.clone(), given_up.clone(), &Tasks::new(Handle::current()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_outlives_the_grace_is_given_up_before_the_process_ends() {
        let (requests, given_up) = (TaskTracker::new(), CancellationToken::new());
        let (mut part, open) = (part(&requests, &given_up), requests.token());
        part.stop(GRACE);
        assert!(timeout(GRACE + BESIDE_LEAVING / 2, part.done()).await.is_err());
        assert!(requests.is_closed() && !given_up.is_cancelled(), "it has time");
        timeout(LEAVE, given_up.cancelled()).await.expect("it is given up");
        assert!(timeout(Duration::from_millis(10), part.done()).await.is_err(), "it has still to be answered");
        drop(open);
        part.done().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_given_up_when_all_requests_are_answered_in_time() {
        let (requests, given_up) = (TaskTracker::new(), CancellationToken::new());
        let (mut part, open) = (part(&requests, &given_up), requests.token());
        assert!(timeout(60 * GRACE, part.done()).await.is_err(), "nobody has told it to stop");
        part.stop(GRACE);
        drop(open);
        part.done().await.unwrap();
        assert!(!given_up.is_cancelled());
    }
}
