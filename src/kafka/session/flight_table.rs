//! All records in flight: their phases, how many there are in each, and the queues that they stand in.
//!
//! Every step from one phase to the next is a method here. A step that is not allowed in a record's phase is refused
//! and changes nothing, and so is one of a record that is not there any more.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use foldhash::fast::RandomState;

use super::flight::{Flight, Phase, PhaseCounts};
use super::publish_order::PublishOrder;
use super::send_queue::{NextSend, SendQueue};
use crate::delivery::outcome::{NoOutcome, Settled};
use crate::domain::record::Record;
use crate::kafka::client::cluster::Ticket;
use crate::kafka::client::commit::Partition;
use crate::kafka::handler::{BegunRecord, Job};
use crate::kafka::settings::Ordering;
use crate::ports::journal::{Claim, Claimed};
use crate::tasks::RecordTask;

/// What a step leads to.
enum Step {
    /// The next phase.
    Next(Phase),
    /// The same phase, in which it is not allowed.
    Refused(Phase),
}

/// The table of records in flight.
pub(super) struct FlightTable {
    flights: HashMap<Ticket, Flight, RandomState>,
    next_ticket: usize,
    counts: PhaseCounts,
    bytes: usize,
    /// Claims that nobody has been asked about yet.
    claims: Vec<(Ticket, Claim)>,
    /// Records that wait for a place among those who ask, oldest first.
    waiting: VecDeque<Ticket>,
    publish_order: PublishOrder,
    /// What the order lets go, and what is to be published next.
    released: VecDeque<Ticket>,
    send_queue: SendQueue,
}

impl FlightTable {
    pub(super) fn new(ordering: Ordering) -> Self {
        Self {
            flights: HashMap::default(),
            next_ticket: 0,
            counts: PhaseCounts::default(),
            bytes: 0,
            claims: Vec::new(),
            waiting: VecDeque::new(),
            publish_order: PublishOrder::new(ordering),
            released: VecDeque::new(),
            send_queue: SendQueue::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.flights.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }

    /// The size of all records in flight, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn counts(&self) -> PhaseCounts {
        self.counts
    }

    pub(super) fn get(&self, ticket: Ticket) -> Option<&Flight> {
        self.flights.get(&ticket)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Ticket, &Flight)> {
        self.flights.iter().map(|(ticket, flight)| (*ticket, flight))
    }

    /// A record was received, and the pipeline has come this far with it.
    pub(super) fn receive(
        &mut self,
        partition: Partition,
        record: Arc<Record>,
        received_at: Instant,
        BegunRecord { step, claim }: BegunRecord,
    ) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.publish_order.enter(ticket, &partition, record.key.as_deref());
        let phase = match claim {
            Some(claim) => {
                self.claims.push((ticket, claim));
                Phase::Claiming(step)
            }
            None => Phase::from(step),
        };
        *self.counts.of(&phase) += 1;
        let weight = record.weight();
        self.bytes += weight;
        self.flights.insert(ticket, Flight { partition, record, received_at, weight, phase });
        self.queue_for_next_phase(ticket);
    }

    /// Takes the claims that nobody has been asked about yet.
    pub(super) fn take_claims(&mut self) -> Vec<(Ticket, Claim)> {
        mem::take(&mut self.claims)
    }

    /// A record's claim is decided. `letter` makes its dead letter when another record has its event.
    pub(super) fn decide(&mut self, ticket: Ticket, claimed: Claimed, letter: impl FnOnce(&Record) -> Settled) {
        let is_decided = self.step(ticket, |phase, record| {
            let Phase::Claiming(step) = phase else { return Step::Refused(phase) };
            Step::Next(match claimed {
                Claimed::Granted => Phase::from(step),
                Claimed::Repeat => {
                    step.trace().end("repeat");
                    Phase::Skipped(NoOutcome::Repeated)
                }
                Claimed::Conflict => Phase::Ready(Settled { trace: step.trace(), ..letter(record) }),
            })
        });
        if is_decided {
            self.queue_for_next_phase(ticket);
        }
    }

    /// Lets the oldest record that waits ask. False if none does.
    pub(super) fn ask_next(&mut self, ask: impl FnOnce(Ticket, &Record, Box<Job>) -> RecordTask) -> bool {
        let Some(ticket) = self.waiting.pop_front() else { return false };
        self.step(ticket, |phase, record| {
            let Phase::Waiting(job) = phase else { return Step::Refused(phase) };
            Step::Next(Phase::Asking { _task: ask(ticket, record, job) })
        });
        true
    }

    /// A record that asked has its outcome.
    pub(super) fn answered(&mut self, ticket: Ticket, settled: Settled) {
        let is_answered = self.step(ticket, |phase, _| {
            if let Phase::Asking { .. } = phase { Step::Next(Phase::Ready(settled)) } else { Step::Refused(phase) }
        });
        if is_answered {
            self.queue_for_next_phase(ticket);
        }
    }

    /// The next record that the order lets go since it, or one before it, came to its end.
    pub(super) fn next_released(&mut self) -> Option<Ticket> {
        self.released.pop_front()
    }

    /// Closes a record that has no outcome of its own, and says why it has none. `None` if it has one.
    pub(super) fn close_skipped(&mut self, ticket: Ticket) -> Option<(Flight, NoOutcome)> {
        let Phase::Skipped(why) = self.flights.get(&ticket)?.phase else { return None };
        Some((self.close_if(ticket, |_| true)?, why))
    }

    /// The producer has taken a record's outcome.
    pub(super) fn sent(&mut self, ticket: Ticket) {
        let is_sent = self.step(ticket, |phase, _| {
            let Phase::Ready(settled) = phase else { return Step::Refused(phase) };
            settled.trace.send();
            Step::Next(Phase::Sent(settled))
        });
        if is_sent {
            self.send_queue.sent(ticket);
        }
    }

    /// The producer has not taken a record's outcome. True if it was to be sent alone, so that the refusal is about it.
    pub(super) fn not_taken(&mut self, ticket: Ticket) -> bool {
        self.send_queue.reported(ticket)
    }

    /// The broker has refused a record's outcome: whether it was alone. `None` if the producer does not have it.
    pub(super) fn refused(&mut self, ticket: Ticket) -> Option<bool> {
        let is_back = self.step(ticket, |phase, _| {
            if let Phase::Sent(settled) = phase { Step::Next(Phase::Ready(settled)) } else { Step::Refused(phase) }
        });
        is_back.then(|| self.send_queue.reported(ticket))
    }

    /// The broker has a record's outcome, outside of transactions: the record is done with.
    pub(super) fn acknowledged(&mut self, ticket: Ticket) -> Option<Flight> {
        let flight = self.close_if(ticket, |phase| matches!(phase, Phase::Sent(_)))?;
        self.send_queue.reported(ticket);
        self.send_queue.acknowledged(ticket);
        Some(flight)
    }

    /// The broker has a record's outcome, in a transaction that is not over.
    pub(super) fn delivered(&mut self, ticket: Ticket) -> bool {
        let is_delivered = self.step(ticket, |phase, _| {
            if let Phase::Sent(settled) = phase { Step::Next(Phase::Delivered(settled)) } else { Step::Refused(phase) }
        });
        if is_delivered {
            self.send_queue.reported(ticket);
        }
        is_delivered
    }

    /// The transaction with a record's outcome is committed: the record is done with.
    pub(super) fn committed(&mut self, ticket: Ticket) -> Option<Flight> {
        let flight = self.close_if(ticket, |phase| matches!(phase, Phase::Delivered(_)))?;
        self.send_queue.acknowledged(ticket);
        Some(flight)
    }

    /// The transaction with a record's outcome is aborted: the outcome is to be sent again.
    pub(super) fn aborted(&mut self, ticket: Ticket) -> Option<&Flight> {
        let is_back = self.step(ticket, |phase, _| {
            if let Phase::Delivered(settled) = phase { Step::Next(Phase::Ready(settled)) } else { Step::Refused(phase) }
        });
        if !is_back {
            return None;
        }
        self.send_queue.put(ticket);
        self.flights.get(&ticket)
    }

    /// A record has another outcome than the one that was ready.
    pub(super) fn replace_outcome(&mut self, ticket: Ticket, outcome: Settled) {
        self.step(ticket, |phase, _| {
            let Phase::Ready(former) = phase else { return Step::Refused(phase) };
            Step::Next(Phase::Ready(Settled { trace: former.trace, ..outcome }))
        });
    }

    /// Puts an outcome that is ready into its place in the send queue.
    pub(super) fn enqueue(&mut self, ticket: Ticket) {
        if self.is_ready(ticket) {
            self.send_queue.put(ticket);
        }
    }

    /// The same, and all of the queue waits until then.
    pub(super) fn enqueue_until(&mut self, ticket: Ticket, not_before: Instant) {
        if self.is_ready(ticket) {
            self.send_queue.put_back(ticket, not_before);
        }
    }

    /// The same for an outcome that may be too large, or was refused for the company that it was in: it is sent alone.
    pub(super) fn enqueue_suspect(&mut self, ticket: Ticket) {
        if self.is_ready(ticket) {
            self.send_queue.suspect(ticket);
        }
    }

    /// The next outcome of the send queue that may be sent now.
    pub(super) fn next_to_send(&mut self, now: Instant) -> Option<Ticket> {
        match self.send_queue.next(self.counts.sent, now) {
            NextSend::Send(ticket) | NextSend::SendAlone(ticket) => Some(ticket),
            NextSend::Wait => None,
        }
    }

    /// The outcomes that wait to be sent.
    pub(super) fn send_queue(&self) -> &SendQueue {
        &self.send_queue
    }

    /// Notes why a topic does not take this record's outcome. True if that is news.
    pub(super) fn complain(&mut self, ticket: Ticket, problem: String) -> bool {
        self.send_queue.complain(ticket, problem)
    }

    /// Forgets the records of these partitions for which nothing is being done yet. Their places in the order stay, so
    /// that nothing behind them is published before them.
    pub(super) fn forget_waiting(&mut self, is_leaving: impl Fn(&Partition) -> bool) {
        self.forget(|flight| flight.is_waiting() && is_leaving(&flight.partition));
    }

    /// Forgets all records of a partition, whatever is being done for them: their positions stay open, so they are
    /// consumed again. Returns how many of their outcomes were with the producer.
    pub(super) fn forget_partition(&mut self, partition: &Partition) -> usize {
        self.publish_order.remove(partition);
        self.forget(|flight| flight.partition == *partition)
    }

    /// Gives up everything.
    pub(super) fn clear(&mut self) {
        self.forget(|_| true);
    }

    fn forget(&mut self, is_forgotten: impl Fn(&Flight) -> bool) -> usize {
        let (counts, bytes, mut with_producer) = (&mut self.counts, &mut self.bytes, 0);
        self.flights.retain(|_, flight| {
            let is_forgotten = is_forgotten(flight);
            if is_forgotten {
                *counts.of(&flight.phase) -= 1;
                *bytes -= flight.weight;
                with_producer += usize::from(flight.is_with_producer());
            }
            !is_forgotten
        });
        let flights = &self.flights;
        self.claims.retain(|(ticket, _)| flights.contains_key(ticket));
        self.waiting.retain(|ticket| flights.contains_key(ticket));
        self.send_queue.retain(|ticket| flights.contains_key(&ticket));
        with_producer
    }

    /// Takes a record from one phase to the next. False if it is not there, or not in a phase in which it takes this
    /// step.
    fn step(&mut self, ticket: Ticket, step: impl FnOnce(Phase, &Record) -> Step) -> bool {
        let Some(flight) = self.flights.get_mut(&ticket) else { return false };
        *self.counts.of(&flight.phase) -= 1;
        let phase = mem::replace(&mut flight.phase, Phase::Skipped(NoOutcome::Repeated));
        let (phase, is_taken) = match step(phase, &flight.record) {
            Step::Next(next) => (next, true),
            Step::Refused(same) => (same, false),
        };
        *self.counts.of(&phase) += 1;
        flight.phase = phase;
        is_taken
    }

    /// Has a record wait where those of its phase wait.
    fn queue_for_next_phase(&mut self, ticket: Ticket) {
        let Some(flight) = self.flights.get(&ticket) else { return };
        match flight.phase {
            Phase::Waiting(_) => self.waiting.push_back(ticket),
            Phase::Ready(_) | Phase::Skipped(_) => {
                let key = flight.record.key.as_deref();
                self.publish_order.ready(ticket, &flight.partition, key, &mut self.released);
            }
            Phase::Claiming(_) | Phase::Asking { .. } | Phase::Sent(_) | Phase::Delivered(_) => {}
        }
    }

    fn is_ready(&self, ticket: Ticket) -> bool {
        self.flights.get(&ticket).is_some_and(|flight| flight.ready().is_some())
    }

    fn close_if(&mut self, ticket: Ticket, is_allowed: impl FnOnce(&Phase) -> bool) -> Option<Flight> {
        let Entry::Occupied(entry) = self.flights.entry(ticket) else { return None };
        if !is_allowed(&entry.get().phase) {
            return None;
        }
        let flight = entry.remove();
        *self.counts.of(&flight.phase) -= 1;
        self.bytes -= flight.weight;
        Some(flight)
    }
}

#[cfg(test)]
mod tests;
