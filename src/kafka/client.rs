//! The client library: what a session asks of Kafka, and how librdkafka does it.
//!
//! - `cluster`: what a session needs of Kafka, as a trait; the simulation has another implementation;
//! - `kafka_cluster`: that of a real cluster, with librdkafka's consumer and producer;
//! - `committer`: the thread for calls that block: commits, committed offsets, transactions;
//! - `probe`: the thread that asks whether the cluster answers and has our topics;
//! - `configuration`: librdkafka's options; `callbacks`: what it reports; `messages`: its messages as records and back;
//! - `commit`: what is committed for a partition; [`commit_metadata`]: what is completed beyond the offset, as text;
//! - `transaction_calls`: time limits and errors of the transaction API; `batch_transaction`: transactions of a command;
//! - `topic_limits`: the sizes that topics take; `missing_topics`: topics that cannot be used;
//! - `error_advice`: what to do about an error of the client; `transient_errors`: those that pass by themselves.

pub(super) mod batch_transaction;
pub(super) mod callbacks;
pub(super) mod cluster;
pub(super) mod commit;
pub mod commit_metadata;
mod committer;
pub(super) mod configuration;
pub(super) mod error_advice;
pub(super) mod kafka_cluster;
pub(super) mod messages;
mod missing_topics;
mod probe;
mod topic_limits;
pub(super) mod transaction_calls;
pub(super) mod transient_errors;
