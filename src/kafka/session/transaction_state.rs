//! Where the producer's transaction stands (KIP-98, KIP-447): outcomes and the offsets of what they answer become
//! visible together.
//!
//! One transaction is open at a time, never while a provider is asked: it begins with the first outcome that is ready
//! and ends after a moment. Outcomes that come meanwhile go into the next one.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use crate::kafka::client::cluster::Ticket;
use crate::kafka::client::transaction_calls::{LOST_AFTER, TIMEOUT};

/// How long a transaction collects outcomes.
const COLLECTS: Duration = Duration::from_millis(200);
/// Outcomes in one transaction.
const MAX_OUTCOMES: usize = 5_000;
/// Wait before an initialisation that failed is tried again.
const INIT_AGAIN_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The coordinator does not know the producer yet.
    New { not_before: Instant },
    /// No transaction is open.
    Idle,
    /// Takes outcomes.
    Open,
    /// Waits for the broker's word on what was sent.
    Closing,
    /// A blocking call is under way: to initialise, commit or abort.
    Ending { since: Instant },
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransactionStep {
    /// Nothing.
    Wait,
    /// Introduce the producer to the coordinator.
    Init,
    /// Commit: everything that was sent was delivered.
    Commit,
    /// Abort: something would be missing.
    Abort,
}

/// A delivery that failed.
#[derive(Debug)]
pub(super) struct FailedDelivery {
    pub(super) ticket: Ticket,
    pub(super) code: RDKafkaErrorCode,
    /// Whether the report can only mean this record, and not the batch that it was in.
    pub(super) was_alone: bool,
}

/// A producer's transactions, one after the other.
#[derive(Debug)]
pub(super) struct TransactionState {
    phase: Phase,
    began_at: Instant,
    sent: usize,
    delivered: Vec<Ticket>,
    refused: Vec<FailedDelivery>,
    /// The client takes nothing more in this transaction.
    is_failed: bool,
    /// The group refused the last commit. Until it takes one again, a transaction has one outcome: all others would be
    /// published only to be aborted, several times a second, for as long as a rebalance may last.
    is_trial: bool,
}

impl TransactionState {
    /// Of a producer that is new.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            phase: Phase::New { not_before: now },
            began_at: now,
            sent: 0,
            delivered: Vec::new(),
            refused: Vec::new(),
            is_failed: false,
            is_trial: false,
        }
    }

    /// True if an outcome may be sent now, in this transaction or in one that begins with it.
    pub(super) fn takes(&self) -> bool {
        let has_room = !self.is_trial || self.sent == 0;
        self.phase == Phase::Idle || self.phase == Phase::Open && !self.is_failed && has_room
    }

    /// True if one has to begin before the next outcome is sent.
    pub(super) fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// True from its beginning until a call that ends it.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Closing)
    }

    /// True if the broker may have aborted it for its age. Whoever is fenced then has fenced itself.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        !matches!(self.phase, Phase::New { .. } | Phase::Idle) && now.duration_since(self.began_at) >= TIMEOUT / 2
    }

    /// True if a call does not come back. The client limits its calls, but loses some (librdkafka 2.12.1:
    /// `send_offsets_to_transaction` when the group's coordinator dies). The next producer ends the transaction.
    pub(super) fn is_stuck(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Ending { since } if now.duration_since(since) >= LOST_AFTER)
    }

    pub(super) fn begun(&mut self, now: Instant) {
        (self.phase, self.began_at, self.sent, self.is_failed) = (Phase::Open, now, 0, false);
    }

    pub(super) fn sent(&mut self) {
        self.sent += 1;
    }

    pub(super) fn delivered(&mut self, ticket: Ticket) {
        self.delivered.push(ticket);
    }

    /// A delivery failed, and with it the transaction.
    pub(super) fn refused(&mut self, refused: FailedDelivery) {
        self.refused.push(refused);
        self.is_failed = true;
    }

    /// It cannot be committed.
    pub(super) fn failed(&mut self) {
        self.is_failed = true;
    }

    /// The group has taken the commit, or refused it.
    pub(super) fn group_answered(&mut self, is_refusal: bool) {
        self.is_trial = is_refusal;
    }

    /// The next step, given how much of what was sent the broker has not reported on. `is_urgent` ends the collecting,
    /// except after a refusal. An abort does not wait for reports: the client sends nothing more of a transaction that
    /// has failed.
    pub(super) fn next(&mut self, unacknowledged: usize, is_urgent: bool, now: Instant) -> TransactionStep {
        let is_full = self.sent >= MAX_OUTCOMES || now.duration_since(self.began_at) >= COLLECTS;
        let is_hurried = is_urgent && !self.is_trial;
        if self.phase == Phase::Open && (is_full || is_hurried || self.is_failed) {
            self.phase = Phase::Closing;
        }
        match self.phase {
            Phase::New { not_before } if now >= not_before => TransactionStep::Init,
            Phase::Closing if self.is_failed => TransactionStep::Abort,
            Phase::Closing if unacknowledged == 0 => TransactionStep::Commit,
            Phase::New { .. } | Phase::Idle | Phase::Open | Phase::Closing | Phase::Ending { .. } => {
                TransactionStep::Wait
            }
        }
    }

    /// The step has begun.
    pub(super) fn ending(&mut self, now: Instant) {
        self.phase = Phase::Ending { since: now };
    }

    /// What the transaction that is being committed contains.
    pub(super) fn outcomes(&self) -> &[Ticket] {
        &self.delivered
    }

    /// The step is done: what was delivered, and what was refused.
    pub(super) fn ended(&mut self) -> (Vec<Ticket>, Vec<FailedDelivery>) {
        self.phase = Phase::Idle;
        (std::mem::take(&mut self.delivered), std::mem::take(&mut self.refused))
    }

    /// The coordinator knows the producer.
    pub(super) fn initialised(&mut self) {
        self.phase = Phase::Idle;
    }

    /// The coordinator could not be reached.
    pub(super) fn not_initialised(&mut self, now: Instant) {
        self.phase = Phase::New { not_before: now + INIT_AGAIN_AFTER };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(now: Instant) -> TransactionState {
        let mut transaction = TransactionState::new(now);
        assert_eq!(transaction.next(0, false, now), TransactionStep::Init);
        transaction.ending(now);
        assert!(!transaction.takes());
        transaction.ended();
        assert!(transaction.is_idle() && transaction.takes());
        transaction.begun(now);
        transaction
    }

    #[test]
    fn it_collects_for_a_moment_and_is_committed_when_all_is_delivered() {
        let now = Instant::now();
        let mut transaction = open(now);
        transaction.sent();
        assert_eq!(transaction.next(1, false, now), TransactionStep::Wait);
        assert!(transaction.takes());
        let later = now + COLLECTS;
        assert_eq!(transaction.next(1, false, later), TransactionStep::Wait, "one delivery is not reported yet");
        assert!(!transaction.takes(), "it is closing");
        transaction.delivered(Ticket(7));
        assert_eq!(transaction.next(0, false, later), TransactionStep::Commit);
        transaction.ending(later);
        assert_eq!(transaction.next(0, true, later), TransactionStep::Wait);
        assert_eq!(transaction.ended().0, [Ticket(7)]);
        assert!(transaction.is_idle() && !transaction.is_open());
    }

    #[test]
    fn a_refusal_aborts_it_at_once() {
        let now = Instant::now();
        let mut transaction = open(now);
        transaction.delivered(Ticket(1));
        transaction.refused(FailedDelivery {
            ticket: Ticket(2),
            code: RDKafkaErrorCode::MessageSizeTooLarge,
            was_alone: false,
        });
        assert_eq!(transaction.next(1, false, now), TransactionStep::Abort);
        let (delivered, refused) = transaction.ended();
        assert_eq!((delivered.len(), refused.len()), (1, 1));
    }

    #[test]
    fn urgency_and_number_end_the_collecting() {
        let now = Instant::now();
        assert_eq!(open(now).next(0, true, now), TransactionStep::Commit);
        let mut transaction = open(now);
        (0..MAX_OUTCOMES).for_each(|_| transaction.sent());
        assert_eq!(transaction.next(0, false, now), TransactionStep::Commit);
    }

    #[test]
    fn after_a_refusal_by_the_group_one_outcome_tries_it_out() {
        let now = Instant::now();
        let mut transaction = open(now);
        transaction.group_answered(true);
        assert!(transaction.takes());
        transaction.sent();
        assert!(!transaction.takes());
        assert_eq!(
            transaction.next(0, true, now),
            TransactionStep::Wait,
            "the group is not asked more often, whatever the hurry"
        );
        assert_eq!(transaction.next(0, false, now + COLLECTS), TransactionStep::Commit);
        transaction.ended();
        transaction.group_answered(false);
        transaction.begun(now);
        transaction.sent();
        assert!(transaction.takes());
    }

    #[test]
    fn only_an_old_transaction_can_have_been_aborted_by_the_broker() {
        let now = Instant::now();
        let transaction = open(now);
        assert!(!transaction.is_overdue(now) && transaction.is_overdue(now + TIMEOUT));
        assert!(!TransactionState::new(now).is_overdue(now + TIMEOUT));
    }

    #[test]
    fn a_call_that_does_not_come_back_is_noticed() {
        let now = Instant::now();
        let mut transaction = open(now);
        assert!(!transaction.is_stuck(now + LOST_AFTER), "no call is under way");
        transaction.ending(now + COLLECTS);
        assert!(!transaction.is_stuck(now + LOST_AFTER) && transaction.is_stuck(now + COLLECTS + LOST_AFTER));
    }

    #[test]
    fn an_initialisation_that_failed_waits() {
        let now = Instant::now();
        let mut transaction = TransactionState::new(now);
        transaction.not_initialised(now);
        assert_eq!(transaction.next(0, false, now), TransactionStep::Wait);
        assert_eq!(transaction.next(0, false, now + INIT_AGAIN_AFTER), TransactionStep::Init);
    }
}
