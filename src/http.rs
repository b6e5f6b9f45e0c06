//! The HTTP edge: health, readiness and metrics.
//!
//! - [`server`]: listening and serving; [`settings`]: what a user chooses about it;
//! - [`router`]: every route, by audience; [`state`]: what handlers share;
//! - [`health`]: `/v1/health` and the probes;
//! - [`problem`]: errors as problem documents.

pub mod health;
pub mod problem;
pub mod router;
pub mod server;
pub mod settings;
pub mod state;
