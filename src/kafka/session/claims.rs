//! `deduplicate`: of the records of one event only the first has an outcome.
//!
//! A record claims its event on receipt, and whatever the pipeline made of it is held back until the claim is decided.
//! Claims that come while others are being decided share the next round trip. A record that is read again claims what
//! it had, so a claim needs no end but its window.

use std::sync::Arc;

use super::Session;
use super::state::Decisions;
use crate::domain::failure::{Code, Failure};
use crate::kafka::client::cluster::{Cluster, Ticket};
use crate::tasks::Commitment;

impl<C: Cluster> Session<'_, C> {
    /// Has the claims decided, unless others are being decided.
    pub(super) fn send_claims(&mut self) {
        let handler = &self.deps.handler;
        if self.claim_round.task.is_some() || handler.remembered().is_none() {
            return;
        }
        let claims = self.flights.take_claims();
        if claims.is_empty() {
            return;
        }
        let (tickets, claims): (Vec<Ticket>, Vec<_>) = claims.into_iter().unzip();
        let (handler, sender) = (Arc::clone(handler), self.claim_round.sender.clone());
        let work = async move {
            if let Some(remembered) = handler.remembered() {
                let decided = remembered.decide(claims).await;
                // There is room: one task at a time. Without a session nobody waits for it.
                drop(sender.try_send(tickets.into_iter().zip(decided).collect()));
            }
        };
        self.claim_round.task = Some(self.deps.tasks.record(work, Commitment::default()));
    }

    pub(super) fn receive_decisions(&mut self) -> bool {
        let decisions = self.claim_round.decisions.try_recv();
        decisions.is_ok_and(|decisions| {
            self.decided(decisions);
            true
        })
    }

    pub(super) fn decided(&mut self, decisions: Decisions) {
        self.claim_round.task = None;
        for (ticket, claimed) in decisions {
            self.flights.decide(ticket, claimed, |record| {
                let detail =
                    "another record had the same source and id and another value; give each event an id of its own";
                self.deps.handler.dead_letter(record, &Failure::new(Code::IdConflict, detail))
            });
            self.publish_released();
        }
    }
}
