//! What a session keeps beside its records: clocks, channels, what it has said.

use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::client_pauses::ClientPauses;
use super::gate_log::GateLog;
use crate::domain::failure::Code;
use crate::kafka::client::cluster::Ticket;
use crate::kafka::client::commit::Partition;
use crate::kafka::status::Paused;
use crate::ports::journal::Claimed;
use crate::tasks::RecordTask;
use crate::telemetry::log_throttle::LogThrottle;

/// Whether records are taken in.
#[derive(Debug)]
pub(super) struct IntakeState {
    /// Why not.
    pub(super) paused: Option<Paused>,
    pub(super) full_since: Option<Instant>,
    /// The map of some partition is near what the broker takes.
    pub(super) has_long_map: bool,
    pub(super) client_pauses: ClientPauses,
    pub(super) gate_log: GateLog,
}

impl IntakeState {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            paused: None,
            full_since: None,
            has_long_map: false,
            client_pauses: ClientPauses::new(now),
            gate_log: GateLog::default(),
        }
    }
}

/// When offsets are committed.
#[derive(Debug)]
pub(super) struct CommitClock {
    /// What has changed.
    pub(super) due: Instant,
    /// All of it, changed or not.
    pub(super) recommit_due: Instant,
    /// When the group last answered for our offsets, or there were none to commit.
    pub(super) confirmed_at: Instant,
    /// The log says that no commit is confirmed.
    pub(super) is_unconfirmed_said: bool,
}

impl CommitClock {
    pub(super) fn new(now: Instant) -> Self {
        Self { due: now, recommit_due: now, confirmed_at: now, is_unconfirmed_said: false }
    }
}

/// Partitions that are assigned, but of which it is not known yet what was committed before.
#[derive(Debug)]
pub(super) struct Joining {
    pub(super) partitions: Vec<Partition>,
    /// When the group is asked for what was committed.
    pub(super) fetch_due: Instant,
    /// It is being asked.
    pub(super) is_fetching: bool,
}

impl Joining {
    pub(super) fn new(now: Instant) -> Self {
        Self { partitions: Vec::new(), fetch_due: now, is_fetching: false }
    }
}

/// What a task that has claims decided sends back.
pub(super) type Decisions = Vec<(Ticket, Claimed)>;

/// Claims are decided in rounds, one at a time.
#[derive(Debug)]
pub(super) struct ClaimRound {
    /// The round that is under way.
    pub(super) task: Option<RecordTask>,
    pub(super) sender: Sender<Decisions>,
    pub(super) decisions: Receiver<Decisions>,
}

impl Default for ClaimRound {
    fn default() -> Self {
        let (sender, decisions) = bounded(1);
        Self { task: None, sender, decisions }
    }
}

/// Log lines about what happens often.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) dead_letters: LogThrottle<Code>,
    pub(super) consumer_errors: LogThrottle<String>,
}

/// Whether some source may not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum SourceDenial {
    /// Nothing is known of one.
    #[default]
    No,
    /// One is, and is tried again then.
    Until(Instant),
    /// It is being tried, and permitted if nothing is said until then.
    Tried(Instant),
}
