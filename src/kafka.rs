//! The Kafka edge: a connector's consumers, each with a producer and the loop that keeps the delivery promise.
//!
//! - [`member`]: a member of the consumer group: its thread, and the sessions that run on it one after the other;
//! - `session`: one membership in the consumer group: the loop from joining it to leaving it;
//! - `process`: the process's place on its machine, records that abort it, the request to stop;
//! - [`client`]: the client library: configuration, callbacks, messages, threads for what blocks;
//! - [`handler`]: one record through the pipeline; [`record_reader`]: from its bytes to an event; [`result_writer`]: its
//!   result in the form, with the key and for the topic that are wanted; `result_log`: what is logged of it;
//!   `field_counts`: what is counted of its values; [`record_trace`]: what traces say of it;
//! - [`status`]: what a member says about itself; [`health`]: what a connector's members say together;
//! - [`settings`]: what a user chooses; [`dependencies`]: what a member works with;
//! - [`audit_topic`]: security events in a topic of their own; `suspicious_records`: those of connectors;
//! - [`review_queue`]: results that wait for a person, and what becomes of each, once;
//! - [`dead_letters`]: records without a result, read and sent again;
//! - [`waiting_records`]: some of the records that a connector will receive, for a plan;
//! - [`topic_io`]: fills and reads topics for commands; [`embedded`]: a broker inside the process, for the demo;
//! - `simulation`: sessions against a cluster in memory, with faults at every step.

pub mod audit_topic;
pub mod client;
pub mod dead_letters;
pub mod dependencies;
pub mod embedded;
mod field_counts;
pub mod handler;
pub mod health;
pub mod member;
mod process;
pub mod record_reader;
pub mod record_trace;
mod result_log;
pub mod result_writer;
pub mod review_queue;
mod session;
pub mod settings;
pub mod status;
mod suspicious_records;
pub mod topic_io;
pub mod waiting_records;

#[cfg(test)]
mod simulation;
