//! The end of a session that was not asked to stop.

use rdkafka::error::RDKafkaErrorCode;

use crate::kafka::client::cluster::ClusterError;

/// Why a session cannot go on.
pub(crate) struct SessionError {
    pub(crate) why: String,
    /// A new session would not help either.
    pub(crate) is_for_good: bool,
}

impl SessionError {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_for_good: false }
    }

    pub(super) fn for_good(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_for_good: true }
    }
}

impl From<ClusterError> for SessionError {
    fn from(error: ClusterError) -> Self {
        let is_taken =
            matches!(error.code, Some(RDKafkaErrorCode::FencedInstanceId | RDKafkaErrorCode::UnreleasedInstanceId));
        if is_taken {
            return Self::for_good(
                "another process is the group's member of this group.instance.id; give each its own, or wait for the session \
                 timeout if it has died",
            );
        }
        Self::new(error.to_string())
    }
}
