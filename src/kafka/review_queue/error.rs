//! Why nothing could be read or decided.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::ReviewPlace;
use crate::codec::review_record::NotForReview;
use crate::kafka::client::commit_metadata::MetadataError;

/// Why nothing could be read or decided. Unless it says something else, the result waits as before.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The cluster does not answer, or refuses.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// The topic cannot be used.
    #[error("topic {0}: {1}")]
    Topic(String, RDKafkaErrorCode),
    /// It was read, and nothing came in time.
    #[error("topic {0} could not be read to its end: nothing came in time; try again when the cluster answers")]
    Silent(String),
    /// What the group has committed does not say what was decided.
    #[error(
        "group {0} has a commit for partition {1} that {2}; decide with the version that wrote it, or delete the \
         group's offsets, and everything in the topic waits again"
    )]
    UnreadableCommit(String, i32, MetadataError),
    /// The group has no commit, so everything in the topic waits.
    #[error(
        "group {0} knows of no decision: either there was none, or the brokers have forgotten it (they do after \
         offsets.retention.minutes), or the connector had another group; then results that are decided wait again. \
         If there was none, begin with --first-decision"
    )]
    NothingDecided(String),
    /// It was decided before, or never was there.
    #[error("{0} does not wait: it was decided before, or there is no such result; `review list` shows what waits")]
    NotWaiting(ReviewPlace),
    /// What stands there is no result of the connector.
    #[error(transparent)]
    NotForReview(#[from] NotForReview),
    /// It cannot be written as the connector's sink wants it.
    #[error("the result cannot be written: {0}; it waits as before")]
    Unpublishable(String),
    /// The topic that the decision leads to does not take it.
    #[error("topic {0} does not take it: {1}; the result waits as before")]
    Refused(String, RDKafkaErrorCode),
    /// The cluster does not take the decision.
    #[error("the cluster does not take the decision: {0}; the result waits as before")]
    NotDecided(KafkaError),
    /// It is decided, or waits as before.
    #[error("the cluster has not confirmed the decision: {0}; `review list` shows whether the result still waits")]
    Unconfirmed(KafkaError),
    /// Another process decides for the same connector.
    #[error(
        "the cluster has ended this decision: somebody else decided for this connector at the same time, or this \
         command stood still; look at `review list`, and try again"
    )]
    Overtaken,
    /// The map in the commit's metadata has no room.
    #[error("what was decided out of turn does not fit into a commit; decide about the oldest results first")]
    TooScattered,
}
