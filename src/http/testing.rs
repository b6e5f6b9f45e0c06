//! The routes without a network, for tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::admin::seen::AdminSeen;
use super::auth::Authenticator;
use super::router::router;
use super::settings::{Auth, HttpSettings, RateLimitStore};
use super::state::{ApiParts, ApiState};
use super::v1::analyzer::Analyzer;
use super::v1::provider_list::KnownProvider;
use super::v1::specs::{AskedProviders, SpecDefaults, Specs};
use crate::domain::health::Component;
use crate::pipeline::definitions::Definitions;
use crate::pipeline::engine::Engine;
use crate::pipeline::recall::Recall;
use crate::pipeline::route::provider::{Provider, Signal};
use crate::pipeline::route::settings::{Ceilings, Strategy};
use crate::pipeline::spec::PatternPolicy;
use crate::ports::answers::FakeAnswers;
use crate::ports::audit::AuditLogs;
use crate::ports::clock::ManualClock;
use crate::ports::health::Health;
use crate::ports::model::{FakeModel, Model};
use crate::ports::rate_limits::MemoryRateLimits;
use crate::tasks::Tasks;
use crate::telemetry::metrics::Metrics;

/// Nothing to report.
struct Nothing;

impl Health for Nothing {
    fn components(&self) -> Vec<Component> {
        Vec::new()
    }
}

/// A router for requests, one at a time.
pub(crate) struct Api(Router);

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// An API that everybody may ask, and that asks these models.
pub(crate) fn parts(models: &[Arc<dyn Model>]) -> ApiParts {
    parts_with(models, PatternPolicy::Reject)
}

/// The same, with this policy for suspicious input.
pub(crate) fn parts_with(models: &[Arc<dyn Model>], patterns: PatternPolicy) -> ApiParts {
    let (metrics, signal) = (Arc::new(Metrics::default()), Signal::default());
    let provider = |model: &Arc<dyn Model>| {
        let of = metrics.provider(model.name());
        Arc::new(Provider::new(Arc::clone(model), Ceilings::default(), 0, of, signal.clone()))
    };
    let fallback: Vec<_> = models.iter().map(provider).collect();
    let by_name: BTreeMap<_, _> = fallback.iter().map(|one| (Arc::clone(one.name()), Arc::clone(one))).collect();
    let providers =
        fallback.iter().map(|provider| KnownProvider { kind: "fake", provider: Arc::clone(provider) }).collect();
    let settings = HttpSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        admin_listen: None,
        tls: None,
        redirect_listen: None,
        auth: Auth::Off,
        admin_key: None,
        cors: None,
        max_connections: 8,
        max_body_bytes: 1 << 20,
        max_prompt_chars: 10_000,
        timeout: Duration::from_secs(30),
        rate_limits: RateLimitStore::Memory,
        patterns,
    };
    let HttpSettings { max_prompt_chars, patterns, timeout, .. } = settings;
    let defaults = SpecDefaults { max_prompt_chars, patterns, cache_ttl: Duration::from_secs(3600) };
    let (asked, tasks) =
        (AskedProviders { by_name, fallback, strategy: Strategy::Priority, signal }, Tasks::new(Handle::current()));
    let specs = Specs::new(asked, defaults, tasks.clone());
    let answers = Arc::new(FakeAnswers::default());
    let recall = Recall::new(Arc::clone(&answers) as _);
    let engine = Arc::new(Engine::new(recall, tasks.clone()));
    ApiParts {
        settings,
        health: Arc::new(Nothing),
        cache: Arc::clone(&answers) as _,
        clock: Arc::new(ManualClock::default()),
        tracer: None,
        audit: Arc::new(AuditLogs(Vec::new())),
        admin_seen: AdminSeen::default(),
        started_at: Instant::now(),
        keys: None,
        idempotency: None,
        tasks,
        providers,
        authenticator: Arc::new(Authenticator::off(Arc::clone(&metrics))),
        metrics,
        rate_limits: Arc::new(MemoryRateLimits::default()),
        request_log: None,
        request_history: None,
        open_requests: TaskTracker::new(),
        log_level: None,
        requests_given_up: CancellationToken::new(),
        analyzer: Analyzer { engine, specs, definitions: Arc::new(Definitions::new(None, None)), timeout },
    }
}

/// The same with a model that has nothing to say.
pub(crate) fn state() -> ApiState {
    Arc::new(parts(&[Arc::new(FakeModel::default())]))
}

impl Api {
    pub(crate) fn new(parts: ApiParts) -> Self {
        Self::of(router(Arc::new(parts)))
    }

    pub(crate) fn of(router: Router) -> Self {
        Self(router)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).await
    }

    pub(crate) async fn request(&self, method: &str, path: &str) -> Answer {
        self.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
    }

    /// Status, headers and body of what need not be text.
    pub(crate) async fn download(&self, path: &str) -> (StatusCode, HeaderMap, Bytes) {
        self.send_for_bytes(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// The same for a request with headers of its own.
    pub(crate) async fn send_for_bytes(&self, request: Request<Body>) -> (StatusCode, HeaderMap, Bytes) {
        let (parts, body) = self.0.clone().oneshot(request).await.unwrap().into_parts();
        (parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap())
    }

    /// Sends JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// Status and code of a problem, whose form is checked.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert_eq!(problem["type"], "about:blank");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        (self.status.as_u16(), problem["code"].as_str().unwrap().to_owned())
    }

    /// The places that a problem names.
    pub(crate) fn places(&self) -> Vec<String> {
        let problem = self.json();
        let places = problem["errors"].as_array().unwrap_or_else(|| panic!("{problem}"));
        places.iter().map(|place| place["pointer"].as_str().unwrap().to_owned()).collect()
    }
}
