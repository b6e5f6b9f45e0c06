//! Exactly-once: outcomes in transactions, with the offsets of what they answer.
//!
//! A position closes when its transaction is handed over for commit, so that offsets and map in it speak of its own
//! outcomes. What cannot be known afterwards (a commit that timed out, an assignment that changed) ends the session:
//! the next one reads from what the group really has.

use rdkafka::error::RDKafkaErrorCode;

use super::commits::COMMIT_INTERVAL;
use super::flight::Flight;
use super::transaction_state::{FailedDelivery, TransactionState, TransactionStep};
use super::{Session, SessionError};
use crate::kafka::client::cluster::Ticket;
use crate::kafka::client::cluster::{Cluster, ClusterError, Request};
use crate::kafka::client::commit::Commit;
use crate::kafka::client::transaction_calls;
use crate::kafka::process::instance_slot;

impl<C: Cluster> Session<'_, C> {
    /// True if outcomes may go to the producer now.
    pub(super) fn may_send(&self) -> bool {
        self.transaction.as_ref().map_or_else(|| self.may_send_beside_commits(), TransactionState::takes)
    }

    /// Begins a transaction if none is open.
    ///
    /// # Errors
    /// The client's words, which end the session.
    pub(super) fn begin_transaction(&mut self) -> Result<(), ClusterError> {
        match self.transaction.as_mut().filter(|transaction| transaction.is_idle()) {
            Some(transaction) => {
                self.cluster.begin_transaction()?;
                transaction.begun(self.cluster.now());
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The broker has an outcome, in the transaction that is open.
    pub(super) fn delivered(&mut self, ticket: Ticket) {
        if let Some(transaction) = &mut self.transaction
            && self.flights.delivered(ticket)
        {
            transaction.delivered(ticket);
        }
    }

    /// The next step of the transaction.
    pub(super) fn advance_transaction(&mut self) -> Result<(), SessionError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let now = self.cluster.now();
        if self.transaction.as_ref().is_some_and(|transaction| transaction.is_stuck(now)) {
            return Err(SessionError::new("the Kafka client does not come back from ending a transaction"));
        }
        if self.cluster.is_busy() {
            return Ok(());
        }
        if now >= self.commit_clock.due && self.transaction.as_ref().is_some_and(TransactionState::is_idle) {
            self.commit_clock.due = now + COMMIT_INTERVAL;
            // What has an outcome from before moves the offset, too.
            if !self.ledger.uncommitted().is_empty() {
                self.begin_transaction()?;
            }
        }
        let is_urgent = self.drain.is_some();
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
        match transaction.next(self.flights.counts().sent, is_urgent, now) {
            TransactionStep::Wait => {}
            TransactionStep::Init => {
                transaction.ending(now);
                self.cluster.request(Request::InitTransactions);
            }
            TransactionStep::Abort => {
                transaction.ending(now);
                self.cluster.request(Request::AbortTransaction);
            }
            TransactionStep::Commit => self.commit_transaction()?,
        }
        Ok(())
    }

    fn commit_transaction(&mut self) -> Result<(), SessionError> {
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
        // Before ownership is looked at: a member that has not joined commits for anybody's partitions, and the broker
        // does not check who owns one.
        let is_member = self.cluster.note_membership();
        for flight in transaction.outcomes().iter().filter_map(|ticket| self.flights.get(*ticket)) {
            self.ledger.close_on_trial(&flight.partition, flight.record.position.offset);
        }
        let commits = self.ledger.uncommitted();
        self.intake.has_long_map = commits.iter().any(Commit::is_long);
        if commits.iter().any(|commit| !commit.map.is_whole) {
            return Err(SessionError::new(
                "what is finished does not fit into a commit's metadata; lower max_in_flight",
            ));
        }
        if !is_member || self.cluster.is_lost() || self.ledger.partitions().next().is_none() {
            return Err(SessionError::new("the transaction's partitions are gone"));
        }
        let now = self.cluster.now();
        transaction.ending(now);
        self.commit_clock.due = now + COMMIT_INTERVAL;
        self.cluster.request(Request::CommitTransaction(commits));
        Ok(())
    }

    pub(super) fn transactions_initialised(
        &mut self,
        initialised: Result<(), ClusterError>,
    ) -> Result<(), SessionError> {
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
        match initialised {
            Ok(()) => transaction.initialised(),
            Err(error) if !error.is_fatal => {
                transaction.not_initialised(self.cluster.now());
                let connector = &*self.deps.name;
                tracing::debug!(connector, %error, "the transaction coordinator does not answer; trying again");
            }
            Err(error) => return Err(self.transaction_failed(&error)),
        }
        Ok(())
    }

    pub(super) fn transaction_committed(
        &mut self,
        committed: Result<Vec<Commit>, ClusterError>,
    ) -> Result<(), SessionError> {
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
        match committed {
            Ok(commits) => {
                let (delivered, _) = transaction.ended();
                transaction.group_answered(false);
                self.deps.metrics.committed.inc();
                commits.into_iter().for_each(|commit| self.ledger.committed(commit));
                for ticket in delivered {
                    if let Some(flight) = self.flights.committed(ticket) {
                        self.close(flight);
                    }
                }
                Ok(())
            }
            // The group has moved on since we looked; nothing was committed.
            Err(error) if error.requires_abort && transaction_calls::is_of_former_member(error.code) => {
                self.deps.metrics.commit_errors.inc();
                tracing::warn!(connector = &*self.deps.name, brokers = self.deps.brokers(), %error, "the transaction was not committed; repeating it");
                transaction.group_answered(true);
                transaction.ending(self.cluster.now());
                self.cluster.request(Request::AbortTransaction);
                Ok(())
            }
            Err(error) => {
                self.deps.metrics.commit_errors.inc();
                Err(self.transaction_failed(&error))
            }
        }
    }

    pub(super) fn transaction_aborted(&mut self, aborted: Result<(), ClusterError>) -> Result<(), SessionError> {
        if let Err(error) = aborted {
            return Err(self.transaction_failed(&error));
        }
        // What was sent and never left the client is reported on by now.
        self.receive_deliveries()?;
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
        let (delivered, refused) = transaction.ended();
        for ticket in delivered {
            if let Some(flight) = self.flights.aborted(ticket) {
                self.ledger.reopen(&flight.partition, flight.record.position.offset);
            }
        }
        for FailedDelivery { ticket, code, was_alone } in refused {
            // Its partition may have left since the report.
            if self.flights.get(ticket).is_none() {
                continue;
            }
            if matches!(code, RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight) {
                self.unsent(ticket, was_alone);
            } else {
                self.refused(ticket, code, was_alone);
            }
        }
        Ok(())
    }

    /// What an error of the producer means for the session.
    pub(super) fn transaction_failed(&self, error: &ClusterError) -> SessionError {
        let is_overdue =
            self.transaction.as_ref().is_some_and(|transaction| transaction.is_overdue(self.cluster.now()));
        if self.transaction.is_some() && transaction_calls::is_fenced(error.code) && !is_overdue {
            return SessionError::for_good(
                "another process took over the transactions of this connector; give each process a group.instance.id of its own",
            );
        }
        SessionError::new(self.denial(error.code).unwrap_or_else(|| format!("transaction: {error}")))
    }

    /// What the cluster does not permit, and what to do.
    fn denial(&self, code: Option<RDKafkaErrorCode>) -> Option<String> {
        let (topics, connector) = (&self.deps.topics, &self.deps.name);
        if code == Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed) {
            let ids = instance_slot::id_prefix(&topics.group, connector);
            let what = "no transactions are permitted (TransactionalIdAuthorizationFailed)";
            return Some(format!("{what}; permit WRITE of transactional ids that begin with {ids}"));
        }
        // What a producer gets that may not write to any topic (KIP-679).
        let is_of_all = code == Some(RDKafkaErrorCode::ClusterAuthorizationFailed);
        let why = if is_of_all { "ClusterAuthorizationFailed".to_owned() } else { self.cluster.denied_output()? };
        let outputs = topics.outputs().map(|topic| &**topic).collect::<Vec<_>>().join(" and ");
        Some(format!("a topic may not be written ({why}); permit WRITE of {outputs}"))
    }

    /// Whether this record's outcome is delivered but not committed, or waits only for the next transaction.
    pub(super) fn is_in_next_transaction(&self, ticket: Ticket, flight: &Flight) -> bool {
        let waits = || self.flights.send_queue().problem().is_none() && self.flights.send_queue().contains(ticket);
        self.transaction.is_some() && (flight.is_delivered() || waits())
    }

    /// Ends what is open, so that readers of the topics need not wait for its timeout.
    pub(super) fn abandon_transaction(&mut self) {
        if self.transaction.take().is_some_and(|transaction| transaction.is_open())
            && let Err(error) = self.cluster.abandon_transaction()
        {
            tracing::debug!(%error, "aborting the transaction at the end of a session");
        }
    }
}
