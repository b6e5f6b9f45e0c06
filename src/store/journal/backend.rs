//! What a store has to do for the journal: connect, and execute a batch that changes nothing when it is executed twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::store::availability::StoreName;
use crate::store::error::StoreError;

/// The bytes of a [`crate::ports::journal::Key`].
pub(super) type Hash = [u8; 32];

/// A place that can be connected to. It may be away at any time.
pub(super) trait Backend: Send + Sync {
    /// How the store is named to its operator.
    fn name(&self) -> StoreName;

    /// A new connection to a store that is ready for use: there, migrated, writable.
    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>, StoreError>>;
}

/// A connection. After any error it is thrown away, with the transaction that it may be in.
pub(super) trait Connection: Send {
    /// Does all of it, or fails; what is returned is durable. Doing a part, or all of it, twice changes nothing.
    fn execute<'a>(&'a mut self, work: &'a Work) -> BoxFuture<'a, Result<Done, StoreError>>;

    /// Removes at most `limit` expired entries of each kind. True if there may be more.
    fn purge(&mut self, now: Duration, limit: u32) -> BoxFuture<'_, Result<bool, StoreError>>;
}

/// What is to be done at once. Ordered by key, so that two processes lock rows in the same order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Work {
    /// The time. What expires at this time or before has expired.
    pub(super) now: Duration,
    /// How long outcomes are kept from now on.
    pub(super) retention: Duration,
    /// Outcomes to remember, unless there is one.
    pub(super) outcomes: BTreeMap<Hash, Bytes>,
    /// Claims on events, to be granted where no other holds.
    pub(super) claims: BTreeMap<Hash, Claimant>,
    /// Outcomes to look up, after the others were written.
    pub(super) recalls: BTreeSet<Hash>,
}

/// Who claims an event, or holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimant {
    pub(super) input: Hash,
    pub(super) origin: String,
    /// How long a new claim holds.
    pub(super) window: Duration,
}

/// Who holds an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) input: Hash,
    pub(super) origin: Vec<u8>,
}

/// What came of a [`Work`].
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Done {
    /// The outcomes that are there.
    pub(super) recalled: HashMap<Hash, Bytes>,
    /// Who holds each event that was claimed.
    pub(super) holders: HashMap<Hash, Holder>,
}

impl Work {
    /// True if nothing is to be written.
    pub(super) fn is_read_only(&self) -> bool {
        self.outcomes.is_empty() && self.claims.is_empty()
    }

    /// True if there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.is_read_only() && self.recalls.is_empty()
    }
}
