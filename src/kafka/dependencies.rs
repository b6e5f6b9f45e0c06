//! What a connector works with.

use std::sync::Arc;

use super::handler::RecordHandler;
use super::settings::{KafkaSettings, TopicSettings};
use super::status::MemberStatus;
use crate::delivery::outcome::Observer;
use crate::tasks::Tasks;
use crate::telemetry::metrics::ConnectorMetrics;

/// The parts that one connector is given.
pub struct Dependencies {
    /// Its name.
    pub name: Arc<str>,
    /// The cluster.
    pub kafka: KafkaSettings,
    /// Its topics and order.
    pub topics: TopicSettings,
    /// Its pipeline.
    pub handler: Arc<RecordHandler>,
    /// Where its asking tasks run.
    pub tasks: Tasks,
    /// Its metrics.
    pub metrics: ConnectorMetrics,
    /// What it says about itself.
    pub status: Arc<MemberStatus>,
    /// Who is told of finished records.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Dependencies {
    /// The brokers that the clients ask, for the log.
    pub(super) fn brokers(&self) -> String {
        self.kafka.brokers.join(",")
    }
}
