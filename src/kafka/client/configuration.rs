//! librdkafka's options, and the clients that are built with them.

use std::sync::Arc;

use rdkafka::ClientConfig;
use rdkafka::config::{FromClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaResult;

use super::callbacks::{Consumer, ConsumerEvents, Deliveries, Producer};
use super::transaction_calls;
use crate::kafka::dependencies::Dependencies;
use crate::kafka::settings::{GROUP_INSTANCE_ID, Guarantee, KafkaSettings};

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

const REVIEW_CLIENT: &str = "structured-prompt-review";
const DEAD_LETTER_CLIENT: &str = "structured-prompt-dead-letters";
const PLAN_CLIENT: &str = "structured-prompt-plan";

/// Options that only a member of a group has.
const OF_MEMBERS: [&str; 3] = [GROUP_INSTANCE_ID, "group.protocol", "group.remote.assignor"];

/// Options of commands that read a topic.
const COMMAND_CONSUMER: &[(&str, &str)] = &[
    ("auto.offset.reset", "earliest"),
    ("check.crcs", "true"),
    // A fetch at the end of a partition waits this long before it says so; the default is half a second.
    ("fetch.wait.max.ms", "50"),
    // What is read ahead, however long the topic is.
    ("queued.max.messages.kbytes", "16384"),
];

/// How long the group keeps the partitions of a member that is not heard of: what a single instance waits for after it
/// was killed (docs/adr/0008-sessions-of-ten-seconds.md).
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
    for (key, secret) in &settings.secrets {
        config.set(key, secret.get().expose());
    }
    for (key, value) in owned {
        config.set(*key, *value);
    }
    config.set("bootstrap.servers", settings.brokers.join(","));
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

/// The defaults for a member's session. With the protocol of KIP-848 sessions are the brokers' affair, and the client
/// refuses the options. A static member has the client's 45 s, in which it may restart. Of the two options none is
/// changed without the other.
fn session(settings: &KafkaSettings, is_consumer_protocol: bool) -> &'static [(&'static str, &'static str)] {
    const CHOSEN: [&str; 3] = ["session.timeout.ms", "heartbeat.interval.ms", GROUP_INSTANCE_ID];
    let is_chosen = CHOSEN.iter().any(|option| settings.client.contains_key(*option));
    if is_consumer_protocol || is_chosen { &[] } else { SESSION }
}

/// A consumer in the connector's group, not yet subscribed.
pub(crate) fn consumer(deps: &Dependencies) -> KafkaResult<Consumer> {
    let (settings, group) = (&deps.kafka, &*deps.topics.group);
    let is_consumer_protocol = settings.client.get("group.protocol").is_some_and(|protocol| protocol != "classic");
    let defaults = [COMMON, CONSUMER, session(settings, is_consumer_protocol)];
    let mut config = config(settings, &format!("structured-prompt-{group}"), &defaults, OWNED_CONSUMER);
    config.set("group.id", group);
    // With the protocol of KIP-848 the group's coordinator assigns, cooperatively.
    if !is_consumer_protocol {
        config.set("partition.assignment.strategy", "cooperative-sticky");
    }
    config.create_with_context(ConsumerEvents::new(
        deps.metrics.clone(),
        Arc::clone(&deps.status),
        is_consumer_protocol,
    ))
}

/// An idempotent producer; with transactions if it has an id for them.
pub(crate) fn producer(deps: &Dependencies, transactional_id: Option<&str>) -> KafkaResult<Producer> {
    let client_id = format!("structured-prompt-{}", deps.topics.group);
    let mut config = config(&deps.kafka, &client_id, &[COMMON, PRODUCER], OWNED_PRODUCER);
    if let Some(id) = transactional_id {
        add_transactions(&mut config, id);
    }
    config.create_with_context(Deliveries::default())
}

fn add_transactions(config: &mut ClientConfig, id: &str) {
    config.set("transactional.id", id);
    let timeout = transaction_calls::TIMEOUT.as_millis().to_string();
    config.set("transaction.timeout.ms", &timeout).set("message.timeout.ms", &timeout);
}

/// A consumer that reads results for review, and what was decided about them.
pub(crate) fn review_consumer(settings: &KafkaSettings, group: &str) -> KafkaResult<BaseConsumer> {
    command_consumer(settings, REVIEW_CLIENT, group)
}

/// A consumer that reads some of the records that wait for a group.
pub(crate) fn sample_consumer(settings: &KafkaSettings, group: &str) -> KafkaResult<BaseConsumer> {
    command_consumer(settings, PLAN_CLIENT, group)
}

/// A producer for what people decide about results for review.
pub(crate) fn review_producer(settings: &KafkaSettings, transactional_id: &str) -> KafkaResult<Producer> {
    command_producer(settings, REVIEW_CLIENT, transactional_id)
}

/// A consumer that reads dead letters, and how far a group has sent them again.
pub(crate) fn dead_letter_consumer(settings: &KafkaSettings, group: &str) -> KafkaResult<BaseConsumer> {
    command_consumer(settings, DEAD_LETTER_CLIENT, group)
}

/// A producer that sends dead letters again.
pub(crate) fn dead_letter_producer(settings: &KafkaSettings, transactional_id: &str) -> KafkaResult<Producer> {
    command_producer(settings, DEAD_LETTER_CLIENT, transactional_id)
}

/// A consumer that takes partitions without joining the group, and says where they end.
fn command_consumer(settings: &KafkaSettings, client_id: &str, group: &str) -> KafkaResult<BaseConsumer> {
    let mut settings = settings.clone();
    settings.client.retain(|option, _| !OF_MEMBERS.contains(&option.as_str()));
    let mut config = config(&settings, client_id, &[COMMON, COMMAND_CONSUMER], OWNED_CONSUMER);
    config.set("group.id", group).set("enable.partition.eof", "true");
    config.create()
}

fn command_producer(settings: &KafkaSettings, client_id: &str, transactional_id: &str) -> KafkaResult<Producer> {
    let mut config = config(settings, client_id, &[COMMON, PRODUCER], OWNED_PRODUCER);
    add_transactions(&mut config, transactional_id);
    config.create_with_context(Deliveries::default())
}

/// How long a security event is tried to be produced before its batch is tried again: less than a batch may take.
const AUDIT_TIMEOUT_MS: &str = "8000";

/// A producer for security events. Unlike an outcome, one that is late may be sent twice, so it needs no idempotence,
/// whose fatal errors would end it.
pub(crate) fn audit_producer(settings: &KafkaSettings) -> KafkaResult<Producer> {
    let mut config = config(settings, "structured-prompt-audit", &[COMMON, PRODUCER], OWNED_PRODUCER);
    config.set("message.timeout.ms", AUDIT_TIMEOUT_MS).set("enable.idempotence", "false");
    config.create_with_context(Deliveries::default())
}

/// A client for questions about topics.
pub(crate) fn admin<A: FromClientConfig>(settings: &KafkaSettings) -> KafkaResult<A> {
    config(settings, "structured-prompt-admin", &[COMMON], &[]).create()
}

/// Holds the options against the client library, without joining anything.
pub(crate) fn check(deps: &Dependencies) -> KafkaResult<()> {
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
            session(&KafkaSettings { client, ..KafkaSettings::default() }, is_consumer_protocol)
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
                let settings = KafkaSettings { client, ..KafkaSettings::default() };
                let config = config(&settings, "test", &[PRODUCER], OWNED_PRODUCER);
                let set: Vec<_> = [name, alias].into_iter().filter_map(|name| config.get(name)).collect();
                assert_eq!(set, ["1"], "{chosen}");
            }
        }
    }
}
