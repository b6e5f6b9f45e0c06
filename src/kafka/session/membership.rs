//! Partitions come and go: assignments, drains, commits.
//!
//! A revocation is answered in steps while the loop goes on turning: pause what leaves, let what is under way finish until
//! a deadline, commit the closed prefix, wait for the broker to confirm, and only then give the partitions back, so that
//! the next owner starts after our commit. A lost assignment is somebody else's already: nothing of it is committed.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaResult;

use super::super::client::{self, ConsumerEvent};
use super::super::ledger::Partition;
use super::Session;

/// Time between commits while records flow.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
/// Time before a commit that failed is tried again.
const COMMIT_RETRY: Duration = Duration::from_millis(200);
/// Time that a revocation leaves to what is under way. Far below the rebalance timeout (`max.poll.interval.ms`, 5 min),
/// after which the group goes on without us.
const REVOKE_GRACE: Duration = Duration::from_secs(15);
/// Time that a commit has to be confirmed before partitions are given back regardless.
const COMMIT_GRACE: Duration = Duration::from_secs(5);

/// Partitions on their way out.
pub(super) struct Drain {
    /// What leaves; `None` is everything, because the process stops.
    leaving: Option<Vec<Partition>>,
    /// Revoked while the process stops: to be given back when everything is committed.
    revoked: Vec<Partition>,
    phase: Phase,
}

enum Phase {
    Settling { until: Instant },
    Committing { until: Instant },
}

impl Drain {
    fn new(leaving: Option<Vec<Partition>>, grace: Duration) -> Self {
        Self { leaving, revoked: Vec::new(), phase: Phase::Settling { until: Instant::now() + grace } }
    }

    /// True when the process stops.
    pub(super) fn is_final(&self) -> bool {
        self.leaving.is_none()
    }

    fn covers(&self, partition: &Partition) -> bool {
        self.leaving.as_ref().is_none_or(|leaving| leaving.contains(partition))
    }
}

impl Session<'_> {
    /// True if records of this partition are not to be taken in any more.
    pub(super) fn is_leaving(&self, partition: &Partition) -> bool {
        self.drain.as_ref().is_some_and(|drain| drain.covers(partition))
    }

    pub(super) fn handle_consumer_events(&mut self) -> KafkaResult<()> {
        while let Some(event) = self.consumer.context().take() {
            match event {
                ConsumerEvent::Assigned(partitions) => self.assigned(&partitions)?,
                ConsumerEvent::Revoked(partitions) => self.revoked(partitions)?,
            }
        }
        Ok(())
    }

    fn assigned(&mut self, partitions: &[Partition]) -> KafkaResult<()> {
        client::assign(&self.consumer, &client::list(partitions))?;
        for partition in partitions {
            self.ledger.assign(partition.clone());
        }
        self.parts.metrics.assigned.inc();
        self.parts.status.joined();
        tracing::info!(connector = &*self.parts.name, partitions = %names(partitions), "partitions assigned");
        // Said either way: the client may remember a pause from when the partition was ours before.
        self.pause_or_resume(partitions)
    }

    fn revoked(&mut self, partitions: Vec<Partition>) -> KafkaResult<()> {
        if self.consumer.assignment_lost() {
            self.parts.metrics.lost.inc();
            tracing::warn!(connector = &*self.parts.name, partitions = %names(&partitions), "partitions lost");
            return self.give_back(&partitions);
        }
        self.parts.metrics.revoked.inc();
        tracing::info!(connector = &*self.parts.name, partitions = %names(&partitions), "partitions revoked");
        if let Some(drain) = self.drain.as_mut().filter(|drain| drain.is_final()) {
            drain.revoked.extend(partitions);
            return Ok(());
        }
        // The client reports no second revocation before the first is answered; if it ever did, none may be forgotten.
        if let Some(earlier) = self.drain.take().and_then(|drain| drain.leaving) {
            self.give_back(&earlier)?;
        }
        self.consumer.pause(&client::list(&partitions))?;
        self.forget_waiting(|partition| partitions.contains(partition));
        self.drain = Some(Drain::new(Some(partitions), REVOKE_GRACE));
        Ok(())
    }

    /// One step of a drain. True when the process may stop.
    pub(super) fn advance_drain(&mut self) -> KafkaResult<bool> {
        if self.drain.is_none()
            && let Some(grace) = self.stop.requested()
        {
            tracing::info!(connector = &*self.parts.name, in_flight = self.in_flight.len(), "draining");
            self.forget_waiting(|_| true);
            self.drain = Some(Drain::new(None, grace));
        }
        let Some(drain) = &self.drain else { return Ok(false) };
        let now = Instant::now();
        let is_lost = self.consumer.assignment_lost();
        match drain.phase {
            Phase::Settling { until } if !is_lost => {
                if self.is_settled(drain) || now >= until {
                    self.commit_due = now;
                    self.set_phase(Phase::Committing { until: now + COMMIT_GRACE });
                }
                Ok(false)
            }
            // A commit from before the settling may be under way, and then does not cover what settled after it.
            Phase::Committing { until } if !is_lost && now < until && self.has_uncommitted(drain) => {
                self.commit_if_due();
                Ok(false)
            }
            Phase::Settling { .. } | Phase::Committing { .. } => self.finish_drain(),
        }
    }

    fn has_uncommitted(&self, drain: &Drain) -> bool {
        self.ledger.uncommitted().iter().any(|(partition, _)| drain.covers(partition))
    }

    fn set_phase(&mut self, phase: Phase) {
        if let Some(drain) = &mut self.drain {
            drain.phase = phase;
        }
    }

    fn finish_drain(&mut self) -> KafkaResult<bool> {
        let Some(Drain { leaving, revoked, .. }) = self.drain.take() else { return Ok(false) };
        match leaving {
            Some(leaving) => self.give_back(&leaving).map(|()| false),
            None => {
                if !revoked.is_empty() {
                    self.give_back(&revoked)?;
                }
                tracing::info!(connector = &*self.parts.name, unfinished = self.in_flight.len(), "drained");
                Ok(true)
            }
        }
    }

    /// True when nothing of the leaving partitions is under way that could still finish. While the gate is closed nobody's
    /// question can, and what is only waiting for a place will be done by the next owner.
    fn is_settled(&self, drain: &Drain) -> bool {
        let can_ask = self.parts.door.gate().is_open();
        !self.in_flight.values().any(|flight| {
            let is_under_way = flight.is_sent || (flight.task.is_some() && can_ask);
            is_under_way && drain.covers(&flight.partition)
        })
    }

    fn forget_waiting(&mut self, is_leaving: impl Fn(&Partition) -> bool) {
        let in_flight = &mut self.in_flight;
        let open_bytes = &mut self.open_bytes;
        self.waiting.retain(|ticket| {
            let leaves = in_flight.get(ticket).is_none_or(|flight| is_leaving(&flight.partition));
            if leaves && let Some(flight) = in_flight.remove(ticket) {
                *open_bytes -= flight.weight;
            }
            !leaves
        });
    }

    fn give_back(&mut self, partitions: &[Partition]) -> KafkaResult<()> {
        for partition in partitions {
            self.ledger.remove(partition);
            self.lanes.remove(partition);
            self.parts.metrics.remove_lag(&partition.topic, partition.number);
        }
        let leaving: Vec<_> = self
            .in_flight
            .iter()
            .filter(|(_, flight)| partitions.contains(&flight.partition))
            .map(|(ticket, _)| *ticket)
            .collect();
        for flight in leaving.into_iter().filter_map(|ticket| self.in_flight.remove(&ticket)) {
            self.open_bytes -= flight.weight;
            self.asking -= usize::from(flight.task.is_some());
            self.unacknowledged -= usize::from(flight.is_sent);
        }
        let in_flight = &self.in_flight;
        self.waiting.retain(|ticket| in_flight.contains_key(ticket));
        self.unsent.retain(|ticket| in_flight.contains_key(ticket));
        if self.drain.as_ref().is_some_and(|drain| !drain.is_final()) {
            self.drain = None;
        }
        client::unassign(&self.consumer, &client::list(partitions))
    }

    pub(super) fn commit_if_due(&mut self) {
        if Instant::now() >= self.commit_due {
            self.commit();
        }
    }

    /// Begins to note with the broker how far we are. Only partitions in the ledger, that is, ours, are ever part of it: the
    /// broker would take any (it does not check who owns a partition).
    fn commit(&mut self) {
        if self.committer.is_busy() {
            return;
        }
        self.commit_due = Instant::now() + COMMIT_INTERVAL;
        let offsets = self.ledger.uncommitted();
        if !offsets.is_empty() {
            self.committer.commit(offsets);
        }
    }

    pub(super) fn receive_commit(&mut self) {
        match self.committer.result() {
            None => {}
            Some(Ok(offsets)) => {
                self.parts.metrics.committed.inc();
                for (partition, next) in offsets {
                    self.ledger.committed(&partition, next);
                }
            }
            // The next commit covers what this one would have; a lost membership is reported as a revocation.
            Some(Err(error)) => {
                self.commit_due = Instant::now() + COMMIT_RETRY;
                self.parts.metrics.commit_errors.inc();
                tracing::warn!(connector = &*self.parts.name, %error, "offsets were not committed; trying again");
            }
        }
    }
}

fn names(partitions: &[Partition]) -> String {
    partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
