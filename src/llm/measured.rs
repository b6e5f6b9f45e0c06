//! A provider whose calls are counted.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::domain::answer::Usage;
use crate::domain::failure::Failure;
use crate::ports::model::{Call, Model, Reply};
use crate::telemetry::metrics::Metrics;

/// Passes every call on and records its outcome, duration, tokens and cost.
pub struct Measured {
    model: Arc<dyn Model>,
    metrics: Arc<Metrics>,
}

impl Measured {
    /// `model`, with its calls counted in `metrics`.
    pub fn new(model: Arc<dyn Model>, metrics: Arc<Metrics>) -> Self {
        Self { model, metrics }
    }
}

impl Model for Measured {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn family(&self) -> &str {
        self.model.family()
    }

    fn cost_usd(&self, usage: Usage) -> f64 {
        self.model.cost_usd(usage)
    }

    fn ask<'a>(&'a self, call: &'a Call<'a>) -> BoxFuture<'a, Result<Reply, Failure>> {
        Box::pin(async move {
            let began_at = Instant::now();
            let outcome = self.model.ask(call).await;
            let usage = outcome.as_ref().map(|reply| reply.usage).map_err(|failure| failure.code);
            let cost = usage.map_or(0.0, |usage| self.model.cost_usd(usage));
            self.metrics.call(self.model.name(), usage, cost, began_at.elapsed());
            outcome
        })
    }
}
