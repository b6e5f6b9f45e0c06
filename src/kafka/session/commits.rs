//! At-least-once: offsets are committed beside what is published, about once a second.
//!
//! What is published and not committed is repeated when the membership ends, so nothing more is published when no
//! commit has been confirmed for a while. Without that rule a member whose coordinator is away would go on as long as
//! its session lasts, and for ever with KIP-848, where a member that hears nothing goes on fetching.

use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;

use super::Session;
use super::drain::Drain;
use crate::kafka::client::cluster::{Cluster, ClusterError, Request};
use crate::kafka::client::commit::Commit;
use crate::kafka::status::Paused;

/// Time between commits of what has changed.
pub(super) const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
/// Time after which what was committed is committed again, changed or not. A commit that was held up on the way arrives
/// after those that followed it, and a broker takes every commit of a member in its generation: the offsets go back.
/// Neither an error tells of it (the client repeats a commit on another connection by itself) nor a later commit puts
/// it right when none is due.
const RECOMMIT_INTERVAL: Duration = Duration::from_secs(10);
/// Time before a commit that failed is tried again.
const COMMIT_RETRY: Duration = Duration::from_millis(200);
/// Time for which outcomes are published after the last commit that was confirmed.
const MAX_UNCONFIRMED: Duration = Duration::from_secs(2);

impl<C: Cluster> Session<'_, C> {
    pub(super) fn commit_if_due(&mut self) {
        self.say_unconfirmed();
        let now = self.cluster.now();
        if now < self.commit_clock.due || self.cluster.is_busy() {
            return;
        }
        self.commit_clock.due = now + COMMIT_INTERVAL;
        if now >= self.commit_clock.recommit_due {
            self.commit_clock.recommit_due = now + RECOMMIT_INTERVAL;
            self.ledger.doubt_committed();
        }
        // Only partitions in the ledger, that is, ours, are ever part of it: the broker would take any (it does not
        // check who owns a partition).
        let commits = self.ledger.uncommitted();
        self.intake.has_long_map = commits.iter().any(Commit::is_long);
        if commits.is_empty() {
            self.commit_clock.confirmed_at = now;
        } else {
            self.cluster.request(Request::Commit(commits));
        }
    }

    pub(super) fn offsets_committed(&mut self, committed: Result<Vec<Commit>, ClusterError>) {
        let now = self.cluster.now();
        match committed {
            Ok(commits) => {
                self.commit_clock.confirmed_at = now;
                self.deps.metrics.committed.inc();
                commits.into_iter().for_each(|commit| self.ledger.committed(commit));
            }
            // The next commit covers what this one would have; a lost membership is reported as a revocation.
            Err(error) => {
                if is_about_a_partition(error.code) {
                    self.commit_clock.confirmed_at = now;
                }
                self.commit_clock.due = now + COMMIT_RETRY;
                self.deps.metrics.commit_errors.inc();
                tracing::warn!(connector = &*self.deps.name, brokers = self.deps.brokers(), %error, "offsets were not committed; trying again");
            }
        }
    }

    /// True if outcomes may go to the producer. Not while partitions are about to be given back: the next owner would
    /// repeat them.
    pub(super) fn may_send_beside_commits(&self) -> bool {
        !self.is_unconfirmed() && !self.drain.as_ref().is_some_and(Drain::is_committing)
    }

    /// True if nothing more may be published until offsets are committed. No commit is possible while the group is
    /// asked what was committed before, which takes a few seconds at most.
    fn is_unconfirmed(&self) -> bool {
        let age = || self.cluster.now().duration_since(self.commit_clock.confirmed_at);
        self.transaction.is_none() && !self.joining.is_fetching && age() > MAX_UNCONFIRMED
    }

    /// Why nothing is taken in, if that is for want of a commit.
    pub(super) fn unconfirmed(&self) -> Option<Paused> {
        let why = "the group's coordinator confirms no offsets; nothing is published until it does";
        self.is_unconfirmed().then(|| Paused::Kafka(why.to_owned()))
    }

    fn say_unconfirmed(&mut self) {
        let is_unconfirmed = self.is_unconfirmed();
        if is_unconfirmed && !self.commit_clock.is_unconfirmed_said {
            tracing::warn!(connector = &*self.deps.name, "no offsets are committed: publication waits");
        }
        self.commit_clock.is_unconfirmed_said = is_unconfirmed;
    }
}

/// The group has answered, and one partition's offset cannot be committed: that is no reason to hold back the others.
fn is_about_a_partition(code: Option<RDKafkaErrorCode>) -> bool {
    use RDKafkaErrorCode as E;
    matches!(
        code,
        Some(
            E::TopicAuthorizationFailed
                | E::UnknownTopicOrPartition
                | E::OffsetMetadataTooLarge
                | E::InvalidCommitOffsetSize
        )
    )
}
