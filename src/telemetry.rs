//! Logs and metrics.

#[cfg(test)]
pub(crate) mod captured;
pub mod log_throttle;
pub mod logging;
pub mod metrics;
pub mod settings;
