//! What handlers share.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::admin::seen::AdminSeen;
use super::auth::Authenticator;
use super::problem::Problem;
use super::request_log::RequestLogger;
use super::settings::HttpSettings;
use super::v1::analyzer::Analyzer;
use super::v1::provider_list::KnownProvider;
use crate::ports::answer_cache::AnswerCache;
use crate::ports::audit::AuditLog;
use crate::ports::clock::Clock;
use crate::ports::health::Health;
use crate::ports::idempotency::Idempotency;
use crate::ports::keys::Keys;
use crate::ports::rate_limits::RateLimits;
use crate::ports::request_log::RequestHistory;
use crate::tasks::Tasks;
use crate::telemetry::log_level::LogLevel;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::traces::tracer::Tracer;

/// The state of the API.
pub type ApiState = Arc<ApiParts>;

/// What the API is made of.
pub struct ApiParts {
    /// What the user chose.
    pub settings: HttpSettings,
    /// The parts that report how they are.
    pub health: Arc<dyn Health>,
    /// Remembered answers.
    pub cache: Arc<dyn AnswerCache>,
    /// The metrics to show and to count requests in.
    pub metrics: Arc<Metrics>,
    /// Records what becomes of requests, where the user wants traces.
    pub tracer: Option<Arc<Tracer>>,
    /// Takes security events down.
    pub audit: Arc<dyn AuditLog>,
    /// When the admin key was last noticed.
    pub admin_seen: AdminSeen,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Start of the process.
    pub started_at: Instant,
    /// Says who makes a request.
    pub authenticator: Arc<Authenticator>,
    /// Keys, if the store keeps them.
    pub keys: Option<Arc<dyn Keys>>,
    /// Requests that are answered once, if the store keeps them.
    pub idempotency: Option<Arc<dyn Idempotency>>,
    /// Where a request is finished whose client has gone.
    pub tasks: Tasks,
    /// Who can be asked.
    pub providers: Vec<KnownProvider>,
    /// How much they may ask.
    pub rate_limits: Arc<dyn RateLimits>,
    /// Takes requests down, where there is a place for it.
    pub request_log: Option<RequestLogger>,
    /// What was taken down of requests, if the store keeps it.
    pub request_history: Option<Arc<dyn RequestHistory>>,
    /// Requests that are under way. Closed when the process is about to end.
    pub open_requests: TaskTracker,
    /// What is logged, if it can be changed.
    pub log_level: Option<LogLevel>,
    /// Cancelled shortly before the process ends: requests that are still under way are answered without a result.
    pub requests_given_up: CancellationToken,
    /// Answers prompts.
    pub analyzer: Analyzer,
}

impl ApiParts {
    /// Whether a provider has this name.
    pub(super) fn is_provider(&self, name: &str) -> bool {
        self.providers.iter().any(|known| &**known.provider.name() == name)
    }

    /// Does work that must not be left half done: to its end, though the client has gone or the process is ending.
    ///
    /// # Errors
    /// `internal_error` if it panics.
    pub(super) async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Problem> {
        let open = self.open_requests.token();
        let work = async move {
            let done = work.await;
            drop(open);
            done
        };
        self.tasks.side_work(work.in_current_span()).await.map_err(|_panicked| Problem::defect())
    }

    /// Does work that keeps a core busy for milliseconds, beside the threads that serve requests.
    ///
    /// # Errors
    /// `internal_error` if it panics.
    pub(super) async fn computed<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        self.tasks.computation(work).await.map_err(|_panicked| Problem::defect())
    }

    /// Whether prompts and answers are taken down as well.
    pub(super) fn stores_text(&self) -> bool {
        self.request_log.as_ref().is_some_and(|logger| logger.store_text)
    }
}
