//! `deduplicate`: of the records of one event only the first has an outcome.
//!
//! A record claims its event on receipt, and whatever the pipeline made of it is held back until the claim is decided. Claims that come
//! while others are being decided share the next round trip. A record that is read again claims what it had, so a claim needs no
//! end but its window.

use super::{Decisions, Session};
use crate::domain::failure::{Code, Failure};
use crate::kafka::client::cluster::Cluster;
use crate::kafka::client::cluster::Ticket;
use crate::kafka::handler::{BegunRecord, RecordStep};
use crate::ports::journal::Claimed;
use crate::tasks::Commitment;

impl<C: Cluster> Session<'_, C> {
    /// The record is as far as it comes without waiting.
    pub(super) fn begun(&mut self, ticket: Ticket, BegunRecord { step, claim }: BegunRecord) {
        match (claim, self.in_flight.get_mut(&ticket)) {
            (Some(claim), Some(flight)) => {
                flight.held = Some(step);
                self.claims.push((ticket, claim));
            }
            _ => self.proceed(ticket, step),
        }
    }

    /// Has the claims decided, unless others are being decided.
    pub(super) fn send_claims(&mut self) {
        let handler = &self.deps.handler;
        if self.deciding.is_some() || self.claims.is_empty() || handler.remembered().is_none() {
            return;
        }
        let (tickets, claims): (Vec<Ticket>, Vec<_>) = std::mem::take(&mut self.claims).into_iter().unzip();
        let (handler, decisions) = (handler.clone(), self.decisions.0.clone());
        let work = async move {
            if let Some(remembered) = handler.remembered() {
                let decided = remembered.decide(claims).await;
                // There is room: one task at a time. Without a session nobody waits for it.
                drop(decisions.try_send(tickets.into_iter().zip(decided).collect()));
            }
        };
        self.deciding = Some(self.deps.tasks.record(work, Commitment::default()));
    }

    pub(super) fn receive_decisions(&mut self) -> bool {
        let decisions = self.decisions.1.try_recv();
        decisions.is_ok_and(|decisions| {
            self.decided(decisions);
            true
        })
    }

    pub(super) fn decided(&mut self, decisions: Decisions) {
        self.deciding = None;
        for (ticket, claimed) in decisions {
            let Some(flight) = self.in_flight.get_mut(&ticket) else { continue };
            let Some(step) = flight.held.take() else { continue };
            match claimed {
                Claimed::Granted => self.proceed(ticket, step),
                // Its place in the order is free, and there is nothing to publish.
                Claimed::Repeat => self.release(ticket),
                Claimed::Conflict => {
                    let detail =
                        "another record had the same source and id and another value; give each event an id of its own";
                    let letter = self.deps.handler.dead_letter(&flight.record, &Failure::new(Code::IdConflict, detail));
                    self.settled(ticket, letter);
                }
            }
        }
    }

    fn proceed(&mut self, ticket: Ticket, step: RecordStep) {
        match step {
            RecordStep::Settled(settled) => self.settled(ticket, settled),
            RecordStep::Ask(job) => {
                if let Some(flight) = self.in_flight.get_mut(&ticket) {
                    flight.job = Some(job);
                    self.waiting.push_back(ticket);
                }
            }
        }
    }
}
