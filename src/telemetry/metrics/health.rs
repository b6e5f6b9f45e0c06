//! How the process and its parts are doing.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::FloatGauge;
use crate::domain::health::{Component, Status};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfComponent {
    kind: &'static str,
    name: String,
}

/// The gauges of `GET /v1/health` and of the probe for readiness.
#[derive(Debug, Clone, Default)]
pub struct HealthMetrics {
    ready: Gauge,
    components: Family<OfComponent, FloatGauge>,
}

impl HealthMetrics {
    /// Shows how they are now. A part that is not named any more has no gauge.
    pub fn show(&self, is_ready: bool, components: Vec<Component>) {
        self.ready.set(i64::from(is_ready));
        self.components.clear();
        for Component { kind, name, status, .. } in components {
            self.components.get_or_create(&OfComponent { kind, name }).set(share(status));
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "ready",
            "1 while GET /v1/health/ready answers that the process is ready",
            self.ready.clone(),
        );
        let help = "How a part of the process is: 1 up, 0.5 degraded, 0 down";
        registry.register("component_health", help, self.components.clone());
    }
}

fn share(status: Status) -> f64 {
    match status {
        Status::Up => 1.0,
        Status::Degraded => 0.5,
        Status::Down => 0.0,
    }
}
