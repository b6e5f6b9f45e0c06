//! One membership in the consumer group: the loop that polls, works, publishes and commits.
//!
//! A single thread owns the consumer, the producer and everything below; nothing here is locked. It turns at least
//! every 100 ms and never blocks on a provider, a full queue or the broker, because a consumer that does not poll is
//! thrown out of its group. Waiting for providers happens in tasks, which send what they found back to the loop.
//!
//! The walk of one record: [`Session::take`] opens its position and begins the pipeline; what needs a provider waits
//! for a place ([`Session::dispatch`]) and runs as a task; the outcome is released in order, [published](outcomes),
//! acknowledged, and its position closed; a [commit](commits) then passes it.
//!
//! - `flight`: a record between receipt and acknowledgement, and its phases; `flight_table`: all of them;
//! - `intake`: whether records are taken in; `client_pauses`: what the client was told of that; `gate_log`: what the
//!   log says of it;
//! - `dispatch`: from receipt to an outcome; `claims`: whether a record's event has an outcome already;
//! - `publish_order`: the order in which outcomes are published; `send_queue`: those that wait to be sent;
//! - `outcomes`: from an outcome to its acknowledgement;
//! - `ledger`: which positions are open, and so what may be committed; `commits`: offsets beside what is published;
//! - `transactions`: offsets with what is published; `transaction_state`: where the transaction stands;
//! - `membership`: partitions come and go; `drain`: those on their way out;
//! - `denied_sources`: sources that may not be read;
//! - `state`: clocks, channels and logs; `report`: what others are told; `error`: why a session cannot go on.

mod claims;
mod client_pauses;
mod commits;
mod denied_sources;
mod dispatch;
mod drain;
mod error;
mod flight;
mod flight_table;
mod gate_log;
mod intake;
mod ledger;
mod membership;
mod outcomes;
mod publish_order;
mod report;
mod send_queue;
mod state;
mod transaction_state;
mod transactions;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select};

use self::drain::Drain;
pub(super) use self::error::SessionError;
use self::flight_table::FlightTable;
use self::ledger::Ledger;
use self::report::Reporter;
use self::state::{ClaimRound, CommitClock, IntakeState, Joining, Logs, SourceDenial};
use self::transaction_state::TransactionState;
use super::client::cluster::{self, Cluster, Ticket};
use super::client::commit::Partition;
use super::dependencies::Dependencies;
use super::process::quarantine::Quarantine;
use super::process::stop_request::StopRequest;
use super::settings::Guarantee;
use super::status::OutputLimits;
use crate::delivery::outcome::Settled;
use crate::domain::record::Position;

/// Wait while acknowledgements are due; they are noticed by polling.
const NAP_UNACKNOWLEDGED: Duration = Duration::from_millis(1);
/// Wait while only providers are due; their answers end it at once, new records are noticed by polling.
const NAP_ASKING: Duration = Duration::from_millis(5);

/// What a task that asked sends back.
type Answer = (Ticket, Settled);

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

pub(super) struct Session<'a, C: Cluster> {
    deps: &'a Dependencies,
    stop: &'a StopRequest,
    cluster: C,
    flights: FlightTable,
    ledger: Ledger,
    intake: IntakeState,
    claim_round: ClaimRound,
    answers: (Sender<Answer>, Receiver<Answer>),
    output_limits: OutputLimits,
    commit_clock: CommitClock,
    /// `None` where outcomes are published at least once.
    transaction: Option<TransactionState>,
    joining: Joining,
    drain: Option<Drain>,
    source_denial: SourceDenial,
    quarantine: Arc<Quarantine>,
    quarantined: HashSet<Position>,
    reporter: Reporter,
    logs: Logs,
    /// Why the session cannot go on; ends it with the next turn.
    error: Option<SessionError>,
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
            flights: FlightTable::new(topics.ordering),
            ledger: Ledger::default(),
            intake: IntakeState::new(now),
            claim_round: ClaimRound::default(),
            answers: bounded(topics.max_in_flight),
            output_limits: OutputLimits::default(),
            commit_clock: CommitClock::new(now),
            transaction: is_exactly_once.then(|| TransactionState::new(now)),
            joining: Joining::new(now),
            drain: None,
            source_denial: SourceDenial::default(),
            quarantine,
            quarantined: HashSet::new(),
            reporter: Reporter::new(&deps.metrics),
            logs: Logs::default(),
            error: None,
        }
    }

    /// Turns until it is told to stop, or a secret of its clients is replaced.
    ///
    /// # Errors
    /// [`SessionError`]: it cannot go on.
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
        // Polling waits when there is nothing else to do.
        let has_waited = self.flights.is_empty() && self.may_poll();
        Ok(if has_progressed || has_waited { SessionTurn::Busy } else { SessionTurn::Idle })
    }

    fn report(&mut self) {
        let (partitions, counts, now) = (self.ledger.partition_count(), self.flights.counts(), self.cluster.now());
        self.reporter.turned(self.deps, partitions, counts, self.intake.paused.as_ref(), now);
        self.output_limits = self.deps.status.limits();
    }

    /// True if nothing is in flight.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.flights.is_empty()
    }

    fn nap(&mut self) {
        let nap = if self.flights.counts().sent > 0 { NAP_UNACKNOWLEDGED } else { NAP_ASKING };
        select! {
            recv(self.answers.1) -> answer => if let Ok((ticket, settled)) = answer {
                self.answered(ticket, settled);
            },
            recv(self.claim_round.decisions) -> decisions => if let Ok(decisions) = decisions {
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
        self.flights.clear();
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
