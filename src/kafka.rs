//! The Kafka edge: one consumer and one producer per connector, and the loop that keeps the delivery promise.
//!
//! - [`connector`]: a connector's thread and its supervision;
//! - `session`: the loop, from joining the group to leaving it;
//! - [`ledger`]: which positions are open, and so what may be committed;
//! - [`publish_order`]: the order in which outcomes are published;
//! - [`handler`]: one record through the pipeline; `result_log`: what is logged of it;
//! - `instance_slot`: a process's place on its machine; `quarantine`: records that abort the process;
//! - `cluster`: what a session needs of Kafka, as a trait; `kafka_cluster`: that of a real one;
//! - `probe`: whether the cluster answers and has our topics, with `topic_limits` (what they take) and `missing_topics` (those it lacks);
//! - `client`, `messages`: librdkafka's configuration, callbacks and messages; `error_advice`: what to do about its errors.

mod client;
mod cluster;
mod committer;
pub mod connector;
pub mod embedded;
mod error_advice;
pub mod handler;
mod kafka_cluster;
pub mod ledger;
mod messages;
pub mod publish_order;
mod topic_limits;

mod instance_slot;
mod missing_topics;
mod probe;
mod quarantine;
mod result_log;
mod send_queue;
mod session;
pub mod settings;
pub mod status;
pub mod topic_io;
mod transaction_state;

#[cfg(test)]
mod simulation;
