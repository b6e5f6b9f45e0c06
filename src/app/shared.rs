//! What the builders of all parts need.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::config::runtime::RuntimeConfig;
use crate::ports::clock::{Clock, SystemClock};
use crate::tasks::Tasks;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::traces::tracer::Tracer;

/// The configuration of the process, and what exists once in it.
pub(super) struct Shared {
    pub(super) runtime: RuntimeConfig,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) tasks: Tasks,
    /// Records traces, once their export is open.
    pub(super) tracer: Option<Arc<Tracer>>,
}

impl Shared {
    /// Of the process that has this configuration, with the clock of the system.
    pub(super) fn new(runtime: RuntimeConfig) -> Self {
        let (clock, metrics) = (Arc::new(SystemClock), Arc::new(Metrics::default()));
        Self { runtime, clock, metrics, tasks: Tasks::new(Handle::current()), tracer: None }
    }
}
