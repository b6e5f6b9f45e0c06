//! The HTTP edge: health, readiness and metrics.

pub mod health;
pub mod problem;
pub mod router;
pub mod server;
pub mod settings;
