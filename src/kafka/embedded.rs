//! librdkafka's mock cluster, inside the process and reachable over TCP. For demonstrations: it keeps everything in
//! memory, and a group's first assignment takes it three seconds.

use rdkafka::error::KafkaResult;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// A cluster of one broker that lives as long as this value.
pub struct EmbeddedCluster(MockCluster<'static, DefaultProducerContext>);

impl EmbeddedCluster {
    /// Starts the cluster and creates topics with their numbers of partitions.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start<'t>(topics: impl IntoIterator<Item = (&'t str, i32)>) -> KafkaResult<Self> {
        let cluster = MockCluster::new(1)?;
        for (topic, partitions) in topics {
            cluster.create_topic(topic, partitions, 1)?;
        }
        Ok(Self(cluster))
    }

    /// `host:port` of the broker.
    pub fn bootstrap_servers(&self) -> String {
        self.0.bootstrap_servers()
    }
}
