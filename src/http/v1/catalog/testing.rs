//! An API with a catalogue in memory, and the keys of two teams.
//!
//! - [`disturbed`]: what can happen to a change.

pub(crate) mod disturbed;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::Value;

use self::disturbed::DisturbedCatalog;
use crate::domain::tenant::Tenant;
use crate::http::auth::Authenticator;
use crate::http::testing::{Answer, Api, parts};
use crate::pipeline::definitions::Definitions;
use crate::pipeline::route::testing::Scripted;
use crate::ports::catalog::MemoryCatalog;
use crate::ports::clock::{Clock, ManualClock};
use crate::ports::keys::{Keys as _, MemoryKeys, NewKey};
use crate::ports::model::{CallError, Model, Reply};

/// Requests of two teams.
pub(crate) struct Teams {
    api: Api,
    clock: Arc<ManualClock>,
    red: String,
    blue: String,
    pub(crate) schemas: Arc<MemoryCatalog>,
    /// What happens to changes of schemas.
    pub(crate) schema_changes: Arc<DisturbedCatalog>,
    /// What happens to changes of templates.
    pub(crate) template_changes: Arc<DisturbedCatalog>,
}

impl Teams {
    /// An API over one model with this script.
    pub(crate) async fn new(script: impl IntoIterator<Item = Result<Reply, CallError>>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let keys = Arc::new(MemoryKeys::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let catalog = || Arc::new(MemoryCatalog::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let schemas = catalog();
        let [schema_changes, template_changes] =
            [Arc::clone(&schemas), catalog()].map(|catalog| Arc::new(DisturbedCatalog::new(catalog)));
        let mut parts = parts(&[Scripted::new("a", script) as Arc<dyn Model>]);
        let definitions =
            Definitions::new(Some(Arc::clone(&schema_changes) as _), Some(Arc::clone(&template_changes) as _));
        parts.analyzer.definitions = Arc::new(definitions);
        let authenticator = Authenticator::keys(Some(Arc::clone(&keys) as _), Arc::clone(&clock) as _, Arc::default());
        parts.authenticator = Arc::new(authenticator);
        let key = async |team: &str| {
            let tenant = Tenant::of_team(team).unwrap();
            let new = NewKey { tenant, name: team.to_owned(), rate_limit: 100_000, expires_at: None };
            keys.create(new).await.unwrap().0.expose().to_owned()
        };
        let (red, blue) = (key("red").await, key("blue").await);
        Self { api: Api::new(parts), clock, red, blue, schemas, schema_changes, template_changes }
    }

    /// A request of the first team.
    pub(crate) async fn red(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.send(&self.red, method, path, &[], body).await
    }

    /// A request of the other team.
    pub(crate) async fn blue(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.send(&self.blue, method, path, &[], body).await
    }

    /// A change by the first team, of the state with this tag.
    pub(crate) async fn put(&self, path: &str, etag: &str, body: &Value) -> Answer {
        self.change(Method::PUT, path, etag, Some(body)).await
    }

    /// The same with another method.
    pub(crate) async fn change(&self, method: Method, path: &str, etag: &str, body: Option<&Value>) -> Answer {
        self.send(&self.red, method, path, &[("if-match", etag)], body).await
    }

    /// A request of the first team with a header.
    pub(crate) async fn with(&self, method: Method, path: &str, header: (&str, &str)) -> Answer {
        self.send(&self.red, method, path, &[header], None).await
    }

    /// What the first team sees.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.red(Method::GET, path, None).await
    }

    /// Something new of the first team, and its answer.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> Answer {
        let answer = self.red(Method::POST, path, Some(body)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer
    }

    /// A body that need not be JSON, by the first team.
    pub(crate) async fn text(&self, path: &str, body: String) -> Answer {
        let request = Request::post(path).header("authorization", format!("Bearer {}", self.red));
        self.api.send(request.header("content-type", "application/json").body(body.into()).unwrap()).await
    }

    async fn send(
        &self,
        key: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        self.clock.advance(Duration::from_millis(1));
        let mut request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        for (name, value) in headers.iter().chain(&[("content-type", "application/json")]) {
            request = request.header(*name, *value);
        }
        self.api.send(request.body(body.map_or_else(Body::empty, |body| body.to_string().into())).unwrap()).await
    }
}

/// The ids of a list, in its order.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}
