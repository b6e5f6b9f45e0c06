//! Callbacks of librdkafka, which only report: the loop that polls does the work.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, ProducerContext};
use rdkafka::statistics::{ConsumerGroup, Statistics};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::cluster::{Delivery, Event, Ticket};
use super::commit::Partition;
use crate::kafka::status::MemberStatus;
use crate::telemetry::metrics::ConnectorMetrics;

pub(crate) type Consumer = BaseConsumer<ConsumerEvents>;
pub(crate) type Producer = BaseProducer<Deliveries>;

/// Callbacks run inside `poll`, on the polling thread. Anything that waits in them for work which that thread must
/// finish is a deadlock, so they only report; the loop assigns, drains, commits and unassigns.
pub(crate) struct ConsumerEvents {
    events: Mutex<VecDeque<Event>>,
    closing: AtomicBool,
    metrics: ConnectorMetrics,
    status: Arc<MemberStatus>,
    is_consumer_protocol: bool,
}

impl ConsumerEvents {
    pub(crate) fn new(metrics: ConnectorMetrics, status: Arc<MemberStatus>, is_consumer_protocol: bool) -> Self {
        Self { events: Mutex::default(), closing: AtomicBool::new(false), metrics, status, is_consumer_protocol }
    }

    pub(crate) fn take(&self) -> Option<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// From now on revocations are answered at once: nobody turns the loop any more, and the client's destructor waits
    /// for the answer.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn report(&self, event: Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
    }
}

impl ClientContext for ConsumerEvents {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason, "consumer");
    }

    fn stats(&self, statistics: Statistics) {
        if self.is_consumer_protocol && statistics.cgrp.as_ref().is_some_and(is_member_without_partitions) {
            self.status.joined();
        }
        for topic in statistics.topics.values() {
            for partition in topic.partitions.values().filter(|p| p.partition >= 0 && p.consumer_lag >= 0) {
                self.metrics.set_lag(&topic.topic, partition.partition, partition.consumer_lag);
            }
        }
    }
}

/// Who is to have no partition is told nothing with the protocol of KIP-848 (librdkafka 2.12.1): the coordinator has
/// answered for a while, and no assignment has begun.
fn is_member_without_partitions(group: &ConsumerGroup) -> bool {
    const WHILE_MS: i64 = 3000;
    group.state == "up" && group.join_state == "init" && group.stateage >= WHILE_MS
}

impl ConsumerContext for ConsumerEvents {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if self.closing.load(Ordering::Relaxed) {
            if let Err(error) = unassign(consumer, list) {
                tracing::debug!(%error, "unassigning while closing");
            }
            return;
        }
        let partitions = partitions(list);
        let is_assignment = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let event = if is_assignment { Event::Assigned } else { Event::Revoked };
        self.report(event(partitions));
    }
}

/// Gives partitions back, by the protocol of the group.
pub(crate) fn unassign(consumer: &Consumer, list: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
    }
}

/// Takes partitions, by the protocol of the group.
pub(crate) fn assign(consumer: &Consumer, list: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(list),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.assign(list),
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<Partition> {
    list.elements().iter().map(|element| partition(element.topic(), element.partition())).collect()
}

fn partition(topic: &str, number: i32) -> Partition {
    Partition { topic: Arc::from(topic), number }
}

/// What the producer's callbacks have to say, collected while the loop polls it.
#[derive(Default)]
pub(crate) struct Deliveries {
    reports: Mutex<Vec<Delivery>>,
    /// The client's last words about a broker that it cannot reach.
    broker_error: Mutex<Option<String>>,
    /// The client's last words about an output that its transaction may not write to.
    denied_output: Mutex<Option<String>>,
}

impl Deliveries {
    pub(crate) fn take(&self) -> Vec<Delivery> {
        std::mem::take(&mut *self.reports.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The client's last words about a broker that it could not reach.
    pub(crate) fn take_broker_error(&self) -> Option<String> {
        self.broker_error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The client's last words about an output that its transaction may not write to.
    pub(crate) fn denied_output(&self) -> Option<String> {
        self.denied_output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another transaction begins.
    pub(crate) fn forget_denied_output(&self) {
        *self.denied_output.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // The only place that names the partition, and the cause: the transaction cannot even be aborted then, and what
        // comes of it is a fatal error about its state (librdkafka 2.12.1, `rdkafka_txnmgr.c`).
        if facility == "ADDPARTS" && message.contains("authorization") {
            *self.denied_output.lock().unwrap_or_else(PoisonError::into_inner) = Some(message.to_owned());
        }
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason, "producer");
        // «All brokers are down» says less than the reason that came before it.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.broker_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: usize) {
        let outcome = match result {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown)),
        };
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push((Ticket(ticket), outcome));
    }
}

/// librdkafka repeats what our own log lines say better, so its lines below a real error are for debugging.
fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    // The only sign of a log that was cut or begins anew.
    if facility == "OFFSET" {
        tracing::warn!(target: "librdkafka", facility, message);
        return;
    }
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(target: "librdkafka", facility, message);
        }
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => {
            tracing::debug!(target: "librdkafka", facility, message);
        }
        RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => tracing::trace!(target: "librdkafka", facility, message),
    }
}
