//! The API over HTTP.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::errors::AppError;
use super::lifecycle::Service;
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

/// The API, which nobody can reach yet.
pub(super) struct Api(ApiState);

/// What the API is built from.
pub(super) struct Builder<'a> {
    pub(super) shared: &'a Shared,
    pub(super) engine: &'a Arc<Engine>,
    pub(super) providers: &'a Providers,
    pub(super) storage: &'a Storage,
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
                if keys.is_none() {
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
    /// Requests under way: told to stop, no other is begun.
    pub(super) fn open_requests(&self, tasks: &Tasks) -> Service {
        let (stop, requests) = (CancellationToken::new(), self.0.open_requests.clone());
        let stopped = stop.clone();
        let end = async move {
            stopped.cancelled().await;
            requests.close();
            requests.wait().await;
        };
        Service::new("HTTP requests", tasks.service(end), stop, Ok)
    }

    /// Begins to answer.
    pub(super) fn serve(self, listeners: Listeners, tasks: &Tasks) -> Vec<Service> {
        let stop = CancellationToken::new();
        let watch = Arc::clone(&self.0.authenticator).watch(stop.clone());
        let watch = Service::new("key watch", tasks.service(watch), stop, Ok);
        let mut services = listeners.serve(&self.0, tasks);
        services.push(watch);
        services
    }
}
