//! A record between receipt and acknowledgement, and how far it has come.
//!
//! ```text
//!                 ┌──────── granted ────────┐
//! receipt ─┬─▶ Claiming ─┬─ conflict ───────┼────────────┐
//!          │             └─ repeat ─▶ Skipped ─▶ closed   │
//!          ├─▶ Skipped (filtered)           │            │
//!          ├─▶ Waiting ◀────────────────────┤            │
//!          │      └─▶ Asking ─▶ Ready ◀─────┴────────────┘
//!          └───────────────────▶ │ ▲ ▲
//!                                ▼ │ └── aborted ──┐
//!                               Sent ─▶ Delivered ─┴─▶ closed (committed)
//!                                └────▶ closed (acknowledged)
//! ```
//!
//! Whatever its phase, a record is forgotten when its partition leaves.

use std::sync::Arc;
use std::time::Instant;

use crate::delivery::outcome::{NoOutcome, Settled};
use crate::domain::record::Record;
use crate::kafka::client::commit::Partition;
use crate::kafka::handler::{Job, RecordStep};
use crate::tasks::RecordTask;

/// A record in flight. Its phase is changed by [`FlightTable`](super::flight_table::FlightTable) only, which counts
/// them.
pub(super) struct Flight {
    pub(super) partition: Partition,
    pub(super) record: Arc<Record>,
    pub(super) received_at: Instant,
    pub(super) weight: usize,
    pub(super) phase: Phase,
}

/// How far a record has come.
pub(super) enum Phase {
    /// Waits for the decision on the claim to its event, having come this far in the pipeline.
    Claiming(RecordStep),
    /// Waits for a place among those who ask.
    Waiting(Box<Job>),
    /// Asks. Once the task is dropped nobody waits for its calls any more.
    Asking { _task: RecordTask },
    /// Has an outcome that the producer does not have: it waits for those before it, or in the send queue.
    Ready(Settled),
    /// Has no outcome of its own, and waits for those before it.
    Skipped(NoOutcome),
    /// The producer has its outcome and has not reported on it.
    Sent(Settled),
    /// The broker has its outcome, in a transaction that is not over.
    Delivered(Settled),
}

impl From<RecordStep> for Phase {
    fn from(step: RecordStep) -> Self {
        match step {
            RecordStep::Settled(settled) => Self::Ready(settled),
            RecordStep::Ask(job) => Self::Waiting(job),
            RecordStep::Skip(why) => Self::Skipped(why),
        }
    }
}

/// How many records are in which phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PhaseCounts {
    /// Wait for a decision on their claim, or for a place among those who ask.
    pub(super) waiting: usize,
    /// Ask.
    pub(super) asking: usize,
    /// Have come to their end, and wait to be sent or closed.
    pub(super) ready: usize,
    /// Are with the producer, which has not reported on them.
    pub(super) sent: usize,
    /// Are with the broker, in a transaction that is not over.
    pub(super) delivered: usize,
}

impl PhaseCounts {
    /// The counter of a phase.
    pub(super) fn of(&mut self, phase: &Phase) -> &mut usize {
        match phase {
            Phase::Claiming(_) | Phase::Waiting(_) => &mut self.waiting,
            Phase::Asking { .. } => &mut self.asking,
            Phase::Ready(_) | Phase::Skipped(_) => &mut self.ready,
            Phase::Sent(_) => &mut self.sent,
            Phase::Delivered(_) => &mut self.delivered,
        }
    }
}

impl Flight {
    /// Nothing is being done for it yet.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Claiming(_) | Phase::Waiting(_))
    }

    pub(super) fn is_asking(&self) -> bool {
        matches!(self.phase, Phase::Asking { .. })
    }

    /// The producer has its outcome and has not reported on it.
    pub(super) fn is_sent(&self) -> bool {
        matches!(self.phase, Phase::Sent(_))
    }

    /// The producer has its outcome, if only in a transaction that is not over.
    pub(super) fn is_with_producer(&self) -> bool {
        matches!(self.phase, Phase::Sent(_) | Phase::Delivered(_))
    }

    pub(super) fn is_delivered(&self) -> bool {
        matches!(self.phase, Phase::Delivered(_))
    }

    /// Its outcome, where it is ready to be sent.
    pub(super) fn ready(&self) -> Option<&Settled> {
        if let Phase::Ready(settled) = &self.phase { Some(settled) } else { None }
    }

    /// Its outcome, of a record that is done with.
    pub(super) fn into_outcome(self) -> Option<Settled> {
        match self.phase {
            Phase::Ready(settled) | Phase::Sent(settled) | Phase::Delivered(settled) => Some(settled),
            Phase::Claiming(_) | Phase::Waiting(_) | Phase::Asking { .. } | Phase::Skipped(_) => None,
        }
    }
}
