//! A source that the cluster does not let us read. The others go on.
//!
//! The client says so once for each beginning of a fetch, and nothing when it is over (librdkafka 2.12.1,
//! `rdkafka_fetcher.c`). So fetching is begun anew from time to time, and what is not said again is permitted.

use std::time::Duration;

use super::Session;
use super::state::SourceDenial;
use crate::kafka::client::cluster::{Cluster, ClusterError};

/// Time between two tries. What is fetched ahead is thrown away in each.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(10);
/// Time in which the client says that nothing has changed.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

impl<C: Cluster> Session<'_, C> {
    /// The client has said that a source may not be read. It does not say which one.
    pub(super) fn source_denied(&mut self) {
        self.source_denial = SourceDenial::Until(self.cluster.now() + TRY_AGAIN_AFTER);
        let topics = self.deps.topics.source_topics.join(", ");
        let why = format!("a source may not be read (TopicAuthorizationFailed); permit READ of {topics}");
        self.deps.status.denied(Some(why));
    }

    /// Finds out whether it still is so.
    pub(super) fn try_denied_again(&mut self) -> Result<(), ClusterError> {
        let now = self.cluster.now();
        match self.source_denial {
            SourceDenial::Until(at)
                if now >= at && self.intake.paused.is_none() && !self.intake.client_pauses.is_quiet(now) =>
            {
                let ours = self.fetched_partitions();
                self.cluster.pause(&ours)?;
                self.cluster.resume(&ours)?;
                self.source_denial = SourceDenial::Tried(now + ANSWERED_WITHIN);
            }
            SourceDenial::Tried(at) if now >= at => {
                self.source_denial = SourceDenial::No;
                self.deps.status.denied(None);
            }
            SourceDenial::No | SourceDenial::Until(_) | SourceDenial::Tried(_) => {}
        }
        Ok(())
    }
}
