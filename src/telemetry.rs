//! Logs, metrics and traces.
//!
//! - [`logging`]: sets the logger up; `json_lines`: the form of its lines for machines; `log_output`: where they
//!   go; [`log_level`]: which lines there are; [`log_throttle`]: lines about what happens often; [`settings`]: what
//!   a user chooses;
//! - [`metrics`]: every metric; [`traces`]: what happened to one record or request.

#[cfg(test)]
pub(crate) mod captured;
mod json_lines;
pub mod log_level;
mod log_output;
pub mod log_throttle;
pub mod logging;
pub mod metrics;
pub mod settings;
pub mod traces;
