//! Pure values. No I/O, no async, no clock.
//!
//! - [`record`], [`event`]: what comes in; [`json`], [`text`]: how it and files are read;
//! - [`answer`], [`attempt`], [`usage`]: what came of it, by which calls, and what those used;
//! - [`failure`], [`error_code`]: why there is no answer, and who must act;
//! - [`fingerprint`]: which questions are equal; [`health`]: how a part is doing; [`nearest`]: which name may be meant;
//!   [`secret`]: text that is never shown.

pub mod answer;
pub mod attempt;
pub mod error_code;
pub mod event;
pub mod failure;
pub mod fingerprint;
pub mod health;
pub mod json;
pub mod nearest;
pub mod record;
pub mod secret;
pub mod tenant;
pub mod text;
pub mod usage;
