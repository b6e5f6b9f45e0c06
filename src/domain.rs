//! Pure values. No I/O, no async, no clock.

pub mod answer;
pub mod attempt;
pub mod event;
pub mod failure;
pub mod fingerprint;
pub mod health;
pub mod json;
pub mod record;
pub mod secret;
pub mod text;
