//! A session's clients, as they are against a real cluster: librdkafka's consumer and producer, and the threads beside
//! them for what blocks.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::callbacks::{self, Consumer, Producer};
use super::cluster::Ticket;
use super::cluster::{Cluster, ClusterError, Delivery, Done, Event, Received, Request};
use super::committer::Committer;
use super::configuration;
use super::messages;
use super::probe::Probe;
use crate::domain::record::Outgoing;
use crate::kafka::dependencies::Dependencies;
use crate::kafka::settings::SecretChanges;

/// How long the end of a session waits for its open transaction to be aborted.
const ABANDON: Duration = Duration::from_secs(5);

/// Calls without a report after which there is none left.
const MISSES: usize = 3;

/// The clients of one session.
pub(crate) struct KafkaCluster {
    // Dropped in this order: the threads hold the clients.
    _probe: Probe,
    committer: Committer,
    producer: Arc<Producer>,
    consumer: Arc<Consumer>,
    source_topics: Vec<Arc<str>>,
    membership: Option<ConsumerGroupMetadata>,
    secret_changes: SecretChanges,
}

/// Why there are no clients.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Client(#[from] KafkaError),
    #[error("no thread for the probe: {0}")]
    Thread(#[from] io::Error),
}

impl KafkaCluster {
    /// Builds the clients and asks to join the group.
    ///
    /// # Errors
    /// When an option is unknown or wrong, or the system has no thread to give.
    pub(crate) fn connect(deps: &Dependencies, transactional_id: Option<&str>) -> Result<Self, ConnectError> {
        let (topics, secret_changes) = (&deps.topics, deps.kafka.secret_changes());
        let consumer = configuration::consumer(deps)?;
        let producer = Arc::new(configuration::producer(deps, transactional_id)?);
        let sources: Vec<&str> = topics.source_topics.iter().map(|topic| &**topic).collect();
        consumer.subscribe(&sources)?;
        let consumer = Arc::new(consumer);
        Ok(Self {
            _probe: Probe::start(Arc::clone(&producer), deps)?,
            committer: Committer::start(&consumer, Arc::clone(&producer), &topics.group),
            producer,
            consumer,
            source_topics: topics.source_topics.clone(),
            membership: None,
            secret_changes,
        })
    }
}

impl Cluster for KafkaCluster {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn has_former_secret(&self) -> bool {
        self.secret_changes.are_there()
    }

    fn poll(&mut self, wait: Duration) -> Option<Result<Received, ClusterError>> {
        let message = self.consumer.poll(wait)?;
        let received = message.map(|message| messages::record(&message, &self.source_topics));
        Some(received.map_err(|error| match self.consumer.client().fatal_error() {
            // The error that is polled says only that there is one.
            Some((code, reason)) => ClusterError::fatal(code, reason),
            None => ClusterError::from(error),
        }))
    }

    fn event(&mut self) -> Option<Event> {
        self.consumer.context().take()
    }

    fn is_lost(&self) -> bool {
        self.consumer.assignment_lost()
    }

    fn assign(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError> {
        Ok(callbacks::assign(&self.consumer, list)?)
    }

    fn unassign(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError> {
        Ok(callbacks::unassign(&self.consumer, list)?)
    }

    fn pause(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError> {
        Ok(self.consumer.pause(list)?)
    }

    fn resume(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError> {
        Ok(self.consumer.resume(list)?)
    }

    fn note_membership(&mut self) -> bool {
        self.membership = self.consumer.group_metadata();
        self.membership.is_some()
    }

    fn close(&mut self) {
        self.consumer.context().close();
    }

    fn send(&mut self, topic: &str, outgoing: &Outgoing, ticket: Ticket) -> Result<(), RDKafkaErrorCode> {
        let sent = self.producer.send(messages::base_record(topic, outgoing, ticket));
        sent.map_err(|(error, _record)| error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown))
    }

    fn deliveries(&mut self) -> Vec<Delivery> {
        let (mut reports, mut misses) = (Vec::new(), 0);
        // One call serves one event, which may be another than a batch of reports (rdkafka 0.39, `BaseProducer::poll`).
        while misses < MISSES {
            self.producer.poll(Duration::ZERO);
            let mut new = self.producer.context().take();
            misses = if new.is_empty() { misses + 1 } else { 0 };
            reports.append(&mut new);
        }
        reports
    }

    fn fatal_error(&self) -> Option<RDKafkaErrorCode> {
        self.producer.client().fatal_error().map(|(code, _reason)| code)
    }

    fn denied_output(&self) -> Option<String> {
        self.producer.context().denied_output()
    }

    fn begin_transaction(&mut self) -> Result<(), ClusterError> {
        self.producer.context().forget_denied_output();
        Ok(self.producer.begin_transaction()?)
    }

    fn abandon_transaction(&mut self) -> Result<(), ClusterError> {
        Ok(self.producer.abort_transaction(ABANDON)?)
    }

    fn request(&mut self, request: Request) {
        self.committer.request(request, self.membership.take());
    }

    fn is_busy(&self) -> bool {
        self.committer.is_busy()
    }

    fn done(&mut self) -> Option<Done> {
        self.committer.done()
    }

    fn is_gone(&self) -> bool {
        self.committer.is_gone()
    }
}
