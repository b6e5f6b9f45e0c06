//! What the client was told about pauses.

use std::time::{Duration, Instant};

/// Time after an assignment in which the client begins to fetch, and is told nothing.
const FETCH_BEGINS_WITHIN: Duration = Duration::from_secs(2);
/// Time between two resumptions.
pub(super) const RESUME_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What the client was told about pauses. It may not have done it: its operations on a partition are numbered before
/// they are queued, and what arrives behind a later number is dropped (librdkafka 2.12.1, `rdkafka_partition.c`). That
/// is a pause, a resumption, or the beginning of a fetch, after which nothing would ever be fetched. So nothing is said
/// while a fetch may be about to begin; a resumption is repeated, which does nothing where it was done; a pause is
/// repeated when a record comes all the same.
#[derive(Debug)]
pub(super) struct ClientPauses {
    pub(super) is_paused: bool,
    quiet_until: Instant,
    pub(super) resume_due: Instant,
}

impl ClientPauses {
    pub(super) fn new(now: Instant) -> Self {
        Self { is_paused: false, quiet_until: now, resume_due: now }
    }

    /// Partitions were assigned. The client remembers a pause from when they were ours before, and knows none of the
    /// others.
    pub(super) fn fetch_begins(&mut self, now: Instant) {
        let quiet_until = now + FETCH_BEGINS_WITHIN;
        *self = Self { is_paused: false, quiet_until, resume_due: quiet_until };
    }

    pub(super) fn is_quiet(&self, now: Instant) -> bool {
        now < self.quiet_until
    }
}
