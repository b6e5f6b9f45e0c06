//! Asks the cluster every few seconds whether it is there and has our topics, on a thread of its own because the client's
//! metadata call blocks. Through the producer: on a consumer's connection the answer would queue behind a waiting fetch.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rdkafka::producer::Producer as _;

use super::client::Producer;
use super::settings::RouteSettings;
use super::status::ConnectorStatus;
use crate::tasks;

const INTERVAL: Duration = Duration::from_secs(5);
const INTERVAL_WHILE_DOWN: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(3);
/// Probes that must fail in a row before a cluster that answered counts as gone: one late answer of a busy broker must not
/// stop intake.
const FAILURES_UNTIL_DOWN: u32 = 2;

/// A running probe; stops when dropped.
pub(super) struct Probe {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Probe {
    pub(super) fn start(producer: Arc<Producer>, route: &RouteSettings, status: Arc<ConnectorStatus>) -> Self {
        let (stop, stopped) = bounded(0);
        let mut topics = route.source_topics.clone();
        topics.extend([Arc::clone(&route.sink_topic), Arc::clone(&route.dead_letter_topic)]);
        let name = format!("probe-{}", route.group);
        let thread = tasks::thread(name, move || probe(&producer, &topics, &status, &stopped));
        Self { stop: Some(stop), thread: thread.ok() }
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

fn probe(producer: &Producer, topics: &[Arc<str>], status: &ConnectorStatus, stopped: &Receiver<()>) {
    // Nothing is known about a cluster that has never answered.
    let mut failures = FAILURES_UNTIL_DOWN;
    loop {
        let (broker, missing) = ask(producer, topics, stopped);
        let is_well = broker.is_ok() && missing.is_empty();
        failures = if broker.is_ok() { 0 } else { failures.saturating_add(1) };
        if failures == 0 || failures >= FAILURES_UNTIL_DOWN {
            status.probed(broker, missing);
        }
        let interval = if is_well { INTERVAL } else { INTERVAL_WHILE_DOWN };
        if stopped.recv_timeout(interval) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

fn ask(producer: &Producer, topics: &[Arc<str>], stopped: &Receiver<()>) -> (Result<Duration, String>, Vec<String>) {
    let mut missing = Vec::new();
    let mut latency = Duration::ZERO;
    for topic in topics {
        let asked_at = Instant::now();
        match producer.client().fetch_metadata(Some(topic), TIMEOUT) {
            Ok(metadata) => {
                latency = latency.max(asked_at.elapsed());
                let exists = metadata.topics().iter().any(|t| t.name() == &**topic && !t.partitions().is_empty());
                if !exists {
                    missing.push(topic.to_string());
                }
            }
            Err(error) => return (Err(error.to_string()), Vec::new()),
        }
        if stopped.try_recv().is_err_and(|error| error.is_disconnected()) {
            break;
        }
    }
    (Ok(latency), missing)
}
