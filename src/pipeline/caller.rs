//! Who asks, who pays, and on whose counters it shows.

use std::sync::Arc;

use crate::domain::tenant::Tenant;
use crate::pipeline::budget::Budget;
use crate::telemetry::metrics::CallerMetrics;

/// A connector, or the holder of a key. What it has spent is remembered here, whatever is asked on its behalf.
pub struct Caller {
    tenant: Tenant,
    budget: Option<Arc<Budget>>,
    metrics: CallerMetrics,
}

impl Caller {
    /// A caller of this tenant, who may spend `budget`, if there is a limit.
    pub fn new(tenant: Tenant, budget: Option<Arc<Budget>>, metrics: CallerMetrics) -> Self {
        Self { tenant, budget, metrics }
    }

    /// Whose data it is.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// What it may spend, if there is a limit.
    pub(super) fn budget(&self) -> Option<&Budget> {
        self.budget.as_deref()
    }

    /// Its counters.
    pub(super) fn metrics(&self) -> &CallerMetrics {
        &self.metrics
    }

    /// Counts what a call cost, in US dollars.
    pub(super) fn paid(&self, usd: f64) {
        self.metrics.paid(usd);
    }
}
