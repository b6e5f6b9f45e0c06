//! What a consumer's thread says about itself, for those who must not ask the thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::health::{Component, Status};
use crate::telemetry::metrics::PauseReason;

/// A session that has lasted this long is well: what its cluster does not permit it is told before.
const SETTLED: Duration = Duration::from_secs(2);
/// A loop that has not turned for this long hangs: it turns at least every 100 ms by design.
const STALLED: Duration = Duration::from_secs(60);

/// Why no records are taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paused {
    /// As many records are between receipt and acknowledgement as memory is planned for.
    Full,
    /// Nobody can be asked, or nothing be remembered: what is unavailable, and why.
    Gate(PauseReason, String),
    /// The broker or a topic is missing, or refuses to take outcomes.
    Kafka(String),
    /// The process is stopping.
    Stopping,
}

impl Paused {
    /// The reason, as metrics name it.
    pub(super) fn reason(&self) -> PauseReason {
        match self {
            Self::Full => PauseReason::Full,
            Self::Gate(reason, _) => *reason,
            Self::Kafka(_) => PauseReason::Kafka,
            Self::Stopping => PauseReason::Stopping,
        }
    }
}

/// Topics that cannot be used: all of them, why, and what to do. A missing source is waited for; without an output
/// nothing can be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MissingTopics {
    pub(super) why: String,
    pub(super) has_output: bool,
}

/// What is known of the topics' limits, in bytes. Reading a topic's configuration may not be allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TopicLimits {
    pub(super) outputs: OutputLimits,
    /// What does not fit, in a sentence.
    pub(super) mismatch: Option<String>,
}

/// The largest outcomes that their topics take, in bytes, where that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OutputLimits {
    pub(super) results: Option<usize>,
    pub(super) reviews: Option<usize>,
    pub(super) dead_letters: Option<usize>,
}

#[derive(Debug)]
struct State {
    started: bool,
    joined_at: Option<Instant>,
    broker: Option<Result<Duration, String>>,
    missing: Option<MissingTopics>,
    limits: TopicLimits,
    denied: Option<String>,
    paused: Option<Paused>,
    restarting: Option<String>,
    assigned: usize,
    in_flight: usize,
    last_turn: Instant,
}

/// Shared between the loop, the probe and the health report.
#[derive(Debug)]
pub struct MemberStatus {
    name: Arc<str>,
    state: Mutex<State>,
}

impl MemberStatus {
    /// A member that has not started.
    pub fn new(name: Arc<str>) -> Self {
        let state = State {
            started: false,
            joined_at: None,
            broker: None,
            missing: None,
            limits: TopicLimits::default(),
            denied: None,
            paused: None,
            restarting: None,
            assigned: 0,
            in_flight: 0,
            last_turn: Instant::now(),
        };
        Self { name, state: Mutex::new(state) }
    }

    /// The connector's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn turned(&self, assigned: usize, in_flight: usize, paused: Option<Paused>) {
        let mut state = self.state();
        state.started = true;
        state.last_turn = Instant::now();
        if state.joined_at.is_some_and(|joined_at| joined_at.elapsed() >= SETTLED) {
            state.restarting = None;
        }
        state.assigned = assigned;
        state.in_flight = in_flight;
        state.paused = paused;
    }

    pub(super) fn joined(&self) {
        let now = Instant::now();
        self.state().joined_at.get_or_insert(now);
    }

    pub(super) fn restarting(&self, why: &str) {
        let mut state = self.state();
        state.joined_at = None;
        state.denied = None;
        state.restarting = Some(why.to_owned());
        // Another member may have its partitions by now.
        state.assigned = 0;
        state.in_flight = 0;
        state.last_turn = Instant::now();
    }

    pub(super) fn probed(&self, broker: Result<Duration, String>, missing: Option<MissingTopics>) {
        let mut state = self.state();
        match (&broker, &state.broker) {
            (Err(why), None | Some(Ok(_))) => {
                tracing::warn!(connector = &*self.name, why, "the Kafka cluster cannot be reached")
            }
            (Ok(_), None | Some(Err(_))) => tracing::info!(connector = &*self.name, "the Kafka cluster answers"),
            _ => {}
        }
        // An unreachable cluster says nothing about its topics.
        if broker.is_ok() {
            if let Some(MissingTopics { why, .. }) = missing.as_ref().filter(|_| missing != state.missing) {
                tracing::warn!(connector = &*self.name, why, "waiting for topics");
            }
            state.missing = missing;
        }
        state.broker = Some(broker);
    }

    /// Why a source may not be read, or that all may.
    pub(super) fn denied(&self, why: Option<String>) {
        let mut state = self.state();
        match (&why, &state.denied) {
            (Some(why), None) => tracing::warn!(connector = &*self.name, why, "a source is not permitted"),
            (None, Some(_)) => tracing::info!(connector = &*self.name, "all sources are permitted"),
            (Some(_), Some(_)) | (None, None) => {}
        }
        state.denied = why;
    }

    /// What the topics take.
    pub(super) fn limited(&self, limits: TopicLimits) {
        let mut state = self.state();
        if let Some(why) = limits.mismatch.as_ref().filter(|_| limits.mismatch != state.limits.mismatch) {
            tracing::warn!(connector = &*self.name, why, "not ready: limits of topics do not fit each other");
        }
        state.limits = limits;
    }

    /// The largest outcomes that their topics take.
    pub(super) fn limits(&self) -> OutputLimits {
        self.state().limits.outputs
    }

    /// Why Kafka cannot take outcomes right now, as far as the probe knows.
    pub(super) fn kafka_problem(&self) -> Option<String> {
        self.state().kafka_problem()
    }

    /// How it is doing.
    pub(super) fn connector(&self) -> Component {
        let state = self.state();
        let (status, detail) = state.judge();
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Component {
            kind: "connector",
            name: self.name.to_string(),
            status,
            latency: None,
            detail,
            facts: vec![("assigned_partitions", count(state.assigned)), ("records_in_flight", count(state.in_flight))],
            is_ready: state.is_ready(),
            is_alive: !state.started || state.last_turn.elapsed() < STALLED,
        }
    }

    /// How its cluster is doing.
    pub(super) fn cluster(&self) -> Component {
        let state = self.state();
        let problem = state.kafka_problem();
        Component {
            kind: "kafka",
            name: self.name.to_string(),
            status: if problem.is_some() { Status::Down } else { Status::Up },
            latency: state.broker.as_ref().and_then(|broker| broker.as_ref().ok()).copied(),
            detail: problem,
            facts: Vec::new(),
            // The connector answers for its cluster.
            is_ready: true,
            is_alive: true,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn kafka_problem(&self) -> Option<String> {
        match &self.broker {
            None => Some("the Kafka cluster has not answered yet".to_owned()),
            Some(Err(why)) => Some(format!("the Kafka cluster cannot be reached: {why}")),
            Some(Ok(_)) => {
                self.missing.as_ref().filter(|missing| missing.has_output).map(|missing| missing.why.clone())
            }
        }
    }

    fn is_ready(&self) -> bool {
        self.joined_at.is_some()
            && self.restarting.is_none()
            && self.kafka_problem().is_none()
            && !matches!(self.paused, Some(Paused::Kafka(_)))
            && self.missing.is_none()
            && self.denied.is_none()
            && self.limits.mismatch.is_none()
    }

    fn judge(&self) -> (Status, Option<String>) {
        if let Some(why) = &self.restarting {
            return (Status::Down, Some(format!("restarting its Kafka clients: {why}")));
        }
        if let Some(problem) = self.kafka_problem() {
            return (Status::Down, Some(problem));
        }
        let missing = self.missing.as_ref().map(|missing| missing.why.clone());
        match &self.paused {
            Some(Paused::Kafka(why)) => (Status::Down, Some(why.clone())),
            Some(Paused::Gate(_, why)) => (Status::Degraded, Some(why.clone())),
            Some(Paused::Stopping) => (Status::Degraded, Some("stopping".to_owned())),
            _ if missing.is_some() => (Status::Degraded, missing),
            _ if self.denied.is_some() => (Status::Degraded, self.denied.clone()),
            _ if self.limits.mismatch.is_some() => (Status::Degraded, self.limits.mismatch.clone()),
            // Being busy is no fault.
            Some(Paused::Full) | None if self.joined_at.is_some() => (Status::Up, None),
            Some(Paused::Full) | None => (Status::Degraded, Some("joining the consumer group".to_owned())),
        }
    }
}
