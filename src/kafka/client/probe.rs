//! Asks the cluster every few seconds whether it is there and has our topics, on a thread of its own because the
//! client's metadata call blocks. Through the producer: on a consumer's connection the answer would queue behind a
//! waiting fetch.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rdkafka::error::KafkaResult;
use rdkafka::producer::Producer as _;

use super::callbacks::Producer;
use super::error_advice;
use super::missing_topics::{self, Topic};
use super::topic_limits;
use crate::kafka::dependencies::Dependencies;
use crate::kafka::settings::TopicSettings;
use crate::kafka::status::{MemberStatus, MissingTopics, TopicLimits};
use crate::tasks;

const INTERVAL: Duration = Duration::from_secs(5);
const INTERVAL_WHILE_DOWN: Duration = Duration::from_secs(1);
/// Topics seldom change their limits, and asking takes a connection of its own.
const LIMITS_INTERVAL: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(3);
/// Probes that must fail in a row before a cluster that answered counts as gone: one late answer of a busy broker must
/// not stop intake.
const FAILURES_UNTIL_DOWN: u32 = 2;

/// A running probe; stops when dropped.
pub(super) struct Probe {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Probe {
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(producer: Arc<Producer>, deps: &Dependencies) -> io::Result<Self> {
        let (stop, stopped) = bounded(0);
        let (topics, status) = (deps.topics.clone(), Arc::clone(&deps.status));
        let (kafka, runtime) = (deps.kafka.clone(), deps.tasks.runtime().clone());
        let brokers = kafka.brokers.clone();
        let name = format!("probe-{}", topics.group);
        let limits = move |topics: &TopicSettings| topic_limits::read(&kafka, topics, &runtime);
        let thread = tasks::thread(name, move || probe(&producer, &brokers, &topics, &status, &stopped, &limits))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(Err(_panic)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the Kafka probe panicked");
        }
    }
}

fn probe(
    producer: &Producer,
    brokers: &[String],
    topics: &TopicSettings,
    status: &MemberStatus,
    stopped: &Receiver<()>,
    limits: &dyn Fn(&TopicSettings) -> TopicLimits,
) {
    let mut limits_due = Instant::now();
    // Nothing is known about a cluster that has never answered.
    let mut failures = FAILURES_UNTIL_DOWN;
    let mut last_error = None;
    loop {
        let answer = ask(producer, brokers, topics, stopped);
        failures = if answer.is_ok() { 0 } else { failures.saturating_add(1) };
        let is_well = answer.as_ref().is_ok_and(|(_, missing)| missing.is_none());
        // First, because nothing is published before it is known that the cluster answers: an outcome that its topic
        // refuses for its size costs less when the limit is known.
        if is_well && Instant::now() >= limits_due {
            let found = limits(topics);
            limits_due = Instant::now() + if found.mismatch.is_some() { INTERVAL } else { LIMITS_INTERVAL };
            status.limited(found);
        }
        if failures == 0 || failures >= FAILURES_UNTIL_DOWN {
            let (broker, missing) = match answer {
                Ok((latency, missing)) => (Ok(latency), missing),
                Err(error) => {
                    let why = producer
                        .context()
                        .take_broker_error()
                        .or(last_error.take())
                        .unwrap_or_else(|| error.to_string());
                    last_error = Some(why.clone());
                    (Err(error_advice::with_brokers(&why, brokers)), None)
                }
            };
            status.probed(broker, missing);
        }
        let interval = if is_well { INTERVAL } else { INTERVAL_WHILE_DOWN };
        if stopped.recv_timeout(interval) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// How long the slowest answer took, and what is missing.
fn ask(
    producer: &Producer,
    brokers: &[String],
    topics: &TopicSettings,
    stopped: &Receiver<()>,
) -> KafkaResult<(Duration, Option<MissingTopics>)> {
    let mut found = Vec::new();
    let mut latency = Duration::ZERO;
    let sources = topics.source_topics.iter().map(|topic| (topic, true));
    let outputs = topics.outputs().map(|topic| (topic, false));
    for (topic, is_source) in sources.chain(outputs) {
        let asked_at = Instant::now();
        let metadata = producer.client().fetch_metadata(Some(topic), TIMEOUT)?;
        latency = latency.max(asked_at.elapsed());
        found.push(Topic::of(topic, is_source, metadata.topics().iter().find(|known| known.name() == &**topic)));
        if stopped.try_recv().is_err_and(|error| error.is_disconnected()) {
            break;
        }
    }
    Ok((latency, missing_topics::of(&found, brokers)))
}
