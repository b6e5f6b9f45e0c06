//! From an outcome to its acknowledgement.

use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use tracing::field::display;

use super::flight::Flight;
use super::transaction_state::{FailedDelivery, TransactionState};
use super::{Session, SessionError};
use crate::delivery::outcome::{NoOutcome, RecordOutcome};
use crate::domain::answer::CacheHit;
use crate::domain::failure::{Code, Failure};
use crate::kafka::client::cluster::Ticket;
use crate::kafka::client::cluster::{Cluster, ClusterError};
use crate::kafka::record_trace;

/// Wait before records that a topic refused are sent again.
const SEND_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// The same when only the producer's queue was full.
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(10);

/// What a refused record calls for.
enum Refusal {
    /// The record is what is wrong.
    Record(Code),
    /// The producer's queue has no room at the moment.
    QueueFull,
    /// The topic or the broker is what is wrong.
    Kafka,
    /// The producer does nothing any more.
    Fatal,
}

impl Refusal {
    fn of(code: RDKafkaErrorCode) -> Self {
        use RDKafkaErrorCode as E;
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "about a hundred codes: what is not listed may pass with time"
        )]
        match code {
            E::MessageSizeTooLarge | E::InvalidMessageSize => Self::Record(Code::ResultTooLarge),
            E::InvalidRecord | E::InvalidMessage | E::InvalidTimestamp | E::PolicyViolation => {
                Self::Record(Code::ResultRejected)
            }
            // Another record of its batch was refused.
            E::QueueFull | E::InvalidDifferentRecord => Self::QueueFull,
            E::Fatal => Self::Fatal,
            _ => Self::Kafka,
        }
    }
}

impl<C: Cluster> Session<'_, C> {
    /// Publishes what the order lets go.
    pub(super) fn publish_released(&mut self) {
        while let Some(ticket) = self.flights.next_released() {
            match self.flights.close_skipped(ticket) {
                Some((flight, why)) => self.skipped(&flight, why),
                None => self.publish(ticket),
            }
        }
    }

    fn publish(&mut self, ticket: Ticket) {
        if self.is_over_the_limit(ticket) {
            // It may pass compressed; if not, nobody else is refused for it.
            self.flights.enqueue_suspect(ticket);
        } else if self.flights.send_queue().is_empty() && self.may_send() {
            self.send(ticket);
        } else {
            // Behind records that could not be sent, a later one waits its turn.
            self.flights.enqueue(ticket);
        }
    }

    fn is_over_the_limit(&self, ticket: Ticket) -> bool {
        let settled = self.flights.get(ticket).and_then(Flight::ready);
        settled.is_some_and(|settled| {
            let limit = match settled.outcome {
                RecordOutcome::Result { is_for_review: true, .. } => self.output_limits.reviews,
                RecordOutcome::Result { is_for_review: false, .. } => self.output_limits.results,
                RecordOutcome::DeadLetter { .. } => self.output_limits.dead_letters,
            };
            limit.is_some_and(|limit| settled.outgoing.weight() > limit)
        })
    }

    fn send(&mut self, ticket: Ticket) {
        if let Err(error) = self.begin_transaction() {
            self.error = Some(self.transaction_failed(&error));
            return;
        }
        let Some(settled) = self.flights.get(ticket).and_then(Flight::ready) else { return };
        match self.cluster.send(self.deps.topics.output(settled), &settled.outgoing, ticket) {
            Ok(()) => {
                self.flights.sent(ticket);
                self.transaction.iter_mut().for_each(TransactionState::sent);
            }
            Err(code) => {
                let was_alone = self.flights.not_taken(ticket);
                match &mut self.transaction {
                    // A record before it was refused, and the transaction with it.
                    Some(transaction) if code == RDKafkaErrorCode::State => {
                        transaction.failed();
                        self.unsent(ticket, was_alone);
                    }
                    // The client refuses records one by one.
                    _ => self.refused(ticket, code, true),
                }
            }
        }
    }

    pub(super) fn send_unsent(&mut self) {
        while self.may_send()
            && let Some(ticket) = self.flights.next_to_send(self.cluster.now())
        {
            self.send(ticket);
        }
    }

    pub(super) fn receive_deliveries(&mut self) -> Result<bool, SessionError> {
        let deliveries = self.cluster.deliveries();
        let any = !deliveries.is_empty();
        for (ticket, outcome) in deliveries {
            match outcome {
                Ok(()) if self.transaction.is_some() => self.delivered(ticket),
                Ok(()) => self.acknowledged(ticket),
                Err(code) => {
                    let Some(was_alone) = self.flights.refused(ticket) else { continue };
                    match &mut self.transaction {
                        Some(transaction) => transaction.refused(FailedDelivery { ticket, code, was_alone }),
                        None => self.refused(ticket, code, was_alone),
                    }
                }
            }
        }
        match self.cluster.fatal_error() {
            Some(code) => Err(self.transaction_failed(&ClusterError::from(code))),
            None => Ok(any),
        }
    }

    /// The broker has an outcome, outside of transactions.
    fn acknowledged(&mut self, ticket: Ticket) {
        if let Some(flight) = self.flights.acknowledged(ticket) {
            self.close(flight);
        }
    }

    fn skipped(&mut self, flight: &Flight, why: NoOutcome) {
        self.ledger.close(&flight.partition, flight.record.position.offset);
        let metrics = &self.deps.metrics;
        match why {
            NoOutcome::Repeated => metrics.repeats.inc(),
            NoOutcome::Filtered => metrics.filtered.inc(),
            NoOutcome::Tombstone => metrics.tombstones.inc(),
        };
        if let Some(observer) = &self.deps.observer {
            observer.skipped();
        }
    }

    /// The record is done with: its outcome is there for everybody to read.
    pub(super) fn close(&mut self, flight: Flight) {
        self.ledger.close(&flight.partition, flight.record.position.offset);
        let took = self.cluster.now().duration_since(flight.received_at);
        let position = flight.record.position.clone();
        let Some(settled) = flight.into_outcome() else { return };
        record_trace::published(&settled, self.deps.topics.output(&settled));
        let metrics = &self.deps.metrics;
        metrics.record_seconds.observe(took, settled.trace.exemplar(self.deps.handler.now()));
        match settled.outcome {
            RecordOutcome::Result { is_for_review, cache_hit, confidence, reference_usd } => {
                metrics.reference_cost_usd.inc_by(reference_usd);
                match (is_for_review, cache_hit) {
                    (true, _) => metrics.for_review.inc(),
                    (false, CacheHit::None) => metrics.answered.inc(),
                    (false, CacheHit::Memory) => metrics.remembered.inc(),
                    (false, CacheHit::Redis) => metrics.shared.inc(),
                    (false, CacheHit::Journal) => metrics.recalled.inc(),
                };
                metrics.confidence.observe(confidence);
            }
            RecordOutcome::DeadLetter { code } => {
                metrics.dead_letter(code);
                if let Some(unsaid) = self.logs.dead_letters.due(code) {
                    let connector = &*self.deps.name;
                    let detail = settled.detail.as_deref().unwrap_or_default();
                    let trace_id = settled.trace.id().map(display);
                    tracing::warn!(connector, %code, %position, trace_id, detail, unsaid, "dead letter");
                }
            }
        }
        if let Some(observer) = &self.deps.observer {
            observer.closed(&settled.outcome, took);
        }
    }

    /// It comes back for no reason of its own.
    pub(super) fn unsent(&mut self, ticket: Ticket, was_alone: bool) {
        if was_alone {
            self.flights.enqueue_suspect(ticket);
        } else {
            self.flights.enqueue(ticket);
        }
    }

    /// `is_about_it` says whether the refusal can only mean this record, and not the batch that it was in.
    pub(super) fn refused(&mut self, ticket: Ticket, code: RDKafkaErrorCode, is_about_it: bool) {
        match Refusal::of(code) {
            Refusal::Record(failure_code) if is_about_it => self.replace(ticket, failure_code, code),
            Refusal::Record(_) => self.flights.enqueue_suspect(ticket),
            Refusal::QueueFull => self.flights.enqueue_until(ticket, self.cluster.now() + QUEUE_FULL_WAIT),
            Refusal::Kafka | Refusal::Fatal => {
                self.complain(ticket, code);
                self.flights.enqueue_until(ticket, self.cluster.now() + SEND_AGAIN_AFTER);
            }
        }
    }

    /// A result that its topic cannot take becomes a dead letter, and a dead letter too large for its topic a pointer.
    /// A pointer that is refused has nothing smaller to become: it waits, with its position open, and says so.
    fn replace(&mut self, ticket: Ticket, failure_code: Code, code: RDKafkaErrorCode) {
        let Some(flight) = self.flights.get(ticket) else { return };
        let Some(settled) = flight.ready() else { return };
        let (handler, record) = (&self.deps.handler, &flight.record);
        let smaller = match settled.outcome {
            RecordOutcome::Result { .. } => {
                let topic = self.deps.topics.output(settled);
                let detail = format!("topic {topic} refused the result: {code}");
                handler.dead_letter(record, &Failure::new(failure_code, detail))
            }
            RecordOutcome::DeadLetter { code: original } if !settled.is_pointer => {
                handler.dead_letter_pointer(record, original)
            }
            RecordOutcome::DeadLetter { .. } => {
                self.complain(ticket, code);
                self.flights.enqueue_until(ticket, self.cluster.now() + SEND_AGAIN_AFTER);
                return;
            }
        };
        self.flights.replace_outcome(ticket, smaller);
        self.publish(ticket);
    }

    fn complain(&mut self, ticket: Ticket, code: RDKafkaErrorCode) {
        let Some(settled) = self.flights.get(ticket).and_then(Flight::ready) else { return };
        let topic = self.deps.topics.output(settled);
        let is_denied = code == RDKafkaErrorCode::TopicAuthorizationFailed;
        let advice = if is_denied { "; permit WRITE of it" } else { "" };
        let problem = format!("topic {topic} does not take records: {code}{advice}");
        if self.flights.complain(ticket, problem.clone()) {
            tracing::warn!(connector = &*self.deps.name, problem, "intake pauses until outcomes can be published");
        }
    }
}
