//! From an outcome to its acknowledgement.

use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;

use super::send_queue::NextSend;
use super::transaction_state::TransactionState;
use super::{InFlight, Session, SessionError};
use crate::delivery::outcome::{RecordOutcome, Settled};
use crate::domain::answer::CacheHit;
use crate::domain::failure::{Code, Failure};
use crate::kafka::client::cluster::Ticket;
use crate::kafka::client::cluster::{Cluster, ClusterError};

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
    pub(super) fn receive_answers(&mut self) -> bool {
        let mut any = false;
        while let Ok((ticket, settled)) = self.answers.1.try_recv() {
            self.answered(ticket, settled);
            any = true;
        }
        any
    }

    pub(super) fn answered(&mut self, ticket: Ticket, settled: Settled) {
        // A record whose partition was lost in the meantime is not ours to publish.
        if let Some(flight) = self.in_flight.get_mut(&ticket) {
            flight.task = None;
            self.asking -= 1;
            self.settled(ticket, settled);
        }
    }

    /// The outcome is known: publish what may be published now.
    pub(super) fn settled(&mut self, ticket: Ticket, settled: Settled) {
        if let Some(flight) = self.in_flight.get_mut(&ticket) {
            flight.settled = Some(settled);
            self.release(ticket);
        }
    }

    /// Publishes what the order releases now that this record is ready. One without an outcome is a repetition.
    pub(super) fn release(&mut self, ticket: Ticket) {
        let Some(flight) = self.in_flight.get(&ticket) else { return };
        for ticket in self.publish_order.ready(ticket, &flight.partition, flight.record.key.as_deref()) {
            self.publish(ticket);
        }
    }

    fn publish(&mut self, ticket: Ticket) {
        if self.in_flight.get(&ticket).is_some_and(|flight| flight.settled.is_none()) {
            self.repeated(ticket);
        } else if self.is_over_the_limit(ticket) {
            // It may pass compressed; if not, nobody else is refused for it.
            self.send_queue.suspect(ticket);
        } else if self.send_queue.is_empty() && self.may_send() {
            self.send(ticket);
        } else {
            // Behind records that could not be sent, a later one waits its turn.
            self.send_queue.put(ticket);
        }
    }

    fn is_over_the_limit(&self, ticket: Ticket) -> bool {
        let settled = self.in_flight.get(&ticket).and_then(|flight| flight.settled.as_ref());
        settled.is_some_and(|settled| {
            let limit = match settled.outcome {
                RecordOutcome::Result { .. } => self.limits.0,
                RecordOutcome::DeadLetter { .. } => self.limits.1,
            };
            limit.is_some_and(|limit| settled.outgoing.weight() > limit)
        })
    }

    fn send(&mut self, ticket: Ticket) {
        if let Err(error) = self.begin_transaction() {
            self.error = Some(self.transaction_failed(&error));
            return;
        }
        let Some(flight) = self.in_flight.get_mut(&ticket) else { return };
        let Some(settled) = &flight.settled else { return };
        let topic = match settled.outcome {
            RecordOutcome::Result { .. } => &self.deps.topics.sink_topic,
            RecordOutcome::DeadLetter { .. } => &self.deps.topics.dead_letter_topic,
        };
        match self.cluster.send(topic, &settled.outgoing, ticket) {
            Ok(()) => {
                flight.is_sent = true;
                self.unacknowledged += 1;
                self.transaction.iter_mut().for_each(TransactionState::sent);
            }
            Err(code) => {
                let was_alone = self.send_queue.reported(ticket);
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
            && let NextSend::Send(ticket) | NextSend::SendAlone(ticket) =
                self.send_queue.next(self.unacknowledged, self.cluster.now())
        {
            self.send(ticket);
        }
    }

    pub(super) fn receive_deliveries(&mut self) -> Result<bool, SessionError> {
        let deliveries = self.cluster.deliveries();
        let any = !deliveries.is_empty();
        for (ticket, outcome) in deliveries {
            let Some(flight) = self.in_flight.get_mut(&ticket).filter(|flight| flight.is_sent) else { continue };
            flight.is_sent = false;
            self.unacknowledged -= 1;
            let was_alone = self.send_queue.reported(ticket);
            match outcome {
                _ if self.transaction.is_some() => self.reported(ticket, outcome, was_alone),
                Ok(()) => self.acknowledged(ticket),
                Err(code) => self.refused(ticket, code, was_alone),
            }
        }
        match self.cluster.fatal_error() {
            Some(code) => Err(self.transaction_failed(&ClusterError::from(code))),
            None => Ok(any),
        }
    }

    fn repeated(&mut self, ticket: Ticket) {
        if self.close(ticket).is_some() {
            self.deps.metrics.repeats.inc();
            if let Some(observer) = &self.deps.observer {
                observer.repeated();
            }
        }
    }

    /// The record is done with.
    fn close(&mut self, ticket: Ticket) -> Option<InFlight> {
        let flight = self.in_flight.remove(&ticket)?;
        self.open_bytes -= flight.weight;
        self.ledger.close(&flight.partition, flight.record.position.offset);
        Some(flight)
    }

    pub(super) fn acknowledged(&mut self, ticket: Ticket) {
        let Some(flight) = self.close(ticket) else { return };
        self.send_queue.acknowledged(ticket);
        let Some(settled) = flight.settled else { return };
        let took = self.cluster.now().duration_since(flight.received_at);
        let metrics = &self.deps.metrics;
        metrics.record_seconds.observe(took.as_secs_f64());
        match settled.outcome {
            RecordOutcome::Result { cache_hit, confidence, reference_usd } => {
                metrics.reference_cost_usd.inc_by(reference_usd);
                match cache_hit {
                    CacheHit::None => metrics.answered.inc(),
                    CacheHit::Memory => metrics.remembered.inc(),
                    CacheHit::Redis => metrics.shared.inc(),
                    CacheHit::Journal => metrics.recalled.inc(),
                };
                metrics.confidence.observe(confidence);
            }
            RecordOutcome::DeadLetter { code } => {
                metrics.dead_letter(code);
                if let Some(unsaid) = self.dead_letter_log.due(code) {
                    let (connector, position) = (&*self.deps.name, &flight.record.position);
                    let detail = settled.detail.as_deref().unwrap_or_default();
                    tracing::warn!(connector, %code, %position, detail, unsaid, "dead letter");
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
            self.send_queue.suspect(ticket);
        } else {
            self.send_queue.put(ticket);
        }
    }

    /// `is_about_it` says whether the refusal can only mean this record, and not the batch that it was in.
    pub(super) fn refused(&mut self, ticket: Ticket, code: RDKafkaErrorCode, is_about_it: bool) {
        match Refusal::of(code) {
            Refusal::Record(failure_code) if is_about_it => self.replace(ticket, failure_code, code),
            Refusal::Record(_) => self.send_queue.suspect(ticket),
            Refusal::QueueFull => self.send_queue.put_back(ticket, self.cluster.now() + QUEUE_FULL_WAIT),
            Refusal::Kafka | Refusal::Fatal => {
                self.complain(ticket, code);
                self.send_queue.put_back(ticket, self.cluster.now() + SEND_AGAIN_AFTER);
            }
        }
    }

    /// A result that its topic cannot take becomes a dead letter, and a dead letter too large for its topic a pointer. A
    /// pointer that is refused has nothing smaller to become: it waits, with its position open, and says so.
    fn replace(&mut self, ticket: Ticket, failure_code: Code, code: RDKafkaErrorCode) {
        let Some(flight) = self.in_flight.get_mut(&ticket) else { return };
        let Some(settled) = flight.settled.take() else { return };
        let (handler, record) = (&self.deps.handler, &flight.record);
        flight.settled = Some(match settled.outcome {
            RecordOutcome::Result { .. } => {
                let detail = format!("topic {} refused the result: {code}", self.deps.topics.sink_topic);
                handler.dead_letter(record, &Failure::new(failure_code, detail))
            }
            RecordOutcome::DeadLetter { code: original } if !settled.is_pointer => {
                handler.dead_letter_pointer(record, original)
            }
            RecordOutcome::DeadLetter { .. } => {
                flight.settled = Some(settled);
                self.complain(ticket, code);
                self.send_queue.put_back(ticket, self.cluster.now() + SEND_AGAIN_AFTER);
                return;
            }
        });
        self.publish(ticket);
    }

    fn complain(&mut self, ticket: Ticket, code: RDKafkaErrorCode) {
        let is_dead_letter = self
            .in_flight
            .get(&ticket)
            .and_then(|flight| flight.settled.as_ref())
            .is_some_and(|settled| matches!(settled.outcome, RecordOutcome::DeadLetter { .. }));
        let topics = &self.deps.topics;
        let topic = if is_dead_letter { &topics.dead_letter_topic } else { &topics.sink_topic };
        let is_denied = code == RDKafkaErrorCode::TopicAuthorizationFailed;
        let advice = if is_denied { "; permit WRITE of it" } else { "" };
        let problem = format!("topic {topic} does not take records: {code}{advice}");
        if self.send_queue.complain(ticket, problem.clone()) {
            tracing::warn!(connector = &*self.deps.name, problem, "intake pauses until outcomes can be published");
        }
    }
}
