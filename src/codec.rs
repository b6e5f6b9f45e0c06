//! Bytes to events and back.
//!
//! In: [`cloudevents`] and [`plain`] turn a Kafka record into an [`Event`](crate::domain::event::Event). Out:
//! [`result`] and [`dead_letter`] turn an outcome into the record that is produced. [`trace`] carries the trace through
//! both. Input is untrusted: nothing here panics or recurses without a bound, and no error repeats what the sender
//! wrote except names of headers and attributes.

mod attributes;
#[cfg(test)]
mod fixtures;
mod payload;
mod structured;
mod write;

pub mod cloudevents;
pub mod dead_letter;
pub mod plain;
pub mod result;
pub mod trace;
mod trail;
