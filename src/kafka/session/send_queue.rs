//! Outcomes that are released but not with the producer: its queue was full, the topic takes nothing at the moment, or
//! a record is under suspicion.
//!
//! A topic's size limit holds for a whole batch, and a refused batch refuses every record in it. So a record that comes
//! back as too large is only a suspect: it is sent once more, alone, and what comes back then is about the record.

use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

use crate::kafka::client::cluster::Ticket;

/// What may be sent next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextSend {
    /// This record, together with others.
    Send(Ticket),
    /// This record, alone.
    SendAlone(Ticket),
    /// Nothing yet.
    Wait,
}

/// Outcomes waiting to be sent, in the order of receipt.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    waiting: BTreeSet<Ticket>,
    suspects: HashSet<Ticket>,
    /// The suspect that is with the producer, alone.
    alone: Option<Ticket>,
    not_before: Option<Instant>,
    /// Why nothing is taken, and the outcome that found out.
    problem: Option<(Ticket, String)>,
}

impl SendQueue {
    /// True if a released outcome may go straight to the producer: nothing waits before it.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.alone.is_none()
    }

    /// True if this outcome waits here.
    pub(super) fn contains(&self, ticket: Ticket) -> bool {
        self.waiting.contains(&ticket)
    }

    /// Puts an outcome in its place.
    pub(super) fn put(&mut self, ticket: Ticket) {
        self.waiting.insert(ticket);
    }

    /// Puts an outcome back and waits with all of them until then.
    pub(super) fn put_back(&mut self, ticket: Ticket, not_before: Instant) {
        self.waiting.insert(ticket);
        self.not_before = Some(not_before);
    }

    /// Puts an outcome back that came back as too large, perhaps for the company it was in.
    pub(super) fn suspect(&mut self, ticket: Ticket) {
        self.waiting.insert(ticket);
        self.suspects.insert(ticket);
    }

    /// What to send next, given how many records the producer has not yet reported on.
    pub(super) fn next(&mut self, unacknowledged: usize, now: Instant) -> NextSend {
        if self.alone.is_some() || self.not_before.is_some_and(|at| now < at) {
            return NextSend::Wait;
        }
        self.not_before = None;
        let Some(ticket) = self.waiting.first().copied() else { return NextSend::Wait };
        let is_suspect = self.suspects.contains(&ticket);
        if is_suspect && unacknowledged > 0 {
            return NextSend::Wait;
        }
        self.waiting.remove(&ticket);
        if is_suspect {
            self.suspects.remove(&ticket);
            self.alone = Some(ticket);
            return NextSend::SendAlone(ticket);
        }
        NextSend::Send(ticket)
    }

    /// The producer has an outcome: it does not wait any more.
    pub(super) fn sent(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
        self.suspects.remove(&ticket);
    }

    /// The producer has reported on a record. True if it was alone, so that the report is about it.
    pub(super) fn reported(&mut self, ticket: Ticket) -> bool {
        let was_alone = self.alone == Some(ticket);
        if was_alone {
            self.alone = None;
        }
        was_alone
    }

    /// Forgets the records that are not to be kept.
    pub(super) fn retain(&mut self, is_kept: impl Fn(Ticket) -> bool) {
        self.waiting.retain(|ticket| is_kept(*ticket));
        self.suspects.retain(|ticket| is_kept(*ticket));
        self.alone = self.alone.filter(|ticket| is_kept(*ticket));
        self.problem.take_if(|(ticket, _)| !is_kept(*ticket));
    }

    /// Notes why this outcome is not taken. True if that is news.
    pub(super) fn complain(&mut self, ticket: Ticket, problem: String) -> bool {
        let is_news = self.problem.as_ref().is_none_or(|(_, former)| *former != problem);
        self.problem = Some((ticket, problem));
        is_news
    }

    /// An outcome was taken. One of another topic says nothing about the problem.
    pub(super) fn acknowledged(&mut self, ticket: Ticket) {
        self.problem.take_if(|(refused, _)| *refused == ticket);
    }

    /// Why outcomes wait, if the topic or the cluster is the reason.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_ref().map(|(_, problem)| &**problem)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_suspect_is_sent_alone_and_nothing_overtakes_it() {
        let (mut queue, now) = (SendQueue::default(), Instant::now());
        queue.suspect(Ticket(1));
        queue.put(Ticket(2));
        assert_eq!(queue.next(3, now), NextSend::Wait, "others are still with the producer");
        assert_eq!(queue.next(0, now), NextSend::SendAlone(Ticket(1)));
        assert_eq!(queue.next(1, now), NextSend::Wait);
        assert!(!queue.is_empty(), "a new outcome must not join the suspect's batch");
        assert!(queue.reported(Ticket(1)));
        assert_eq!(queue.next(0, now), NextSend::Send(Ticket(2)));
        assert!(!queue.reported(Ticket(2)));
        assert!(queue.is_empty());
    }

    #[test]
    fn outcomes_go_in_the_order_of_receipt() {
        let (mut queue, now) = (SendQueue::default(), Instant::now());
        [5, 3, 4].into_iter().for_each(|n| queue.put(Ticket(n)));
        assert_eq!([(); 3].map(|()| queue.next(9, now)), [3, 4, 5].map(|n| NextSend::Send(Ticket(n))));
        assert_eq!(queue.next(9, now), NextSend::Wait);
    }

    #[test]
    fn a_problem_ends_with_the_records_that_had_it() {
        let mut queue = SendQueue::default();
        queue.put_back(Ticket(1), Instant::now() + Duration::from_secs(1));
        assert!(queue.complain(Ticket(1), "full".to_owned()));
        assert!(!queue.complain(Ticket(1), "full".to_owned()));
        queue.acknowledged(Ticket(2));
        assert_eq!(queue.problem(), Some("full"));
        queue.retain(|_| false);
        assert_eq!(queue.problem(), None);
        assert!(queue.complain(Ticket(3), "full".to_owned()));
        queue.acknowledged(Ticket(3));
        assert_eq!(queue.problem(), None);
    }
}
