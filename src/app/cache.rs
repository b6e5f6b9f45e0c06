//! The answer cache: memory, and Redis if the configuration names one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::errors::AppError;
use super::lifecycle::Service;
use super::shared::Shared;
use crate::cache::memory::MemoryAnswers;
use crate::cache::redis::RedisAnswers;
use crate::cache::tiers::Tiers;
use crate::domain::health::Status;
use crate::pipeline::recall::Recall;
use crate::ports::answer_cache::AnswerCache;
use crate::ports::answers::{Answers, SharedAnswers};
use crate::ports::health::Health;
use crate::ports::rate_limits::RateLimits;

/// How long the shared cache is waited for by those who can do nothing without it.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Its tiers.
pub(super) struct Cache {
    memory: Arc<MemoryAnswers>,
    redis: Option<Arc<RedisAnswers>>,
    folds_case: bool,
    /// The tasks that look after them.
    pub(super) services: Vec<Service>,
}

impl Cache {
    /// Opens it. A Redis that is away is done without.
    pub(super) fn open(shared: &Shared) -> Self {
        let (settings, metrics) = (&shared.runtime.cache, shared.metrics.cache());
        let memory = MemoryAnswers::new(settings.memory_bytes, Arc::clone(&shared.clock), metrics.clone());
        let memory = Arc::new(memory);
        let stop = CancellationToken::new();
        let sweep = shared.tasks.service(Arc::clone(&memory).sweep(stop.clone()));
        let mut services = vec![Service::new("cache sweep", sweep, stop, Ok)];
        let redis = settings.redis_url.as_ref().map(|url| {
            let stop = CancellationToken::new();
            let (redis, worker) = RedisAnswers::open(url, Arc::clone(&memory), metrics, stop.clone());
            services.push(Service::new("shared cache worker", shared.tasks.service(worker), stop, Ok));
            Arc::new(redis)
        });
        Self { memory, redis, folds_case: settings.fold_case, services }
    }

    /// What requests look remembered answers up in.
    pub(super) fn recall(&self) -> Recall {
        let recall = Recall::new(Arc::clone(&self.memory) as Arc<dyn Answers>).with_folded_case(self.folds_case);
        match &self.redis {
            Some(redis) => recall.with_shared(Arc::clone(redis) as Arc<dyn SharedAnswers>),
            None => recall,
        }
    }

    /// Waits for the shared cache, if there is one.
    ///
    /// # Errors
    /// [`AppError::SharedCacheAway`].
    pub(super) async fn connected(&self) -> Result<(), AppError> {
        let deadline = Instant::now() + CONNECT_LIMIT;
        loop {
            let components = self.health().into_iter().flat_map(|tier| tier.components());
            let Some(away) = components.into_iter().find(|tier| tier.status != Status::Up) else { return Ok(()) };
            if Instant::now() > deadline {
                return Err(AppError::SharedCacheAway(away.detail.unwrap_or_default()));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for the answers that were put so far. True if the shared cache, if there is one, has all of them.
    pub(super) async fn is_written(&self) -> bool {
        match &self.redis {
            Some(redis) => redis.has_taken_all().await,
            None => true,
        }
    }

    /// All tiers as one, for those who look after them.
    pub(super) fn tiers(&self) -> Arc<dyn AnswerCache> {
        Arc::new(Tiers::new(Arc::clone(&self.memory), self.redis.clone()))
    }

    /// Limits of keys for all processes that share the cache, if they share one.
    pub(super) fn rate_limits(&self) -> Option<Arc<dyn RateLimits>> {
        let redis = self.redis.as_ref()?;
        Some(Arc::new(redis.rate_limits()))
    }

    /// How the tiers are doing.
    pub(super) fn health(&self) -> Vec<Arc<dyn Health>> {
        let memory = Arc::clone(&self.memory) as Arc<dyn Health>;
        let redis = self.redis.iter().map(|redis| Arc::clone(redis) as Arc<dyn Health>);
        std::iter::once(memory).chain(redis).collect()
    }
}
