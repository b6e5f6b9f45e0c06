//! Partitions come and go: assignments and drains.
//!
//! An assignment is answered when the group has said what earlier owners committed: an offset, and a map of what has an
//! outcome beyond it.
//!
//! A revocation is answered in steps while the loop goes on turning: let what is under way finish until a deadline,
//! commit the closed prefix, wait for the broker to confirm, and only then give the partitions back, so that the next
//! owner starts after our commit. A lost assignment is somebody else's already: the session ends, and its producer
//! takes with it what it had not sent.

use std::time::{Duration, Instant};

use super::drain::Drain;
use super::flight::Flight;
use super::{Session, SessionError};
use crate::kafka::client::cluster::{self, Cluster, ClusterError, Done, Event, Fetched, Request};
use crate::kafka::client::commit::Partition;

/// Time before what was committed is asked for again.
const FETCH_RETRY: Duration = Duration::from_millis(200);
/// Time that a revocation leaves to what is under way. The client fetches nothing of any partition meanwhile, so it is
/// short; and far below the rebalance timeout (`max.poll.interval.ms`, 5 min), after which the group goes on without
/// us.
const REVOKE_GRACE: Duration = Duration::from_secs(15);
/// Time that a commit has to be confirmed before partitions are given back regardless.
pub(super) const COMMIT_GRACE: Duration = Duration::from_secs(5);
/// Time that records under way have when the clients are built anew for a secret that was replaced: that of a revocation,
/// since connections that exist go on with the former one.
const NEW_SECRET_GRACE: Duration = REVOKE_GRACE;

impl<C: Cluster> Session<'_, C> {
    /// True if records of this partition are not to be taken in any more.
    pub(super) fn is_leaving(&self, partition: &Partition) -> bool {
        self.drain.as_ref().is_some_and(|drain| drain.covers(partition))
    }

    pub(super) fn handle_consumer_events(&mut self) -> Result<(), SessionError> {
        while let Some(event) = self.cluster.event() {
            match event {
                // There is nothing to ask the group, but the client waits for an answer all the same.
                Event::Assigned(partitions) if partitions.is_empty() => self.assigned(Fetched::default())?,
                Event::Assigned(partitions) => self.joining.partitions.extend(partitions),
                Event::Revoked(partitions) => self.revoked(partitions)?,
            }
        }
        if !self.joining.partitions.is_empty()
            && !self.cluster.is_busy()
            && self.cluster.now() >= self.joining.fetch_due
        {
            self.joining.is_fetching = true;
            self.cluster.request(Request::Fetch(self.joining.partitions.clone()));
        }
        Ok(())
    }

    fn assigned(&mut self, fetched: Fetched) -> Result<(), ClusterError> {
        let connector = &*self.deps.name;
        for (partition, reason) in &fetched.refused {
            let advice = "what was completed beyond the committed offset is done again";
            tracing::warn!(connector, %partition, "the commit's metadata {reason}: {advice}");
        }
        for (partition, offsets) in &fetched.deleted {
            let (from, next, count) = (offsets.start, offsets.end, offsets.end - offsets.start);
            self.deps.metrics.deleted.inc_by(u64::try_from(count).unwrap_or_default());
            let advice = "no outcome can be published for them; raise retention.ms or add instances";
            tracing::error!(connector, %partition, from, next, count, "offsets were deleted before they were read: {advice}");
        }
        self.cluster.assign(&fetched.list)?;
        self.joining.partitions.clear();
        let partitions: Vec<Partition> = fetched.partitions().cloned().collect();
        for (partition, committed) in fetched.committed {
            self.ledger.assign(partition, committed);
        }
        self.quarantined = self.quarantine.quarantined();
        self.deps.metrics.assigned.inc();
        self.deps.status.joined();
        let consumer = self.deps.consumer;
        tracing::info!(connector, consumer, partitions = %names(&partitions), "partitions assigned");
        self.intake.client_pauses.fetch_begins(self.cluster.now());
        Ok(())
    }

    fn revoked(&mut self, partitions: Vec<Partition>) -> Result<(), SessionError> {
        let (connector, consumer) = (&*self.deps.name, self.deps.consumer);
        if self.cluster.is_lost() {
            self.deps.metrics.lost.inc();
            tracing::warn!(connector, consumer, partitions = %names(&partitions), "partitions lost");
            return Err(SessionError::new("the group went on without this instance"));
        }
        self.deps.metrics.revoked.inc();
        tracing::info!(connector, consumer, partitions = %names(&partitions), "partitions revoked");
        self.take_joining()?;
        let until = self.cluster.now() + REVOKE_GRACE;
        if let Some(drain) = self.drain.as_mut().filter(|drain| drain.is_final()) {
            drain.owed.extend(partitions);
            drain.until = drain.until.min(until);
            return Ok(());
        }
        // The client reports no second revocation before the first is answered; if it ever did, none may be forgotten.
        if let Some(earlier) = self.drain.take().and_then(|drain| drain.leaving) {
            self.give_back(&earlier)?;
        }
        self.flights.forget_waiting(|partition| partitions.contains(partition));
        self.drain = Some(Drain { leaving: Some(partitions), owed: Vec::new(), is_committing: false, until });
        Ok(())
    }

    /// Everything leaves. A revocation that is being drained becomes part of it.
    fn begin_final_drain(&mut self, deadline: Instant) {
        tracing::info!(connector = &*self.deps.name, in_flight = self.flights.len(), "draining");
        self.flights.forget_waiting(|_| true);
        let earlier = self.drain.take();
        let until = earlier.as_ref().filter(|drain| !drain.is_committing).map_or(deadline, |d| d.until.min(deadline));
        let owed = earlier.and_then(|drain| drain.leaving).unwrap_or_default();
        self.drain = Some(Drain { leaving: None, owed, is_committing: false, until });
    }

    /// Until when records under way may finish, once the session is to end: because the process stops, or because the
    /// clients know a secret that was replaced, and have to be built anew.
    fn final_deadline(&self) -> Option<Instant> {
        let for_new_secret = || self.cluster.has_former_secret().then(|| self.cluster.now() + NEW_SECRET_GRACE);
        self.stop.requested().or_else(for_new_secret)
    }

    /// One step of a drain. True when the session is over.
    pub(super) fn advance_drain(&mut self) -> Result<bool, ClusterError> {
        let is_stopping = self.drain.as_ref().is_some_and(Drain::is_final);
        if let Some(deadline) = self.final_deadline().filter(|_| !is_stopping) {
            self.begin_final_drain(deadline);
        }
        let now = self.cluster.now();
        let Some(drain) = &self.drain else { return Ok(false) };
        if !drain.is_committing {
            if now >= drain.until || self.is_settled(drain) {
                self.commit_clock.due = now;
                self.drain = self.drain.take().map(|d| Drain { is_committing: true, until: now + COMMIT_GRACE, ..d });
            }
            return Ok(false);
        }
        // A commit from before the settling may be under way, and then does not cover what settled after it.
        if now < drain.until && (self.is_uncommitted(drain) || self.is_in_transaction(drain)) {
            if self.transaction.is_none() {
                self.commit_if_due();
            }
            return Ok(false);
        }
        self.finish_drain()
    }

    fn finish_drain(&mut self) -> Result<bool, ClusterError> {
        let Some(Drain { leaving, owed, .. }) = self.drain.take() else { return Ok(false) };
        if let Some(leaving) = leaving {
            return self.give_back(&leaving).map(|()| false);
        }
        if !owed.is_empty() {
            self.give_back(&owed)?;
        }
        tracing::info!(connector = &*self.deps.name, unfinished = self.flights.len(), "drained");
        Ok(true)
    }

    /// True when nothing of the leaving partitions is under way that could still finish. Behind a closed gate only
    /// calls from before it closed can, with their retries, and what is only waiting for a place will be done by the
    /// next owner.
    fn is_settled(&self, drain: &Drain) -> bool {
        let gate = self.deps.handler.gate();
        let can_answer = gate.is_open() || gate.is_asked();
        !self.flights.iter().any(|(ticket, flight)| {
            let is_under_way =
                flight.is_sent() || self.is_in_next_transaction(ticket, flight) || (flight.is_asking() && can_answer);
            is_under_way && drain.covers(&flight.partition)
        })
    }

    fn is_uncommitted(&self, drain: &Drain) -> bool {
        self.ledger.uncommitted().iter().any(|commit| drain.covers(&commit.partition))
    }

    /// True while a transaction holds outcomes of what leaves.
    fn is_in_transaction(&self, drain: &Drain) -> bool {
        let is_inside = |flight: &Flight| flight.is_with_producer() && drain.covers(&flight.partition);
        self.transaction.is_some() && self.flights.iter().any(|(_, flight)| is_inside(flight))
    }

    /// Forgets what is in flight of a partition, whatever is being done for it.
    fn forget_partition(&mut self, partition: &Partition) {
        let with_producer = self.flights.forget_partition(partition);
        if with_producer > 0 && self.transaction.is_some() {
            // It would publish outcomes without their offsets.
            self.error = Some(SessionError::new("partitions left while their outcomes were in an open transaction"));
        }
    }

    fn give_back(&mut self, partitions: &[Partition]) -> Result<(), ClusterError> {
        for partition in partitions {
            self.ledger.remove(partition);
            self.forget_partition(partition);
            self.deps.metrics.remove_lag(&partition.topic, partition.number);
        }
        self.cluster.unassign(&cluster::list(partitions))
    }

    /// The partition's log begins anew (its topic was created again, or cut by an unclean election): what we knew of it
    /// is about another log.
    pub(super) fn log_restarted(&mut self, partition: &Partition, offset: i64) {
        tracing::warn!(connector = &*self.deps.name, %partition, offset, "the log of a partition begins anew");
        self.forget_partition(partition);
        self.ledger.assign(partition.clone(), None);
    }

    /// Takes what waits for its map, without one: it leaves before a record of it was taken in, and the client must
    /// have an answer to the assignment first.
    pub(super) fn take_joining(&mut self) -> Result<(), ClusterError> {
        if self.joining.partitions.is_empty() {
            return Ok(());
        }
        let list = cluster::list(&self.joining.partitions);
        self.joining.partitions.clear();
        self.intake.client_pauses.fetch_begins(self.cluster.now());
        self.cluster.assign(&list)
    }

    pub(super) fn receive_commit(&mut self) -> Result<(), SessionError> {
        match self.cluster.done() {
            None => {}
            Some(Done::Commit(committed)) => self.offsets_committed(committed),
            Some(Done::Fetch(fetched)) => self.fetched(fetched)?,
            Some(Done::InitTransactions(initialised)) => self.transactions_initialised(initialised)?,
            Some(Done::CommitTransaction(committed)) => self.transaction_committed(committed)?,
            Some(Done::AbortTransaction(aborted)) => self.transaction_aborted(aborted)?,
        }
        let is_gone = self.cluster.is_gone();
        if is_gone {
            Err(SessionError::new("nothing is committed: the thread is gone, or its call is lost"))
        } else {
            Ok(())
        }
    }

    /// The group has said, or not, what earlier owners committed.
    fn fetched(&mut self, fetched: Result<Fetched, ClusterError>) -> Result<(), ClusterError> {
        self.joining.is_fetching = false;
        match fetched {
            Ok(fetched) => {
                self.commit_clock.confirmed_at = self.cluster.now();
                // If others wait by now, they are asked for next.
                if fetched.partitions().eq(&self.joining.partitions) {
                    self.assigned(fetched)?;
                }
            }
            Err(error) => {
                self.joining.fetch_due = self.cluster.now() + FETCH_RETRY;
                let connector = &*self.deps.name;
                let brokers = self.deps.brokers();
                tracing::warn!(connector, brokers, %error, "committed offsets could not be read; trying again");
            }
        }
        Ok(())
    }
}

fn names(partitions: &[Partition]) -> String {
    partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
