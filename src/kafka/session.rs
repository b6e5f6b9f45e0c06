//! One membership in the consumer group: the loop that polls, works, publishes and commits.
//!
//! A single thread owns the consumer, the producer and everything below; nothing here is locked. It turns at least every
//! 100 ms and never blocks on a provider, a full queue or the broker, because a consumer that does not poll is thrown out
//! of its group. Waiting for providers happens in tasks, which send what they found back to the loop.
//!
//! The walk of one record: [`Session::take`] opens its position and begins the pipeline; what needs a provider waits for a
//! place ([`Session::dispatch`]) and runs as a task; the outcome is [`Session::settled`], released in order,
//! [published](outcomes), acknowledged, and its position closed; a [commit](commits) then passes it.
//!
//! - `intake`: whether records are taken in; `client_pauses`: what the client was told of that; `gate_log`: what the log says of it;
//! - `claims`: whether a record's event has an outcome already;
//! - `publish_order`: the order in which outcomes are published; `send_queue`: those that wait to be sent;
//! - `outcomes`: from an outcome to its acknowledgement;
//! - `ledger`: which positions are open, and so what may be committed; `commits`: offsets beside what is published;
//! - `transactions`: offsets with what is published; `transaction_state`: where the transaction stands;
//! - `membership`: partitions come and go; `drain`: those on their way out;
//! - `denied_sources`: sources that may not be read; `source_denial`: whether there is one;
//! - `error`: why a session cannot go on.

mod claims;
mod client_pauses;
mod commits;
mod denied_sources;
mod drain;
mod error;
mod gate_log;
mod intake;
mod ledger;
mod membership;
mod outcomes;
mod publish_order;
mod send_queue;
mod source_denial;
mod transaction_state;
mod transactions;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::client_pauses::ClientPauses;
use self::drain::Drain;
pub(super) use self::error::SessionError;
use self::gate_log::GateLog;
use self::ledger::{Ledger, Opening, Stamp};
use self::publish_order::PublishOrder;
use self::send_queue::SendQueue;
use self::source_denial::SourceDenial;
use self::transaction_state::TransactionState;
use super::client::cluster::{self, Cluster, Received, Ticket};
use super::client::commit::Partition;
use super::dependencies::Dependencies;
use super::handler::{BegunRecord, Job, RecordStep};
use super::process::quarantine::{self, Quarantine};
use super::process::stop_request::StopRequest;
use super::settings::Guarantee;
use super::status::Paused;
use crate::delivery::outcome::Settled;
use crate::domain::failure::Code;
use crate::domain::record::{Position, Record};
use crate::ports::journal::{Claim, Claimed};
use crate::tasks::RecordTask;
use crate::telemetry::log_throttle::LogThrottle;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select};

/// Wait while acknowledgements are due; they are noticed by polling.
const NAP_UNACKNOWLEDGED: Duration = Duration::from_millis(1);
/// Wait while only providers are due; their answers end it at once, new records are noticed by polling.
const NAP_ASKING: Duration = Duration::from_millis(5);

/// What a task sends back.
type Answer = (Ticket, Settled);
/// What the task that has claims decided sends back.
type Decisions = Vec<(Ticket, Claimed)>;

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionTurn {
    /// Something moved, or there was nothing to do but to wait for a record.
    Busy,
    /// What is in flight waits for others.
    Idle,
    /// The session was asked to stop and has handed back its partitions.
    Over,
}

/// A record between receipt and acknowledgement.
struct InFlight {
    partition: Partition,
    record: Arc<Record>,
    received_at: Instant,
    weight: usize,
    /// How far it came, until the claim to its event is decided.
    held: Option<RecordStep>,
    /// Waits for a place among those who ask.
    job: Option<Box<Job>>,
    /// Asks; without it nobody waits for its calls any more.
    task: Option<RecordTask>,
    /// Is ready to be published, or was sent and is kept to be sent again.
    settled: Option<Settled>,
    /// The producer has it and has not reported on it.
    is_sent: bool,
    /// The broker has it, in a transaction that is not over.
    is_delivered: bool,
}

impl InFlight {
    /// Nothing is being done for it yet.
    fn is_waiting(&self) -> bool {
        self.held.is_some() || self.job.is_some()
    }

    /// The producer has its outcome, if only in a transaction that is not over.
    fn is_published(&self) -> bool {
        self.is_sent || self.is_delivered
    }
}

pub(super) struct Session<'a, C: Cluster> {
    deps: &'a Dependencies,
    stop: &'a StopRequest,
    cluster: C,
    ledger: Ledger,
    publish_order: PublishOrder,
    in_flight: HashMap<Ticket, InFlight>,
    open_bytes: usize,
    claims: Vec<(Ticket, Claim)>,
    deciding: Option<RecordTask>,
    decisions: (Sender<Decisions>, Receiver<Decisions>),
    waiting: VecDeque<Ticket>,
    asking: usize,
    unacknowledged: usize,
    send_queue: SendQueue,
    /// `None` where outcomes are published at least once.
    transaction: Option<TransactionState>,
    /// Why the transaction cannot go on; ends the session with the next turn.
    error: Option<SessionError>,
    answers: (Sender<Answer>, Receiver<Answer>),
    next_ticket: usize,
    full_since: Option<Instant>,
    /// The map of some partition is near what the broker takes.
    has_long_map: bool,
    /// What the topics for results and for dead letters take, where that is known.
    limits: (Option<usize>, Option<usize>),
    paused: Option<Paused>,
    client_pauses: ClientPauses,
    gate_log: GateLog,
    source_denial: SourceDenial,
    /// Assigned, but what was committed before is not known yet.
    joining: Vec<Partition>,
    fetch_due: Instant,
    commit_due: Instant,
    recommit_due: Instant,
    /// When the group last answered for our offsets, or there were none to commit.
    confirmed_at: Instant,
    is_fetching: bool,
    is_unconfirmed_said: bool,
    drain: Option<Drain>,
    quarantine: Arc<Quarantine>,
    quarantined: HashSet<Position>,
    dead_letter_log: LogThrottle<Code>,
    error_log: LogThrottle<String>,
}

impl<'a, C: Cluster> Session<'a, C> {
    /// A session of clients that have asked to join the group.
    pub(super) fn new(deps: &'a Dependencies, stop: &'a StopRequest, cluster: C, quarantine: Arc<Quarantine>) -> Self {
        let topics = &deps.topics;
        let is_exactly_once = topics.guarantee == Guarantee::ExactlyOnce;
        let now = cluster.now();
        Self {
            deps,
            stop,
            cluster,
            ledger: Ledger::default(),
            publish_order: PublishOrder::new(topics.ordering),
            in_flight: HashMap::new(),
            open_bytes: 0,
            claims: Vec::new(),
            deciding: None,
            decisions: bounded(1),
            waiting: VecDeque::new(),
            asking: 0,
            unacknowledged: 0,
            send_queue: SendQueue::default(),
            transaction: is_exactly_once.then(|| TransactionState::new(now)),
            error: None,
            answers: bounded(topics.max_in_flight),
            next_ticket: 0,
            full_since: None,
            has_long_map: false,
            limits: (None, None),
            paused: None,
            client_pauses: ClientPauses::new(now),
            gate_log: GateLog::default(),
            source_denial: SourceDenial::default(),
            joining: Vec::new(),
            fetch_due: now,
            commit_due: now,
            recommit_due: now,
            confirmed_at: now,
            is_fetching: false,
            is_unconfirmed_said: false,
            drain: None,
            quarantine,
            quarantined: HashSet::new(),
            dead_letter_log: LogThrottle::default(),
            error_log: LogThrottle::default(),
        }
    }

    /// Turns until it is told to stop or the clients fail for good.
    pub(super) fn run(mut self) -> Result<(), SessionError> {
        loop {
            match self.turn()? {
                SessionTurn::Busy => {}
                SessionTurn::Idle => self.nap(),
                SessionTurn::Over => return Ok(()),
            }
        }
    }

    /// One turn, which waits for nothing but a record when there is nothing else to do.
    pub(super) fn turn(&mut self) -> Result<SessionTurn, SessionError> {
        let mut has_progressed = self.receive_answers() | self.receive_decisions();
        has_progressed |= self.receive_deliveries()?;
        self.receive_commit()?;
        self.handle_consumer_events()?;
        self.dispatch();
        self.send_unsent();
        self.advance_transaction()?;
        self.adjust_intake()?;
        self.try_denied_again()?;
        has_progressed |= self.intake()? > 0;
        self.send_claims();
        if self.transaction.is_none() {
            self.commit_if_due();
        }
        if self.advance_drain()? {
            return Ok(SessionTurn::Over);
        }
        self.report();
        self.limits = self.deps.status.limits();
        // Polling waits when there is nothing else to do.
        let has_waited = self.in_flight.is_empty() && self.may_poll();
        Ok(if has_progressed || has_waited { SessionTurn::Busy } else { SessionTurn::Idle })
    }

    pub(super) fn take(&mut self, (record, failure): Received) {
        let partition = Partition { topic: Arc::clone(&record.position.topic), number: record.position.partition };
        if self.is_leaving(&partition) || !self.open(&partition, &record) {
            return;
        }
        let received_at = self.cluster.now();
        self.deps.metrics.received.inc();
        let record = Arc::new(record);
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.publish_order.enter(ticket, &partition, record.key.as_deref());
        let weight = record.weight();
        self.open_bytes += weight;
        let handler = &self.deps.handler;
        let begun = match failure.or_else(|| self.quarantined.contains(&record.position).then(quarantine::failure)) {
            Some(failure) => {
                BegunRecord { step: RecordStep::Settled(handler.dead_letter(&record, &failure)), claim: None }
            }
            None => {
                self.quarantine.working_on(&record.position);
                handler.begin(&record)
            }
        };
        let flight = InFlight {
            partition,
            record,
            received_at,
            weight,
            held: None,
            job: None,
            task: None,
            settled: None,
            is_sent: false,
            is_delivered: false,
        };
        self.in_flight.insert(ticket, flight);
        self.begun(ticket, begun);
    }

    /// Opens a record's position. False if the record is to be ignored: its partition is not ours, it was received before, or it has
    /// an outcome.
    fn open(&mut self, partition: &Partition, record: &Record) -> bool {
        let (offset, stamp) = (record.position.offset, Stamp::from(record));
        let mut opening = self.ledger.open(partition, offset, stamp);
        if opening == Opening::LogRestarted {
            self.log_restarted(partition, offset);
            opening = self.ledger.open(partition, offset, stamp);
        }
        if opening == Opening::Completed {
            self.deps.metrics.skipped.inc();
        }
        opening == Opening::Opened
    }

    /// Lets waiting records ask, oldest first, while there are places. Nothing is paid for a cluster that is away.
    fn dispatch(&mut self) {
        if matches!(self.paused, Some(Paused::Kafka(_))) {
            return;
        }
        while self.asking < self.deps.topics.max_in_flight {
            let Some(ticket) = self.waiting.pop_front() else { return };
            let Some(flight) = self.in_flight.get_mut(&ticket) else { continue };
            let Some(job) = flight.job.take() else { continue };
            let handler = Arc::clone(&self.deps.handler);
            let commitment = handler.commitment(&job);
            let quarantine = Arc::clone(&self.quarantine);
            let work = quarantine.watch(flight.record.position.clone(), async move { handler.finish(*job).await });
            flight.task = Some(self.deps.tasks.record(send(work, ticket, self.answers.0.clone()), commitment));
            self.asking += 1;
        }
    }

    fn report(&self) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let metrics = &self.deps.metrics;
        let waiting = self.in_flight.values().filter(|flight| flight.is_waiting()).count();
        metrics.waiting.set(count(waiting));
        metrics.asking.set(count(self.asking));
        metrics.unpublished.set(count(self.in_flight.len().saturating_sub(self.asking + waiting)));
        metrics.paused.set(i64::from(self.paused.is_some()));
        self.deps.status.turned(self.ledger.partitions().count(), self.in_flight.len(), self.paused.clone());
    }

    /// True if nothing is in flight.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    fn nap(&mut self) {
        let nap = if self.unacknowledged > 0 { NAP_UNACKNOWLEDGED } else { NAP_ASKING };
        select! {
            recv(self.answers.1) -> answer => if let Ok((ticket, settled)) = answer {
                self.answered(ticket, settled);
            },
            recv(self.decisions.1) -> decisions => if let Ok(decisions) = decisions {
                self.decided(decisions);
            },
            default(nap) => {}
        }
    }
}

impl<C: Cluster> Drop for Session<'_, C> {
    /// Also when the thread panics: gives up what is in flight, and answers what the group may be owed. The client's
    /// destructor waits for an answer to every revocation, and the loop gives none any more.
    fn drop(&mut self) {
        self.abandon_transaction();
        self.in_flight.clear();
        self.cluster.close();
        if let Err(error) = self.take_joining() {
            tracing::debug!(%error, "assigning at the end of a session");
        }
        let ours: Vec<Partition> = self.ledger.partitions().cloned().collect();
        if let Err(error) = self.cluster.unassign(&cluster::list(&ours)) {
            tracing::debug!(%error, "unassigning at the end of a session");
        }
    }
}

async fn send(work: impl Future<Output = Settled>, ticket: Ticket, answers: Sender<Answer>) {
    let mut answer = (ticket, work.await);
    // The queue has a place for each record that asks. It can only be full for a moment, after cancellations, and a worker
    // of the runtime must not block for it.
    while let Err(TrySendError::Full(unsent)) = answers.try_send(answer) {
        answer = unsent;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
