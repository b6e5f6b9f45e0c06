//! Configuration: as written in YAML and the environment → as true. Every finding at once, each with its place.
//!
//! YAML becomes a tree whose nodes know where they stand, environment variables are laid over it, and sections read
//! typed settings from it. Nothing here stops at the first mistake: a reader notes a finding and goes on.

mod document;
mod environment;
mod finding;
mod nearest;
mod scalar;
mod section;
mod units;
mod values;
mod yaml;

pub mod connector;
pub mod file_check;
pub mod runtime;

pub use environment::Environment;
pub use finding::{Finding, Findings, Place};
pub use units::parse_duration;
