//! A connector's thread: one session after the other until it is told to stop.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use tokio::sync::oneshot;

use super::client;
use super::error_advice;
use super::handler::RecordHandler;
use super::instance_slot::InstanceSlot;
use super::kafka_cluster::{ConnectError, KafkaCluster};
use super::quarantine::Quarantine;
use super::session::{End, Session, SessionError};
use super::settings::{Guarantee, KafkaSettings, TopicSettings};
use super::status::ConnectorStatus;
use crate::delivery::outcome::Observer;
use crate::tasks::{self, Tasks};
use crate::telemetry::metrics::ConnectorMetrics;

/// First pause before clients that failed for good are built anew; it doubles up to [`LONGEST_RESTART_PAUSE`].
const RESTART_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_RESTART_PAUSE: Duration = Duration::from_secs(10);
/// A session that lasted this long was healthy: the next failure begins with the first pause again.
const HEALTHY: Duration = Duration::from_secs(60);

/// What a connector works with.
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
    pub status: Arc<ConnectorStatus>,
    /// Who is told of finished records.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Dependencies {
    /// The brokers that the clients ask, for the log.
    pub(super) fn brokers(&self) -> String {
        self.kafka.brokers.join(",")
    }
}

/// A request to stop, and the time that records under way are given to finish.
#[derive(Debug, Default)]
pub(super) struct Stop {
    deadline: Mutex<Option<Instant>>,
    changed: Condvar,
}

impl Stop {
    /// Once the stop is requested: until when records under way may finish.
    pub(super) fn requested(&self) -> Option<Instant> {
        *self.deadline()
    }

    pub(super) fn request(&self, deadline: Instant) {
        *self.deadline() = Some(deadline);
        self.changed.notify_all();
    }

    /// Sleeps, unless or until the stop is requested. True if it is.
    fn wait(&self, pause: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.deadline(), pause, |deadline| deadline.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }

    fn deadline(&self) -> MutexGuard<'_, Option<Instant>> {
        self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running connector.
pub struct Connector {
    status: Arc<ConnectorStatus>,
    stop: Arc<Stop>,
    thread: JoinHandle<()>,
    failed: oneshot::Receiver<String>,
}

/// Why a connector could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An option that librdkafka does not know, or a wrong value for one.
    #[error("connector {connector}: the Kafka client refuses its configuration: {source}; check kafka.client")]
    Client {
        /// The connector.
        connector: Arc<str>,
        /// librdkafka's words.
        source: KafkaError,
    },
    /// The system has no thread to give.
    #[error("no thread for connector {connector}: {source}")]
    Thread {
        /// The connector.
        connector: Arc<str>,
        /// The system's words.
        source: io::Error,
    },
}

impl Connector {
    /// Starts the connector's thread. A cluster that is not there yet is waited for; options that cannot work are not.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(deps: Dependencies) -> Result<Self, StartError> {
        let stop = Arc::new(Stop::default());
        let status = Arc::clone(&deps.status);
        let connector = Arc::clone(&deps.name);
        client::check(&deps).map_err(|source| StartError::Client { connector: Arc::clone(&connector), source })?;
        let stopped = Arc::clone(&stop);
        let (fail, failed) = oneshot::channel();
        let work = move || {
            // Nobody listens any more when the process stops anyway.
            if let Err(why) = supervise(&deps, &stopped) {
                drop(fail.send(format!("connector {}: {why}", deps.name)));
            }
        };
        let thread = tasks::thread(format!("kafka-{connector}"), work)
            .map_err(|source| StartError::Thread { connector, source })?;
        Ok(Self { status, stop, thread, failed })
    }

    /// What the connector says about itself.
    pub fn status(&self) -> &Arc<ConnectorStatus> {
        &self.status
    }

    /// Returns when it has ended without being asked to, with the reason. A new start would not help.
    pub async fn failed(&mut self) -> String {
        match (&mut self.failed).await {
            Ok(why) => why,
            Err(_stopped) => std::future::pending().await,
        }
    }

    /// Asks it to stop: take nothing in, let what is under way finish for at most `grace`, commit, leave the group.
    pub fn stop(&self, grace: Duration) {
        self.stop.request(Instant::now() + grace);
    }

    /// True when its thread has ended.
    pub fn is_stopped(&self) -> bool {
        self.thread.is_finished()
    }
}

fn supervise(deps: &Dependencies, stop: &Stop) -> Result<(), String> {
    let Dependencies { kafka, topics, name, .. } = deps;
    let slot = InstanceSlot::take(kafka, &topics.group, name, &std::env::temp_dir());
    let transactional_id = (topics.guarantee == Guarantee::ExactlyOnce).then(|| slot.transactional_id());
    let quarantine = Arc::new(Quarantine::open(&slot, &topics.source_topics, name));
    let ended = run_sessions(deps, stop, transactional_id, &quarantine);
    quarantine.ended();
    ended
}

fn run_sessions(
    deps: &Dependencies,
    stop: &Stop,
    transactional_id: Option<&str>,
    quarantine: &Arc<Quarantine>,
) -> Result<(), String> {
    let mut pause = RESTART_PAUSE;
    loop {
        let started_at = Instant::now();
        let session = || {
            let cluster = KafkaCluster::connect(deps, transactional_id)?;
            Ok::<_, ConnectError>(Session::new(deps, stop, cluster, Arc::clone(quarantine)).run())
        };
        let why = match catch_unwind(AssertUnwindSafe(session)) {
            Ok(Ok(End::Stopped)) => return Ok(()),
            Ok(Ok(End::Failed(SessionError { why, is_for_good: true }))) => return Err(why),
            Ok(Ok(End::Failed(SessionError { why, .. }))) => error_advice::with_brokers(&why, &deps.kafka.brokers),
            Ok(Err(error)) => error_advice::with_brokers(&error.to_string(), &deps.kafka.brokers),
            Err(_panic) => "the connector's thread panicked; please report it".to_owned(),
        };
        if started_at.elapsed() >= HEALTHY {
            pause = RESTART_PAUSE;
        }
        // Everything unacknowledged is read again from the committed offset: nothing is lost by starting over.
        tracing::error!(connector = &*deps.name, why, pause_s = pause.as_secs(), "rebuilding the Kafka clients");
        deps.status.restarting(&why);
        deps.metrics.restarts.inc();
        if stop.wait(pause) {
            return Ok(());
        }
        pause = (pause * 2).min(LONGEST_RESTART_PAUSE);
    }
}
