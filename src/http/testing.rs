//! The routes without a network, for tests.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;

use super::router::router;
use super::settings::HttpSettings;
use super::state::ApiState;
use crate::domain::health::Component;
use crate::ports::answers::FakeAnswers;
use crate::ports::health::Health;

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

pub(crate) fn state() -> ApiState {
    let settings = HttpSettings { listen: ([127, 0, 0, 1], 0).into(), max_connections: 8, max_body_bytes: 1 << 20 };
    let (health, cache) = (Arc::new(Nothing), Arc::new(FakeAnswers::default()));
    ApiState { settings, health, cache, metrics: Arc::default(), started_at: Instant::now() }
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::of(router(state()))
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
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The code of a problem, whose form is checked.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert_eq!(problem["type"], "about:blank");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem["code"].as_str().unwrap().to_owned()
    }
}
