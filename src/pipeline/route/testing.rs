//! Routers over fakes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::provider::{Provider, Signal};
use super::router::Router;
use super::settings::{Ceilings, Strategy};
use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};
use crate::ports::model::{Call, CallError, CallSettings, CallSpec, FakeModel, Finish, Model, Reply};
use crate::telemetry::metrics::Metrics;

/// Ceilings and retries of one fake provider.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) ceilings: Ceilings,
    pub(crate) max_retries: u32,
}

/// A router over these models, in this order.
pub(crate) fn router(models: Vec<(Arc<dyn Model>, Limits)>, strategy: Strategy) -> Router {
    let (metrics, signal) = (Metrics::default(), Signal::default());
    let provider = |(model, limits): (Arc<dyn Model>, Limits)| {
        let of = metrics.provider(model.name());
        Arc::new(Provider::new(model, limits.ceilings, limits.max_retries, of, signal.clone()))
    };
    let members = models.into_iter().map(provider).collect();
    Router::new(members, strategy, signal)
}

/// A router over one model that is asked once.
pub(crate) fn router_to(model: Arc<dyn Model>) -> Router {
    router(vec![(model, Limits::default())], Strategy::default())
}

/// A specification that asks for nothing in particular.
pub(crate) fn call_spec() -> CallSpec {
    CallSpec::new(CallSettings {
        instructions: String::new(),
        closing_instructions: String::new(),
        schema_name: "s".to_owned(),
        schema: serde_json::json!({}),
        data_schema: None,
        temperature: None,
        max_tokens: None,
    })
}

/// What a scripted model was asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) errors: Option<String>,
}

type Outcome = Result<Reply, CallError>;

/// A model with a name, a price and a script; after the script its last outcome is repeated.
pub(crate) struct Scripted {
    name: &'static str,
    usd_per_call: f64,
    latency: Duration,
    script: Mutex<VecDeque<Outcome>>,
    asked: Mutex<Vec<Asked>>,
}

impl Scripted {
    pub(crate) fn new(name: &'static str, script: impl IntoIterator<Item = Outcome>) -> Arc<Self> {
        Self::with(name, 1.0, Duration::ZERO, script)
    }

    pub(crate) fn with(
        name: &'static str,
        usd_per_call: f64,
        latency: Duration,
        script: impl IntoIterator<Item = Outcome>,
    ) -> Arc<Self> {
        let script = Mutex::new(script.into_iter().collect());
        Arc::new(Self { name, usd_per_call, latency, script, asked: Mutex::default() })
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn calls(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Model for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn family(&self) -> &str {
        self.name
    }

    fn cost_usd(&self, _usage: Usage) -> f64 {
        self.usd_per_call
    }

    fn max_tokens(&self) -> u32 {
        100
    }

    fn ask<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Outcome> {
        let errors = call.correction.map(|correction| correction.errors.to_owned());
        let asked = Asked { at: Instant::now(), max_tokens: call.max_tokens, errors };
        self.asked.lock().unwrap().push(asked);
        let mut script = self.script.lock().unwrap();
        let outcome = if script.len() > 1 { script.pop_front() } else { script.front().cloned() };
        let latency = self.latency;
        Box::pin(async move {
            tokio::time::sleep(latency).await;
            outcome.unwrap_or_else(|| FakeModel::says("{}"))
        })
    }
}

pub(crate) fn finished(finish: Finish, text: &str) -> Outcome {
    FakeModel::says(text).map(|reply| Reply { finish, ..reply })
}

pub(crate) fn fails(code: Code) -> Outcome {
    Err(CallError::transient(Failure::new(code, "as told")))
}

pub(crate) fn fails_for(code: Code, pause: Duration) -> Outcome {
    Err(CallError::transient(Failure::new(code, "as told").retry_after(Some(pause))))
}
