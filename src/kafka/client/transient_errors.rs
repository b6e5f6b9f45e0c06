//! Errors of the client that pass by themselves, for commands that wait.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Whether a broker is away, which may be one of several. The client goes on by itself, with another or when this one is
/// back.
pub(crate) fn is_outage(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as E;
    matches!(error.rdkafka_error_code(), Some(E::AllBrokersDown | E::BrokerTransportFailure | E::Resolve))
}

/// Whether a group's coordinator is about to begin its work.
pub(crate) fn is_beginning(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as E;
    let code = error.rdkafka_error_code();
    matches!(code, Some(E::NotCoordinator | E::CoordinatorNotAvailable | E::CoordinatorLoadInProgress))
}
