//! What the pipeline and the doors need from outside, as traits. Each has a fake in memory beside it.
//!
//! - [`answers`], [`journal`], [`paid_answer`], [`model`]: what is remembered, and who is asked;
//! - [`keys`], [`request_log`], [`catalog`], [`audit`], [`idempotency`]: what the HTTP API keeps in a database;
//!   [`repository`]: what these have in common;
//! - [`rate_limits`]: how much a key may ask;
//! - [`request_observer`]: who learns how a request fares;
//! - [`clock`], [`health`]: the time, and how a part is doing.

pub mod answer_cache;
pub mod answers;
pub mod audit;
pub mod catalog;
pub mod clock;
pub mod health;
pub mod idempotency;
pub mod journal;
pub mod keys;
pub mod model;
pub mod paid_answer;
pub mod rate_limits;
pub mod repository;
pub mod request_log;
pub mod request_observer;
