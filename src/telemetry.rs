//! Logs and metrics.

#[cfg(test)]
pub(crate) mod captured;
pub mod logging;
pub mod metrics;
pub mod seldom;
pub mod settings;
