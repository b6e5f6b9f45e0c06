//! What a session tells others about itself: the gauges, and the status that health reads.

use std::time::{Duration, Instant};

use super::flight::PhaseCounts;
use crate::kafka::dependencies::Dependencies;
use crate::kafka::status::Paused;
use crate::telemetry::metrics::{ConnectorMetrics, GaugeShare, PauseReason};

/// Time after which it is told again although nothing has changed: a loop that is not heard of counts as one that
/// hangs.
const TELL_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Tells it when it has changed.
#[derive(Debug)]
pub(super) struct Reporter {
    told: Option<(Facts, Instant)>,
    waiting: GaugeShare,
    asking: GaugeShare,
    unpublished: GaugeShare,
    paused: [(PauseReason, GaugeShare); 6],
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    partitions: usize,
    counts: PhaseCounts,
    paused: Option<Paused>,
}

impl Reporter {
    /// Has told nothing yet.
    pub(super) fn new(metrics: &ConnectorMetrics) -> Self {
        Self {
            told: None,
            waiting: GaugeShare::of(&metrics.waiting),
            asking: GaugeShare::of(&metrics.asking),
            unpublished: GaugeShare::of(&metrics.unpublished),
            paused: metrics.paused.each_ref().map(|(reason, gauge)| (*reason, GaugeShare::of(gauge))),
        }
    }

    /// The session has come to the end of a turn.
    pub(super) fn turned(
        &mut self,
        deps: &Dependencies,
        partitions: usize,
        counts: PhaseCounts,
        paused: Option<&Paused>,
        now: Instant,
    ) {
        let is_known = self.told.as_ref().is_some_and(|(facts, told_at)| {
            let is_same = facts.partitions == partitions && facts.counts == counts && facts.paused.as_ref() == paused;
            is_same && now < *told_at + TELL_AGAIN_AFTER
        });
        if is_known {
            return;
        }
        let PhaseCounts { waiting, asking, ready, sent, delivered } = counts;
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.waiting.set(count(waiting));
        self.asking.set(count(asking));
        self.unpublished.set(count(ready + sent + delivered));
        let present = paused.map(Paused::reason);
        for (reason, share) in &mut self.paused {
            share.set(i64::from(present == Some(*reason)));
        }
        let in_flight = waiting + asking + ready + sent + delivered;
        deps.status.turned(partitions, in_flight, paused.cloned());
        self.told = Some((Facts { partitions, counts, paused: paused.cloned() }, now));
    }
}
