//! What a session needs of Kafka: one member of a consumer group, and one producer. A trait, so that the session that
//! runs against a real cluster is also the one that a simulated cluster is set against, with every fault at every step.

use std::ops::Range;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::commit::{Commit, Partition};
use super::commit_metadata::{Completed, MetadataError};
use crate::domain::failure::Failure;
use crate::domain::record::{Outgoing, Record};

/// The clients of one session. Nothing here blocks for longer than it is told to, but [`Cluster::abandon_transaction`].
pub(crate) trait Cluster {
    /// The time by which this cluster is dealt with.
    fn now(&self) -> Instant;
    /// Whether a secret that the clients were built with has been replaced: only new ones know the new secret.
    fn has_former_secret(&self) -> bool;

    /// The next record, waiting for it up to `wait`. Must be called again and again, or the group throws the member
    /// out.
    fn poll(&mut self, wait: Duration) -> Option<Result<Received, ClusterError>>;
    /// The next thing that happened to the membership.
    fn event(&mut self) -> Option<Event>;
    /// Whether what is being revoked is somebody else's already.
    fn is_lost(&self) -> bool;
    /// Answers an assignment: these are consumed from now on, from where the group's offsets say.
    fn assign(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError>;
    /// Answers a revocation: these are given back.
    fn unassign(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError>;
    /// Stops to fetch.
    fn pause(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError>;
    /// Goes on to fetch.
    fn resume(&mut self, list: &TopicPartitionList) -> Result<(), ClusterError>;
    /// Remembers who this member is in the group at the moment, for the next [`Request::CommitTransaction`]. False if
    /// it is nobody.
    fn note_membership(&mut self) -> bool;
    /// From now on nobody looks at events any more: revocations are answered at once.
    fn close(&mut self);

    /// Hands an outcome to the producer.
    fn send(&mut self, topic: &str, outgoing: &Outgoing, ticket: Ticket) -> Result<(), RDKafkaErrorCode>;
    /// What the broker said about what was sent, since the last call.
    fn deliveries(&mut self) -> Vec<Delivery>;
    /// The error after which the producer does nothing any more.
    fn fatal_error(&self) -> Option<RDKafkaErrorCode>;
    /// What the client said of an output that the present transaction may not write to.
    fn denied_output(&self) -> Option<String>;
    /// Begins a transaction.
    fn begin_transaction(&mut self) -> Result<(), ClusterError>;
    /// Aborts the open transaction; waits for that for a few seconds.
    fn abandon_transaction(&mut self) -> Result<(), ClusterError>;

    /// Begins something that takes its time, unless something is under way.
    fn request(&mut self, request: Request);
    /// True while a request is under way.
    fn is_busy(&self) -> bool;
    /// The result of the request, once.
    fn done(&mut self) -> Option<Done>;
    /// True if no request will ever be done again.
    fn is_gone(&self) -> bool;
}

/// A record as it came; with a failure if it could not be represented whole.
pub(crate) type Received = (Record, Option<Failure>);

/// Identifies one received record within a session; later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) usize);

/// What became of one sent outcome.
pub(crate) type Delivery = (Ticket, Result<(), RDKafkaErrorCode>);

/// What happened to a membership.
#[derive(Debug)]
pub(crate) enum Event {
    Assigned(Vec<Partition>),
    Revoked(Vec<Partition>),
}

/// What takes its time.
pub(crate) enum Request {
    /// Commit offsets outside of any transaction.
    Commit(Vec<Commit>),
    /// Read what was committed.
    Fetch(Vec<Partition>),
    /// Introduce the producer to its coordinator, which ends what the one before it left open, and fences it.
    InitTransactions,
    /// Commit the open transaction with these offsets.
    CommitTransaction(Vec<Commit>),
    /// Abort the open transaction.
    AbortTransaction,
}

/// What became of a request.
pub(crate) enum Done {
    Commit(Result<Vec<Commit>, ClusterError>),
    Fetch(Result<Fetched, ClusterError>),
    InitTransactions(Result<(), ClusterError>),
    CommitTransaction(Result<Vec<Commit>, ClusterError>),
    AbortTransaction(Result<(), ClusterError>),
}

/// What earlier owners committed.
#[derive(Default)]
pub(crate) struct Fetched {
    /// As the client gave it: with leader epochs, so that a log that was cut is noticed.
    pub(crate) list: TopicPartitionList,
    /// For each partition the committed offset, if there is one, and what is completed beyond it.
    pub(crate) committed: Vec<(Partition, Option<(i64, Completed)>)>,
    /// Offsets that nobody has consumed and that the log does not hold any more.
    pub(crate) deleted: Vec<(Partition, Range<i64>)>,
    /// Metadata that is no map of ours.
    pub(crate) refused: Vec<(Partition, MetadataError)>,
}

impl Fetched {
    /// Whom it is about, in the order of the request.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = &Partition> {
        self.committed.iter().map(|(partition, _)| partition)
    }
}

/// A client's error, as far as a session cares.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(crate) struct ClusterError {
    pub(crate) code: Option<RDKafkaErrorCode>,
    /// The client that it comes from does nothing any more.
    pub(crate) is_fatal: bool,
    /// The transaction has failed for certain, and once it is aborted the producer goes on. After a call that took too
    /// long, for example, that is not certain.
    pub(crate) requires_abort: bool,
    text: String,
}

impl ClusterError {
    /// An error after which a client does nothing any more.
    pub(crate) fn fatal(code: RDKafkaErrorCode, reason: impl Into<String>) -> Self {
        Self { code: Some(code), is_fatal: true, requires_abort: false, text: reason.into() }
    }
}

impl From<KafkaError> for ClusterError {
    fn from(error: KafkaError) -> Self {
        let (is_fatal, requires_abort) = if let KafkaError::Transaction(error) = &error {
            (error.is_fatal(), error.txn_requires_abort())
        } else {
            (matches!(error, KafkaError::MessageConsumptionFatal(_)), false)
        };
        Self { code: error.rdkafka_error_code(), is_fatal, requires_abort, text: error.to_string() }
    }
}

impl From<RDKafkaErrorCode> for ClusterError {
    fn from(code: RDKafkaErrorCode) -> Self {
        Self { code: Some(code), is_fatal: false, requires_abort: false, text: code.to_string() }
    }
}

/// A list as the client wants it.
pub(crate) fn list<'a>(partitions: impl IntoIterator<Item = &'a Partition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.number);
    }
    list
}
