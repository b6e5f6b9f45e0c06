//! librdkafka clients: their options, and callbacks that only report.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, ProducerContext};
use rdkafka::statistics::{ConsumerGroup, Statistics};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::cluster::{Delivery, Event};
use super::connector::Dependencies;
use super::ledger::Partition;
use super::publish_order::Ticket;
use super::settings::{Guarantee, KafkaSettings};
use super::status::ConnectorStatus;
use super::transaction_state;
use crate::telemetry::metrics::ConnectorMetrics;

pub(super) type Consumer = BaseConsumer<ConsumerEvents>;
pub(super) type Producer = BaseProducer<Deliveries>;

/// Callbacks run inside `poll`, on the polling thread. Anything that waits in them for work which that thread must finish
/// is a deadlock, so they only report; the loop assigns, drains, commits and unassigns.
pub(super) struct ConsumerEvents {
    events: Mutex<VecDeque<Event>>,
    closing: AtomicBool,
    metrics: ConnectorMetrics,
    status: Arc<ConnectorStatus>,
    is_consumer_protocol: bool,
}

impl ConsumerEvents {
    pub(super) fn take(&self) -> Option<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// From now on revocations are answered at once: nobody turns the loop any more, and the client's destructor waits for
    /// the answer.
    pub(super) fn close(&self) {
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

/// Who is to have no partition is told nothing with the protocol of KIP-848 (librdkafka 2.12.1): the coordinator has answered for a
/// while, and no assignment has begun.
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
pub(super) fn unassign(consumer: &Consumer, list: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
    }
}

/// Takes partitions, by the protocol of the group.
pub(super) fn assign(consumer: &Consumer, list: &TopicPartitionList) -> KafkaResult<()> {
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
pub(super) struct Deliveries {
    reports: Mutex<Vec<Delivery>>,
    /// The client's last words about a broker that it cannot reach.
    broker_error: Mutex<Option<String>>,
    /// The client's last words about an output that its transaction may not write to.
    denied_output: Mutex<Option<String>>,
}

impl Deliveries {
    pub(super) fn take(&self) -> Vec<Delivery> {
        std::mem::take(&mut *self.reports.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The client's last words about a broker that it could not reach.
    pub(super) fn take_broker_error(&self) -> Option<String> {
        self.broker_error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The client's last words about an output that its transaction may not write to.
    pub(super) fn denied_output(&self) -> Option<String> {
        self.denied_output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another transaction begins.
    pub(super) fn forget_denied_output(&self) {
        *self.denied_output.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // The only place that names the partition, and the cause: the transaction cannot even be aborted then, and what comes of it is
        // a fatal error about its state (librdkafka 2.12.1, `rdkafka_txnmgr.c`).
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

/// Options that a user may override. Numbers that are not librdkafka's defaults say why.
const COMMON: &[(&str, &str)] = &[
    ("socket.keepalive.enable", "true"),
    // A topic that is created while we wait for it is noticed after this; the default is five minutes.
    ("topic.metadata.refresh.interval.ms", "10000"),
];

const CONSUMER: &[(&str, &str)] = &[
    ("auto.offset.reset", "earliest"),
    ("check.crcs", "true"),
    // After its queue was full the fetcher waits this long; the default of 1 s halves the throughput.
    ("fetch.queue.backoff.ms", "10"),
    ("queued.min.messages", "20000"),
    ("queued.max.messages.kbytes", "16384"),
    ("statistics.interval.ms", "5000"),
];

/// How long the group keeps the partitions of a member that is not heard of: what a single instance waits for after it was killed
/// (docs/adr/0008-sessions-of-ten-seconds.md).
const SESSION: &[(&str, &str)] = &[("session.timeout.ms", "10000"), ("heartbeat.interval.ms", "3000")];

const PRODUCER: &[(&str, &str)] = &[
    ("linger.ms", "5"),
    ("batch.size", "262144"),
    ("compression.codec", "lz4"),
    // The partitioner of the Java clients, so that a key lands where other producers of the topic put it.
    ("partitioner", "murmur2_random"),
    // The topic's own limit decides; the record is then replaced by a dead letter.
    ("message.max.bytes", "16777216"),
];

/// Other names of options above. The client takes one of two names by chance.
const ALIASES: &[(&str, &str)] = &[("compression.codec", "compression.type"), ("linger.ms", "queue.buffering.max.ms")];

/// Options on which the delivery promise rests; the configuration refuses to override them.
const OWNED_CONSUMER: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("isolation.level", "read_committed"),
    ("enable.partition.eof", "false"),
    ("allow.auto.create.topics", "false"),
];

const OWNED_PRODUCER: &[(&str, &str)] = &[
    ("enable.idempotence", "true"),
    ("allow.auto.create.topics", "false"),
    // An outage is waited out, however long: giving up on a record would lose its place in the order.
    ("message.timeout.ms", "0"),
];

fn config(
    settings: &KafkaSettings,
    client_id: &str,
    defaults: &[&[(&str, &str)]],
    owned: &[(&str, &str)],
) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("client.id", client_id);
    let is_set = |alias: &str| settings.client.contains_key(alias);
    for (key, value) in defaults.iter().copied().flatten() {
        if !ALIASES.iter().any(|(name, alias)| name == key && is_set(alias)) {
            config.set(*key, *value);
        }
    }
    for (key, value) in &settings.client {
        config.set(key, value);
    }
    for (key, value) in owned {
        config.set(*key, *value);
    }
    config.set("bootstrap.servers", settings.brokers.join(","));
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

/// The defaults for a member's session. With the protocol of KIP-848 sessions are the brokers' affair, and the client refuses the
/// options. A static member has the client's 45 s, in which it may restart. Of the two options none is changed without the other.
fn session(settings: &KafkaSettings, is_consumer_protocol: bool) -> &'static [(&'static str, &'static str)] {
    const CHOSEN: [&str; 3] = ["session.timeout.ms", "heartbeat.interval.ms", "group.instance.id"];
    let is_chosen = CHOSEN.iter().any(|option| settings.client.contains_key(*option));
    if is_consumer_protocol || is_chosen { &[] } else { SESSION }
}

/// A consumer in the connector's group, not yet subscribed.
pub(super) fn consumer(deps: &Dependencies) -> KafkaResult<Consumer> {
    let (settings, group) = (&deps.kafka, &*deps.topics.group);
    let is_consumer_protocol = settings.client.get("group.protocol").is_some_and(|protocol| protocol != "classic");
    let defaults = [COMMON, CONSUMER, session(settings, is_consumer_protocol)];
    let mut config = config(settings, &format!("structured-prompt-{group}"), &defaults, OWNED_CONSUMER);
    config.set("group.id", group);
    // With the protocol of KIP-848 the group's coordinator assigns, cooperatively.
    if !is_consumer_protocol {
        config.set("partition.assignment.strategy", "cooperative-sticky");
    }
    config.create_with_context(ConsumerEvents {
        events: Mutex::default(),
        closing: AtomicBool::new(false),
        metrics: deps.metrics.clone(),
        status: Arc::clone(&deps.status),
        is_consumer_protocol,
    })
}

/// An idempotent producer; with transactions if it has an id for them.
pub(super) fn producer(deps: &Dependencies, transactional_id: Option<&str>) -> KafkaResult<Producer> {
    let client_id = format!("structured-prompt-{}", deps.topics.group);
    let mut config = config(&deps.kafka, &client_id, &[COMMON, PRODUCER], OWNED_PRODUCER);
    if let Some(id) = transactional_id {
        config.set("transactional.id", id);
        let timeout = transaction_state::TIMEOUT.as_millis().to_string();
        config.set("transaction.timeout.ms", &timeout).set("message.timeout.ms", &timeout);
    }
    config.create_with_context(Deliveries::default())
}

/// A client for questions about topics.
pub(super) fn admin<A: FromClientConfig>(settings: &KafkaSettings) -> KafkaResult<A> {
    config(settings, "structured-prompt-admin", &[COMMON], &[]).create()
}

/// Holds the options against the client library, without joining anything.
pub(super) fn check(deps: &Dependencies) -> KafkaResult<()> {
    let consumer = consumer(deps)?;
    consumer.context().close();
    // Nobody is told of the id before transactions are initialised.
    let is_transactional = deps.topics.guarantee == Guarantee::ExactlyOnce;
    producer(deps, is_transactional.then_some("check")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_short_unless_something_else_was_chosen() {
        let of = |option: &str, is_consumer_protocol| {
            let client = [(option.to_owned(), "1".to_owned())].into();
            session(&KafkaSettings { brokers: vec!["b:1".to_owned()], client }, is_consumer_protocol)
        };
        assert_eq!(of("socket.keepalive.enable", false), SESSION);
        for option in ["session.timeout.ms", "heartbeat.interval.ms", "group.instance.id"] {
            assert!(of(option, false).is_empty(), "{option}");
        }
        assert!(of("socket.keepalive.enable", true).is_empty());
    }

    #[test]
    fn an_option_of_the_users_replaces_a_default_by_either_of_its_names() {
        for (name, alias) in ALIASES {
            for chosen in [name, alias] {
                let client = [((*chosen).to_owned(), "1".to_owned())].into();
                let settings = KafkaSettings { brokers: vec!["b:1".to_owned()], client };
                let config = config(&settings, "test", &[PRODUCER], OWNED_PRODUCER);
                let set: Vec<_> = [name, alias].into_iter().filter_map(|name| config.get(name)).collect();
                assert_eq!(set, ["1"], "{chosen}");
            }
        }
    }
}
