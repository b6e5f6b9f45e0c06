//! Traces: what happened to one record or request, as spans that are exported with OpenTelemetry's protocol (OTLP over
//! HTTP, protobuf). Off unless the standard `OTEL_…` variables switch it on.
//!
//! - [`names`]: names of spans and attributes; the only place that has them
//! - [`span`]: a span that has ended, and its parts
//! - [`trace`]: a trace that is being recorded, and the spans that are open in it
//! - [`tracer`]: begins traces, and decides which are exported
//! - [`sampler`]: that decision
//! - [`settings`]: the `OTEL_…` variables
//! - [`export`]: batches, the collector, and what is dropped; `otlp`, `protobuf`: the bytes

pub mod export;
pub mod names;
mod otlp;
mod protobuf;
pub mod sampler;
pub mod settings;
pub mod span;
#[cfg(test)]
pub(crate) mod testing;
pub mod trace;
pub mod tracer;
