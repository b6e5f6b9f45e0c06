//! Partitions on their way out, because they were revoked or the process stops.

use std::time::Instant;

use crate::kafka::client::commit::Partition;

/// Partitions on their way out.
pub(super) struct Drain {
    /// What leaves; `None` is everything, because the process stops.
    pub(super) leaving: Option<Vec<Partition>>,
    /// Revoked while everything leaves: to be given back when everything is committed.
    pub(super) owed: Vec<Partition>,
    /// False while what is under way may still finish, true while the rest is committed.
    pub(super) is_committing: bool,
    /// End of the present phase.
    pub(super) until: Instant,
}

impl Drain {
    /// True when the process stops.
    pub(super) fn is_final(&self) -> bool {
        self.leaving.is_none()
    }

    /// True while what is done is committed, and the rest is given up.
    pub(super) fn is_committing(&self) -> bool {
        self.is_committing
    }

    pub(super) fn covers(&self, partition: &Partition) -> bool {
        self.leaving.as_ref().is_none_or(|leaving| leaving.contains(partition))
    }
}
