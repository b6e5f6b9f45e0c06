//! Calls of the transaction API: their time limits, their repetition, and what their errors mean.

use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

/// The broker aborts a transaction that is open for this long. Far more than one needs, and the longest that readers of
/// the result topic wait for an instance that died in the middle of one.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a request of the transaction API may take, with all its calls. A broker that is restarted is back by then;
/// the transaction's own timeout is longer.
pub(crate) const REQUEST: Duration = Duration::from_secs(10);
/// Time after which a call that should have ended by [`REQUEST`] does not come back.
pub(crate) const LOST_AFTER: Duration = Duration::from_secs(12);

/// True if this error means that another producer has the same `transactional.id`.
pub(crate) fn is_fenced(code: Option<RDKafkaErrorCode>) -> bool {
    use RDKafkaErrorCode as E;
    matches!(code, Some(E::Fenced | E::ProducerFenced | E::InvalidProducerEpoch))
}

/// True if the group refused the offsets because it has moved on. Then it is certain that they are in no transaction.
/// The client calls for an abort after other errors too, a timeout of the same request among them (librdkafka 2.12.1,
/// `rdkafka_txnmgr.c`): a request that is still on its way would put its offsets into the next transaction of the same
/// producer.
pub(crate) fn is_of_former_member(code: Option<RDKafkaErrorCode>) -> bool {
    use RDKafkaErrorCode as E;
    matches!(code, Some(E::IllegalGeneration | E::UnknownMemberId | E::StaleMemberEpoch | E::RebalanceInProgress))
}

/// Makes a call of the transaction API. The client says which errors call for the same call again; it is made until
/// `deadline`.
///
/// # Errors
/// The last error. After one of a commit or an abort nobody knows how the transaction ended, so the producer must not
/// be used any more (librdkafka issue 5423): the next one with its `transactional.id` ends it.
pub(crate) fn insist(deadline: Instant, call: impl Fn(Duration) -> KafkaResult<()>) -> KafkaResult<()> {
    loop {
        match call(deadline.saturating_duration_since(Instant::now())) {
            Err(KafkaError::Transaction(error)) if error.is_retriable() && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(50));
            }
            outcome => return outcome,
        }
    }
}
