//! A source that the cluster does not let us read. The others go on.
//!
//! The client says so once for each beginning of a fetch, and nothing when it is over (librdkafka 2.12.1, `rdkafka_fetcher.c`). So fetching
//! is begun anew from time to time, and what is not said again is permitted.

use std::time::{Duration, Instant};

use super::super::cluster::{Cluster, ClusterError};
use super::Session;

/// Time between two tries. What is fetched ahead is thrown away in each.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(10);
/// Time in which the client says that nothing has changed.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

/// Whether some source may not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Denied {
    /// Nothing is known of one.
    #[default]
    No,
    /// One is, and is tried again then.
    Until(Instant),
    /// It is being tried, and permitted if nothing is said until then.
    Tried(Instant),
}

impl<C: Cluster> Session<'_, C> {
    /// The client has said that a source may not be read. It does not say which one.
    pub(super) fn source_denied(&mut self) {
        self.denied = Denied::Until(self.cluster.now() + TRY_AGAIN_AFTER);
        let topics = self.deps.topics.source_topics.join(", ");
        let why = format!("a source may not be read (TopicAuthorizationFailed); permit READ of {topics}");
        self.deps.status.denied(Some(why));
    }

    /// Finds out whether it still is so.
    pub(super) fn try_denied_again(&mut self) -> Result<(), ClusterError> {
        let now = self.cluster.now();
        match self.denied {
            Denied::Until(at) if now >= at && self.paused.is_none() && !self.told.is_quiet(now) => {
                let ours = self.fetched_partitions();
                self.cluster.pause(&ours)?;
                self.cluster.resume(&ours)?;
                self.denied = Denied::Tried(now + ANSWERED_WITHIN);
            }
            Denied::Tried(at) if now >= at => {
                self.denied = Denied::No;
                self.deps.status.denied(None);
            }
            Denied::No | Denied::Until(_) | Denied::Tried(_) => {}
        }
        Ok(())
    }
}
