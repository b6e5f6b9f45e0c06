//! Calls that are answered together.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::backend::{Claimant, Done, Hash, Holder, Work};
use crate::ports::journal::{Claim, Claimed};

/// Entries of a batch. More would make each caller wait longer and save little: the wait for the disk is shared by
/// then.
const MAX_ENTRIES: usize = 512;
/// Bytes of outcomes after which a batch takes no more.
const MAX_BYTES: usize = 4 << 20;

/// One call.
pub(super) enum Request {
    Recall { key: Hash, reply: oneshot::Sender<Option<Bytes>> },
    Record { key: Hash, outcome: Bytes, reply: oneshot::Sender<()> },
    Claim { claims: Vec<Claim>, reply: oneshot::Sender<Vec<Claimed>> },
}

impl Request {
    /// True if its caller has gone.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Recall { reply, .. } => reply.is_closed(),
            Self::Record { reply, .. } => reply.is_closed(),
            Self::Claim { reply, .. } => reply.is_closed(),
        }
    }

    fn entries(&self) -> usize {
        match self {
            Self::Recall { .. } | Self::Record { .. } => 1,
            Self::Claim { claims, .. } => claims.len(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Record { outcome, .. } => outcome.len(),
            Self::Recall { .. } | Self::Claim { .. } => 0,
        }
    }
}

/// Calls in the order in which they came.
#[derive(Default)]
pub(super) struct Batch(Vec<Request>);

impl Batch {
    /// `first`, and what waits behind it as far as it fits.
    pub(super) fn collect(first: Request, queue: &mut mpsc::Receiver<Request>) -> Self {
        let (mut entries, mut bytes) = (first.entries(), first.bytes());
        let mut requests = vec![first];
        while entries < MAX_ENTRIES && bytes < MAX_BYTES {
            let Ok(request) = queue.try_recv() else { break };
            entries += request.entries();
            bytes += request.bytes();
            requests.push(request);
        }
        Self(requests)
    }

    /// Adds what this batch asks for to `work`. Calls whose callers have gone are forgotten.
    pub(super) fn prepare(&mut self, work: &mut Work) {
        self.0.retain(|request| !request.is_abandoned());
        for request in &self.0 {
            match request {
                Request::Recall { key, .. } => drop(work.recalls.insert(*key)),
                Request::Record { key, outcome, .. } => {
                    work.outcomes.entry(*key).or_insert_with(|| outcome.clone());
                }
                Request::Claim { claims, .. } => {
                    for claim in claims {
                        work.claims.entry(claim.event.0).or_insert_with(|| claimant(claim));
                    }
                }
            }
        }
    }

    /// Answers everyone. A caller that has gone meanwhile does not mind.
    pub(super) fn answer(self, done: &Done) {
        for request in self.0 {
            match request {
                Request::Recall { key, reply } => drop(reply.send(done.recalled.get(&key).cloned())),
                Request::Record { reply, .. } => drop(reply.send(())),
                Request::Claim { claims, reply } => {
                    let decided = claims.iter().map(|claim| decide(claim, done.holders.get(&claim.event.0)));
                    drop(reply.send(decided.collect()));
                }
            }
        }
    }
}

fn claimant(claim: &Claim) -> Claimant {
    Claimant { input: claim.input.0, origin: claim.origin.clone(), window: claim.window }
}

/// What a claim comes to, given who holds its event after it was made.
fn decide(claim: &Claim, holder: Option<&Holder>) -> Claimed {
    match holder {
        None => Claimed::Granted,
        Some(holder) if holder.origin == claim.origin.as_bytes() => Claimed::Granted,
        Some(holder) if holder.input == claim.input.0 => Claimed::Repeat,
        Some(_) => Claimed::Conflict,
    }
}
