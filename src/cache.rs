//! Remembered answers: in memory, bounded by size.

pub mod memory;
pub mod settings;
