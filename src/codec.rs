//! Bytes to events and back.
//!
//! In: [`cloudevents`] and [`plain`] turn a Kafka record into an [`Event`](crate::domain::event::Event). Out: a
//! [`result_event`] is a result before it is in any wire format, and [`kafka_binary`] and [`json_event`] write it, in the
//! form that [`result_format`] names; [`review_record`] is a result with the record that it answers; [`dead_letter`] is a
//! record with its failure, and [`replay_mark`] what such a record says that is sent again. [`trace`] carries the trace
//! through all of them. [`stored_answer`] is an answer as it is kept. Input is untrusted: nothing here panics or recurses
//! without a bound, and no error repeats what the sender wrote except names of headers and attributes.

mod attribute_list;
mod attributes;
#[cfg(test)]
mod fixtures;
mod payload;
mod structured;
mod write;

mod ascii;
mod attempt_log;
pub mod cloudevents;
pub mod dead_letter;
pub mod field_evidence;
pub mod json_event;
pub mod kafka_binary;
pub mod plain;
pub mod replay_mark;
pub mod result_event;
pub mod result_format;
pub mod review_record;
pub mod stored_answer;
pub mod trace;
