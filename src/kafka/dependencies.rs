//! What each of a connector's consumers works with.

use std::sync::Arc;

use super::handler::RecordHandler;
use super::settings::{KafkaSettings, TopicSettings};
use super::status::MemberStatus;
use crate::delivery::outcome::Observer;
use crate::tasks::Tasks;
use crate::telemetry::metrics::ConnectorMetrics;

/// The parts that one member of a connector's consumer group is given.
#[derive(Clone)]
pub struct Dependencies {
    /// The connector's name.
    pub name: Arc<str>,
    /// Which of the connector's consumers in this process it is; the first is 0.
    pub consumer: usize,
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
    /// The parts of each of the connector's consumers. They share the pipeline and the metrics; each has its own
    /// status, its share of `max_in_flight`, and as a static member its own name.
    pub fn for_consumers(&self) -> Vec<Self> {
        let of_consumer = |consumer| Self {
            consumer,
            kafka: self.kafka.of_consumer(consumer),
            topics: self.topics.of_consumer(consumer),
            status: Arc::new(MemberStatus::new(Arc::clone(&self.name))),
            ..self.clone()
        };
        (0..self.topics.consumers).map(of_consumer).collect()
    }

    /// The brokers that the clients ask, for the log.
    pub(super) fn brokers(&self) -> String {
        self.kafka.brokers.join(",")
    }
}
