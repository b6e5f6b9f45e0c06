//! The thread of a member of the consumer group: one session after the other until it is told to stop.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use tokio::sync::oneshot;

use super::client::kafka_cluster::{ConnectError, KafkaCluster};
use super::client::{configuration, error_advice};
use super::dependencies::Dependencies;
use super::process::instance_slot::InstanceSlot;
use super::process::quarantine::Quarantine;
use super::process::stop_request::StopRequest;
use super::session::{Session, SessionError};
use super::settings::Guarantee;
use crate::tasks;

/// First pause before clients that failed for good are built anew; it doubles up to [`LONGEST_RESTART_PAUSE`].
const RESTART_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_RESTART_PAUSE: Duration = Duration::from_secs(10);
/// A session that lasted this long was healthy: the next failure begins with the first pause again.
const HEALTHY: Duration = Duration::from_secs(60);

/// A running member of a connector's consumer group.
pub struct Member {
    name: String,
    stop: Arc<StopRequest>,
    ended: oneshot::Receiver<Result<(), String>>,
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

impl Member {
    /// Starts the threads of members, whose clients have the same options. A cluster that is not there yet is waited
    /// for; options that cannot work are not.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start_all(members: Vec<Dependencies>) -> Result<Vec<Self>, StartError> {
        // The guarantee decides about options; besides, only names differ. With a thousand connectors a try of each
        // took more than a minute, in which nobody could ask for their health.
        for guarantee in [Guarantee::AtLeastOnce, Guarantee::ExactlyOnce] {
            if let Some(deps) = members.iter().find(|deps| deps.topics.guarantee == guarantee) {
                configuration::check(deps)
                    .map_err(|source| StartError::Client { connector: Arc::clone(&deps.name), source })?;
            }
        }
        members.into_iter().map(Self::start).collect()
    }

    fn start(deps: Dependencies) -> Result<Self, StartError> {
        let stop = Arc::new(StopRequest::default());
        let (connector, consumer) = (Arc::clone(&deps.name), deps.consumer);
        let name = match deps.topics.consumers {
            1 => format!("connector {connector}"),
            _ => format!("connector {connector}, consumer {consumer}"),
        };
        let stopped = Arc::clone(&stop);
        let work = move || {
            let ended = supervise(&deps, &stopped);
            // The handler's share in the pipeline and in the store ends before the thread does.
            drop(deps);
            ended
        };
        let ended = tasks::service_thread(format!("kafka-{connector}-{consumer}"), work)
            .map_err(|source| StartError::Thread { connector, source })?;
        Ok(Self { name, stop, ended })
    }

    /// What it is called in the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns when its thread has ended: with an error, for which a new start would not help, unless it was asked to.
    /// Not to be awaited again after that.
    pub async fn done(&mut self) -> Result<(), String> {
        let ended = (&mut self.ended).await;
        ended.unwrap_or_else(|_| Err("its thread panicked; please report it".to_owned()))
    }

    /// Asks it to stop: take nothing in, let what is under way finish for at most `grace`, commit, leave the group.
    pub fn stop(&self, grace: Duration) {
        self.stop.request(Instant::now() + grace);
    }
}

fn supervise(deps: &Dependencies, stop: &StopRequest) -> Result<(), String> {
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
    stop: &StopRequest,
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
            Ok(Ok(Ok(()))) if stop.requested().is_some() => return Ok(()),
            Ok(Ok(Ok(()))) => {
                let (connector, consumer) = (&*deps.name, deps.consumer);
                tracing::info!(connector, consumer, "a secret was replaced: the Kafka clients are built anew with it");
                deps.status.restarting("a secret was replaced");
                continue;
            }
            Ok(Ok(Err(SessionError { why, is_for_good: true }))) => return Err(why),
            Ok(Ok(Err(SessionError { why, .. }))) => error_advice::with_brokers(&why, &deps.kafka.brokers),
            Ok(Err(error)) => error_advice::with_brokers(&error.to_string(), &deps.kafka.brokers),
            Err(_panic) => "the connector's thread panicked; please report it".to_owned(),
        };
        if started_at.elapsed() >= HEALTHY {
            pause = RESTART_PAUSE;
        }
        // Everything unacknowledged is read again from the committed offset: nothing is lost by starting over.
        let (connector, consumer, pause_s) = (&*deps.name, deps.consumer, pause.as_secs());
        tracing::error!(connector, consumer, why, pause_s, "rebuilding the Kafka clients");
        deps.status.restarting(&why);
        deps.metrics.restarts.inc();
        if stop.wait(pause) {
            return Ok(());
        }
        pause = (pause * 2).min(LONGEST_RESTART_PAUSE);
    }
}
