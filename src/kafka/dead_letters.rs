//! Dead letters, for commands that stand outside the pipeline.
//!
//! - [`reader`]: the letters of topics, from the beginning or a resume point to where the topics end now;
//! - [`selection`]: which of them are meant;
//! - [`replay`]: sends their records again, once each; [`destinations`]: where to; `resume`: how far a replay has come;
//! - [`summary`]: what a replay has done.

pub mod destinations;
pub mod reader;
pub mod replay;
mod resume;
pub mod selection;
pub mod summary;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::client::batch_transaction::BatchError;

/// Why letters could not be read, or not all of them sent again.
#[derive(Debug, thiserror::Error)]
pub enum LettersError {
    /// The cluster does not answer, or refuses.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// A topic cannot be used.
    #[error("topic {0}: {1}; create it, or permit this user to read and write it")]
    Topic(String, RDKafkaErrorCode),
    /// It was read, and nothing came in time.
    #[error("topic {0} could not be read to its end: nothing came in time; try again when the cluster answers")]
    Silent(String),
    /// The topic that a record should go to does not take it.
    #[error("topic {0} does not take a record: {1}; mend that, and run the same command again to go on")]
    Refused(String, RDKafkaErrorCode),
    /// The cluster does not take a batch of records.
    #[error("the cluster does not take records: {0}; run the same command again to go on")]
    NotSent(KafkaError),
    /// A batch was sent, or was not.
    #[error("the cluster has not confirmed the last records: {0}; run the same command again: it goes on where it was")]
    Unconfirmed(KafkaError),
    /// Another process runs the same replay.
    #[error("another process has begun the same replay, and this one was ended; let that one finish")]
    Overtaken,
}

impl From<BatchError> for LettersError {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Failed(error) => Self::NotSent(error),
            BatchError::Refused(_, code) => Self::NotSent(KafkaError::MessageProduction(code)),
            BatchError::Overtaken => Self::Overtaken,
            BatchError::Unconfirmed(error) => Self::Unconfirmed(error),
        }
    }
}
