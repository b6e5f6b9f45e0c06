//! Filling the shared cache: requests are answered to be remembered, with no connector and no server beside it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::api;
use super::cache::Cache;
use super::errors::AppError;
use super::lifecycle::Running;
use super::providers::Providers;
use super::shared::Shared;
use super::storage;
use crate::config::runtime::RuntimeConfig;
use crate::domain::tenant::Tenant;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::http::v1::analyzer::Analyzer;
use crate::http::v1::prompt_request::PromptRequest;
use crate::kafka::member::Member;
use crate::open_files::OpenFiles;
use crate::pipeline::caller::Caller;
use crate::pipeline::engine::Engine;
use crate::tasks::Tasks;
use crate::telemetry::traces::trace::Trace;

/// The name of the caller in metrics, which nobody reads here.
const CALLER: &str = "warm";

/// Answers requests, and leaves the answers in the shared cache.
pub struct Warmer {
    analyzer: Analyzer,
    caller: Arc<Caller>,
    cache: Cache,
    tasks: Tasks,
}

impl Warmer {
    /// One for the requests of a tenant, once the shared cache is there.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work, or a shared cache that does not answer.
    pub async fn start(runtime: RuntimeConfig, tenant: Tenant) -> Result<Self, AppError> {
        if runtime.cache.redis_url.is_none() {
            return Err(AppError::NoSharedCache);
        }
        let shared = Shared::new(runtime);
        let cache = Cache::open(&shared);
        let providers = Providers::build(&shared, &[], OpenFiles::raise(0, 0))?;
        let engine = Arc::new(Engine::new(cache.recall(), shared.tasks.clone()));
        let definitions = storage::definitions_alone(&shared).await?;
        let analyzer = api::analyzer(&shared, &engine, &providers, &definitions)?;
        let caller = Arc::new(Caller::new(tenant, None, shared.metrics.caller(CALLER)));
        cache.connected().await?;
        Ok(Self { analyzer, caller, cache, tasks: shared.tasks })
    }

    /// Answers one request, as `POST /v1/analyze` takes it. True if the answer was remembered before.
    ///
    /// # Errors
    /// What is wrong with the request, or why it has no answer.
    pub async fn answer(&self, body: Value) -> Result<bool, Problem> {
        let request = PromptRequest::of_body(body)?;
        let response =
            self.analyzer.answer(&request, &self.caller, &RequestId::generate(), None, Trace::default()).await?;
        Ok(response.is_cached())
    }

    /// True if all answers are in the shared cache.
    pub async fn finish(self) -> bool {
        let is_written = self.cache.is_written().await;
        Running::new(Vec::<Member>::new(), self.cache.services, self.tasks).drain(Duration::ZERO).await;
        is_written
    }
}
