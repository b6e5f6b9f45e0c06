//! Remembered answers.
//!
//! - [`memory`]: those of this process, bounded by size; [`redis`]: those that processes share;
//! - [`tiers`]: both as one, for statistics and invalidation; [`settings`]: what a user chooses.

pub mod memory;
pub mod redis;
pub mod settings;
pub mod tiers;
